//! DeleteRole: of a role whose inline policies were deleted before.

use super::{done, input::of_role, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeleteRole";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("RoleName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteRole {
    name: String,
}

impl Operation for DeleteRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, ()) = of_role(raw, |_| ())?;
        Ok(Self { name })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_role(context.account()?, &self.name).await?;
        Ok(done(NAME, context))
    }
}
