//! ListAttachedRolePolicies: always none. Managed policies are not there, but tools ask before they delete a role.

use super::{constraints::PATH_PREFIX, input::of_role, reply, role_resource, spec};
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
    paging: Paging,
}

impl Operation for ListAttachedRolePolicies {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListAttachedRolePolicies")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_role(raw, |fields| {
            fields.optional("PathPrefix", &PATH_PREFIX);
            Paging::read(fields)
        })?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.existing_role(context.account()?, &self.name)?;
        let page = self.paging.cut(std::iter::empty::<&str>(), |name| name)?;
        Ok(reply(NAME, context, |xml| {
            xml.texts("AttachedPolicies", page.items.iter().copied());
            page.write(xml);
        }))
    }
}
