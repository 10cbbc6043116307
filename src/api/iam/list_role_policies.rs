//! ListRolePolicies: the names of a role's inline policies.

use super::{input::of_role, reply, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListRolePolicies";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("RoleName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListRolePolicies {
    name: String,
    paging: Paging,
}

impl Operation for ListRolePolicies {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListRolePolicies")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_role(raw, Paging::read)?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.existing_role(context.account()?, &self.name)?;
        let page = self.paging.cut(role.record.policies.keys(), |name| name)?;
        Ok(reply(NAME, context, |xml| {
            xml.texts("PolicyNames", page.items.iter().map(|name| name.as_str()));
            page.write(xml);
        }))
    }
}
