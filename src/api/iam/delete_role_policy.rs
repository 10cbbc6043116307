//! DeleteRolePolicy.

use super::{constraints::POLICY_NAME, done, input::of_role, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeleteRolePolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("PolicyName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteRolePolicy {
    name: String,
    policy: String,
}

impl Operation for DeleteRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteRolePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, policy) = of_role(raw, |fields| fields.text("PolicyName", &POLICY_NAME))?;
        Ok(Self { name, policy })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_role_policy(context.account()?, &self.name, &self.policy).await?;
        Ok(done(NAME, context))
    }
}
