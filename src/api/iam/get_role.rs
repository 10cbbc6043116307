//! GetRole.

use super::{
    input::of_role,
    reply, role_resource,
    shapes::{self, Detail},
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "GetRole";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("RoleName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetRole {
    name: String,
}

impl Operation for GetRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, ()) = of_role(raw, |_| ())?;
        Ok(Self { name })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.existing_role(context.account()?, &self.name)?;
        Ok(reply(NAME, context, |xml| xml.nested("Role", |xml| shapes::role(xml, &role, Detail::Whole))))
    }
}
