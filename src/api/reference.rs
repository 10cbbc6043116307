//! `docs/operations.md`, made from what every operation says of itself and from the table of those that are refused.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    Access, Door, Service, callgate, cognito_identity, iam,
    lambda::{self, invoke},
    members::{Members, Support},
    operation::Listed,
    refused::REFUSED,
    sts,
};
use crate::base::generated;

const SERVICES: [(Service, &str, &[Listed]); 5] = [
    (Service::Lambda, "Lambda", lambda::OPERATIONS),
    (Service::CognitoIdentity, "Cognito Identity", cognito_identity::OPERATIONS),
    (Service::Sts, "STS", sts::OPERATIONS),
    (Service::Iam, "IAM", iam::OPERATIONS),
    (Service::Callgate, "Callgate", callgate::OPERATIONS),
];

/// Every operation of a service by its name: where it is served, who may call it, its members.
fn rows(service: Service, operations: &'static [Listed]) -> Vec<(Door, Access, &'static Members)> {
    let mut rows: Vec<_> = operations
        .iter()
        .map(|listed| {
            let spec = (listed.spec)();
            (spec.door, spec.access, listed.members)
        })
        .collect();
    if service == Service::Lambda {
        rows.push((Door::Data, Access::Permitted { action: invoke::ACTION }, &invoke::MEMBERS));
    }
    rows.sort_by_key(|(_, _, members)| members.operation);
    rows
}

fn names(members: &Members, support: Support) -> String {
    let of_kind = members.members.iter().filter(|(_, own)| *own == support);
    of_kind.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn document() -> String {
    let mut out = String::from(
        "# Operations\n\n\
         <!-- Made from the tables under src/api by their tests: make docs -->\n\n\
         What the gateway speaks of each AWS service. A member is *implemented* (it does what it does on AWS), *stored* (kept\n\
         and answered, and changes nothing) or *refused* by its name, unless it says nothing (null, false, empty). A value that\n\
         is refused of a member that is not stands behind the member's name. Members that a service's model does not have are\n\
         passed over, as on AWS. The *data* door is what apps call; *management* is for operators, and beyond loopback has an\n\
         address of its own.\n",
    );
    for (service, title, operations) in SERVICES {
        let rows = rows(service, operations);
        let _ = write!(
            out,
            "\n## {title}\n\n| Operation | Door | Who may call | Implemented | Stored |\n|---|---|---|---|---|\n"
        );
        for (door, access, members) in &rows {
            let door = match door {
                Door::Data => "data",
                Door::Management => "management",
            };
            let who = match access {
                Access::Public => "anyone".to_owned(),
                Access::Signed => "any signed caller".to_owned(),
                Access::Permitted { action } => format!("`{action}`"),
            };
            let implemented = names(members, Support::Implemented);
            let stored = names(members, Support::Stored);
            let _ = writeln!(out, "| {} | {door} | {who} | {implemented} | {stored} |", members.operation);
        }
        refused_members(&mut out, &rows);
        let refused = REFUSED.iter().filter(|refused| refused.service == service).map(|refused| refused.name);
        let refused = refused.collect::<Vec<_>>().join(", ");
        if !refused.is_empty() {
            let _ = write!(out, "\nRefused operations: {refused}.\n");
        }
    }
    out
}

fn refused_members(out: &mut String, rows: &[(Door, Access, &'static Members)]) {
    let mut heading = "\n| Refused | of | What to do instead |\n|---|---|---|\n";
    for (_, _, members) in rows {
        for (name, support) in members.members {
            if let Support::Refused(instead) = support {
                let _ = writeln!(out, "{heading}| `{name}` | {} | {instead} |", members.operation);
                heading = "";
            }
        }
    }
}

#[test]
fn the_table_of_operations_in_docs_is_up_to_date() {
    generated::compare("docs/operations.md", &document());
}

#[test]
fn every_operation_lists_its_own_members_once() {
    for (service, _, operations) in SERVICES {
        for listed in operations {
            let spec = (listed.spec)();
            assert_eq!((spec.service, spec.name), (service, listed.members.operation));
        }
        for (_, _, members) in rows(service, operations) {
            let names: BTreeSet<_> = members.members.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), members.members.len(), "{}", members.operation);
            assert!(
                members.members.iter().all(|(_, support)| *support != Support::Refused("")),
                "{}",
                members.operation
            );
        }
    }
}

#[test]
fn no_operation_is_both_served_and_refused() {
    for (service, _, operations) in SERVICES {
        let served: BTreeSet<_> =
            rows(service, operations).iter().map(|(_, _, members)| members.operation).collect();
        let refused: Vec<_> =
            REFUSED.iter().filter(|refused| refused.service == service).map(|refused| refused.name).collect();
        let unique: BTreeSet<_> = refused.iter().copied().collect();
        assert_eq!(unique.len(), refused.len(), "{service:?} refuses an operation twice");
        assert_eq!(served.intersection(&unique).count(), 0, "{service:?} serves and refuses {served:?}");
    }
}
