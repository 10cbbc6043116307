//! Who may, by all policies together: identity, session and resource's policies, in one account and in two. The table in
//! `policies/access.json`, and random cases, each put to the fast evaluator and to the slow one.

use std::{cell::RefCell, collections::BTreeMap, path::Path, sync::Arc};

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{Document, Kind, OnResource, Reason, Request, permit_on, permit_service, weigh},
    Asking, Context, random,
    reference::{Access, Question, Verdict, judge_access},
};
use crate::base::{AccountId, Caller, Principal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "source")]
    _source: String,
    action: String,
    resource: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    why: String,
    caller: Who,
    account: Option<String>,
    /// Statements of version 2012-10-17, as are the next two.
    #[serde(default)]
    identity: Vec<Value>,
    session: Option<Vec<Value>>,
    resource: Option<Vec<Value>>,
    expected: String,
    because: String,
}

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Who {
    Root,
    /// `user/anna`
    User,
    /// Session `s1` of `role/team/app`
    Session,
    /// SNS
    Service,
}

/// One case in full.
#[derive(Clone, Debug)]
struct Case {
    who: Who,
    account: String,
    identity: Vec<Value>,
    session: Option<Vec<Value>>,
    resource: Option<Value>,
    action: String,
    arn: String,
    context: Context,
}

const SERVICE: &str = "sns.amazonaws.com";

impl Case {
    fn asking(&self) -> Asking {
        let account = self.account.clone();
        let aws =
            |arn: String, role: Option<String>| Asking::Aws { account: self.account.clone(), arn, role };
        match self.who {
            Who::Root => aws(format!("arn:aws:iam::{account}:root"), None),
            Who::User => aws(format!("arn:aws:iam::{account}:user/anna"), None),
            Who::Session => aws(
                format!("arn:aws:sts::{account}:assumed-role/app/s1"),
                Some(format!("arn:aws:iam::{account}:role/team/app")),
            ),
            Who::Service => Asking::Service(SERVICE.to_owned()),
        }
    }

    fn caller(&self) -> Caller {
        let principal = match self.who {
            Who::Root | Who::Service => Principal::Root,
            Who::User => Principal::User { name: "anna".into(), id: "AIDAEXAMPLE".into(), path: "/".into() },
            Who::Session => Principal::AssumedRole {
                role: "app".into(),
                role_id: "AROAEXAMPLE".into(),
                session: "s1".into(),
            },
        };
        Caller {
            account: self.account.parse().unwrap(),
            principal,
            access_key_id: "AKIAEXAMPLE".into(),
            identity: None,
            session: None,
        }
    }

    /// Decides both ways; the reason comes as its name.
    fn decide(&self) -> Result<(Verdict, String), String> {
        let parse = |policy: &Value, kind| {
            Document::parse(&policy.to_string(), kind).map(Arc::new).map_err(|error| error.to_string())
        };
        let all = |policies: &[Value], kind| {
            policies.iter().map(|policy| parse(policy, kind)).collect::<Result<Vec<_>, _>>()
        };
        let identity = all(&self.identity, Kind::Identity)?;
        let session = self.session.as_deref().map(|policies| all(policies, Kind::Session)).transpose()?;
        let resource = self.resource.as_ref().map(|policy| parse(policy, Kind::Resource)).transpose()?;
        let asking = self.asking();
        let request = Request::new(&self.action, &self.arn, &self.context);
        let (outcome, permitted) = if self.who == Who::Service {
            let owner = AccountId::DEFAULT;
            let permit = permit_service(owner, SERVICE, &request, resource.as_deref());
            let outcome = match permit {
                Ok(_) => Ok("Resource".to_owned()),
                Err(denial) => Err(denial.reason),
            };
            let permitted = outcome.is_ok();
            (outcome, permitted)
        } else {
            let on =
                resource.as_deref().map(|document| OnResource { document, requester: asking.requester() });
            let caller = self.caller();
            let because = weigh(&caller, &request, &identity, session.as_deref(), on);
            let permit = permit_on(&caller, &request, &identity, session.as_deref(), on);
            (because.map(|because| name(&because)), permit.is_ok())
        };
        let fast = match outcome {
            Ok(because) => (Verdict::Allow, because),
            Err(
                reason @ (Reason::IdentityDenies(_) | Reason::SessionDenies(_) | Reason::ResourceDenies(_)),
            ) => (Verdict::Deny, name(&reason)),
            Err(reason) => (Verdict::Neither, name(&reason)),
        };
        if permitted != (fast.0 == Verdict::Allow) {
            return Err(format!("the permit and the decision differ: {fast:?}"));
        }
        let question = Question {
            action: &self.action,
            resource: &self.arn,
            asking: Some(&asking),
            context: &self.context,
        };
        let slow = judge_access(
            &question,
            &Access {
                account: (self.who != Who::Service).then_some(&self.account),
                root: self.who == Who::Root,
                identity: &self.identity,
                session: self.session.as_deref(),
                resource: self.resource.as_ref(),
            },
        );
        if fast.0 != slow {
            return Err(format!("decided {fast:?}, the reference says {slow:?}"));
        }
        Ok(fast)
    }
}

