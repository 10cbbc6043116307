//! ListAttachedRolePolicies.

use super::{attached, constraints::PATH_PREFIX, input::of_role, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListAttachedRolePolicies";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("RoleName", Implemented),
        ("PathPrefix", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct ListAttachedRolePolicies {
    name: String,
    prefix: String,
    paging: Paging,
}

impl Operation for ListAttachedRolePolicies {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListAttachedRolePolicies")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, (prefix, paging)) = of_role(raw, |fields| {
            let prefix = fields.optional("PathPrefix", &PATH_PREFIX).unwrap_or_else(|| "/".to_owned());
            (prefix, Paging::read(fields))
        })?;
        Ok(Self { name, prefix, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.existing_role(context.account()?, &self.name)?;
        attached(NAME, context, state, &role.record.attached, &self.prefix, &self.paging)
    }
}
