//! ListInstanceProfilesForRole: always none. There are no instances, but tools ask before they delete a role.

use super::{input::of_role, reply, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListInstanceProfilesForRole";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("RoleName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListInstanceProfilesForRole {
    name: String,
    paging: Paging,
}

impl Operation for ListInstanceProfilesForRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListInstanceProfilesForRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_role(raw, Paging::read)?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.existing_role(context.account()?, &self.name)?;
        let page = self.paging.cut(std::iter::empty::<&str>(), |name| name)?;
        Ok(reply(NAME, context, |xml| {
            xml.texts("InstanceProfiles", page.items.iter().copied());
            page.write(xml);
        }))
    }
}