/// The name of a variant.
fn name(reason: &impl std::fmt::Debug) -> String {
    let text = format!("{reason:?}");
    text.split([' ', '(']).next().unwrap().to_owned()
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[test]
fn every_row_of_the_table_is_decided_as_it_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/access.json");
    let table: Table = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (mut ids, mut failures) = (std::collections::BTreeSet::new(), Vec::new());
    for row in table.rows {
        assert!(ids.insert(row.id.clone()) && !row.why.is_empty(), "{}", row.id);
        // A policy of no statements is none; a session may have one that says nothing to anything.
        let policies = |statements: Vec<Value>| match statements.is_empty() {
            true => Vec::new(),
            false => vec![document(&statements)],
        };
        let case = Case {
            who: row.caller,
            account: row.account.unwrap_or_else(|| AccountId::DEFAULT.to_string()),
            identity: policies(row.identity),
            session: row.session.map(policies),
            resource: row.resource.as_deref().map(document),
            action: table.action.clone(),
            arn: table.resource.clone(),
            context: Context::default(),
        };
        let decided = case.decide().map(|(verdict, because)| {
            let verdict = match verdict {
                Verdict::Allow => "allow",
                Verdict::Deny => "deny",
                Verdict::Neither => "none",
            };
            (verdict, because)
        });
        if decided != Ok((row.expected.as_str(), row.because.clone())) {
            failures.push(format!("{} ({}): {decided:?}", row.id, row.why));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(ids.len() >= 50, "only {} rows were found", ids.len());
}

fn resource_statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!("*"),
        json!({ "AWS": "000000000000" }),
        json!({ "AWS": ["arn:aws:iam::999999999999:root", "arn:aws:iam::000000000000:user/anna"] }),
        json!({ "AWS": "arn:aws:iam::000000000000:role/team/app" }),
        json!({ "AWS": "arn:aws:sts::000000000000:assumed-role/app/s1" }),
        json!({ "AWS": "arn:aws:iam::999999999999:user/anna", "Service": SERVICE }),
        json!({ "AWS": ["000000000000", "arn:aws:iam::000000000000:role/team/app",
                        "arn:aws:sts::000000000000:assumed-role/app/s1", "arn:aws:iam::000000000000:user/anna"] }),
        json!({ "Service": ["s3.amazonaws.com", SERVICE] }),
    ]);
    let effect = select(vec![
        ("Allow", "Principal"),
        ("Allow", "Principal"),
        ("Allow", "Principal"),
        ("Allow", "Principal"),
        ("Deny", "Principal"),
        ("Deny", "NotPrincipal"),
    ]);
    (effect, principal, actions(), random::condition()).prop_map(
        |((effect, whom), principal, actions, condition)| {
            json!({ "Effect": effect, whom: principal, "Action": actions, "Resource": "*", "Condition": condition })
        },
    )
}

fn actions() -> impl Strategy<Value = &'static str> {
    select(vec!["lambda:InvokeFunction", "lambda:*", "*", "lambda:GetFunction"])
}

fn identity_statement() -> impl Strategy<Value = Value> {
    (prop_oneof![5 => Just("Allow"), 1 => Just("Deny")], actions(), random::condition()).prop_map(
        |(effect, action, condition)| {
            json!({ "Effect": effect, "Action": action, "Resource": "*", "Condition": condition })
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let policies = |max| prop::collection::vec(identity_statement().prop_map(|one| document(&[one])), 0..max);
    let resource =
        prop::collection::vec(resource_statement(), 1..4).prop_map(|statements| document(&statements));
    (
        select(vec![Who::Root, Who::User, Who::User, Who::Session, Who::Session, Who::Session, Who::Service]),
        select(vec!["000000000000", "000000000000", "999999999999"]),
        policies(3),
        prop::option::weighted(0.3, policies(2)),
        prop::option::weighted(0.8, resource),
        select(vec![
            "arn:aws:lambda:us-east-1:000000000000:function:greet",
            "arn:aws:lambda:us-east-1:000000000000:function:greet",
            "arn:aws:s3:::photos",
        ]),
        random::context(),
    )
        .prop_map(|(who, account, identity, session, resource, arn, context)| {
            // A service has no policies of its own.
            let (identity, session) =
                if who == Who::Service { (Vec::new(), None) } else { (identity, session) };
            let (account, arn, action) =
                (account.to_owned(), arn.to_owned(), "lambda:InvokeFunction".to_owned());
            Case { who, account, identity, session, resource, action, arn, context }
        })
}

#[test]
fn all_policies_together_are_decided_as_the_slow_evaluator_says() {
    let mut config = ProptestConfig::default();
    config.cases = config.cases.max(random::CASES);
    let cases = config.cases;
    let counts = RefCell::new(BTreeMap::new());
    let outcome = TestRunner::new(config).run(&case(), |case| {
        let (_, because) = case.decide().map_err(TestCaseError::fail)?;
        *counts.borrow_mut().entry(because).or_insert(0) += 1;
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let counts = counts.into_inner();
    // Every reason there is must have been met.
    for reason in [
        "Root",
        "Identity",
        "Resource",
        "Both",
        "IdentityDenies",
        "IdentityAllowsNot",
        "SessionDenies",
        "SessionAllowsNot",
        "ResourceDenies",
        "ResourceAllowsNot",
    ] {
        let count = counts.get(reason).copied().unwrap_or(0);
        assert!(count >= cases / 500, "only {count} of {cases} cases were {reason}: {counts:?}");
    }
}
