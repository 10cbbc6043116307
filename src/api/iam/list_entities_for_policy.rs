//! ListEntitiesForPolicy: the roles and users that have a policy attached.

use super::{
    constraints::{ENTITY_TYPE, PATH_PREFIX, POLICY_USAGE},
    input::of_policy,
    policy_resource, reply, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Paging},
    },
    iam::{Directory, policies::Entities},
};

const NAME: &str = "ListEntitiesForPolicy";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("PolicyArn", Implemented),
        ("EntityFilter", Implemented),
        ("PathPrefix", Implemented),
        ("PolicyUsageFilter", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct ListEntitiesForPolicy {
    arn: String,
    wanted: Wanted,
    paging: Paging,
}

impl Operation for ListEntitiesForPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListEntitiesForPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, (wanted, paging)) = of_policy(raw, |fields| (Wanted::read(fields), Paging::read(fields)))?;
        Ok(Self { arn, wanted, paging })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policy = state.existing_policy(context.account()?, &self.arn)?;
        let Entities { roles, users } = state.entities_of(&policy);
        let roles = roles.iter().map(|role| Found::new("role", role.name(), role.id(), &role.record.path));
        let users = users.iter().map(|user| Found::new("user", user.name(), user.id(), &user.record.path));
        let found = roles.chain(users).filter(|found| self.wanted.includes(found));
        let page = self.paging.cut(found, |found| &found.key)?;
        Ok(reply(NAME, context, |xml| {
            let of = |kind: &'static str| page.items.iter().filter(move |found| found.kind == kind);
            xml.list("PolicyGroups", std::iter::empty::<&str>(), |_, _| {});
            xml.list("PolicyUsers", of("user"), |xml, user| {
                xml.text("UserName", &user.name);
                xml.text("UserId", &user.id);
            });
            xml.list("PolicyRoles", of("role"), |xml, role| {
                xml.text("RoleName", &role.name);
                xml.text("RoleId", &role.id);
            });
            page.write(xml);
        }))
    }
}

/// Which entities are asked for.
#[derive(Debug)]
struct Wanted {
    kind: Option<&'static str>,
    prefix: String,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        let filter = fields.optional("EntityFilter", &ENTITY_TYPE);
        let usage = fields.optional("PolicyUsageFilter", &POLICY_USAGE);
        let kind = match (filter.as_deref(), usage.as_deref()) {
            // Boundaries and groups are not there.
            (_, Some("PermissionsBoundary")) => Some("nobody"),
            (Some("Role"), _) => Some("role"),
            (Some("User"), _) => Some("user"),
            (Some(_), _) => Some("nobody"),
            (None, _) => None,
        };
        let prefix = fields.optional("PathPrefix", &PATH_PREFIX).unwrap_or_else(|| "/".to_owned());
        Self { kind, prefix }
    }

    fn includes(&self, found: &Found) -> bool {
        self.kind.is_none_or(|kind| kind == found.kind) && found.path.starts_with(&self.prefix)
    }
}

struct Found {
    kind: &'static str,
    /// What pages are cut by: roles first, then users, each by their names.
    key: String,
    name: String,
    id: String,
    path: String,
}

impl Found {
    fn new(kind: &'static str, name: &str, id: &str, path: &str) -> Self {
        let key = format!("{kind}/{name}");
        Self { kind, key, name: name.to_owned(), id: id.to_owned(), path: path.to_owned() }
    }
}
