//! DeleteUserPolicy.

use super::{constraints::POLICY_NAME, done, input::of_user, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeleteUserPolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("PolicyName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteUserPolicy {
    name: String,
    policy: String,
}

impl Operation for DeleteUserPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteUserPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, policy) = of_user(raw, |fields| fields.text("PolicyName", &POLICY_NAME))?;
        Ok(Self { name, policy })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_user_policy(context.account()?, &self.name, &self.policy).await?;
        Ok(done(NAME, context))
    }
}
