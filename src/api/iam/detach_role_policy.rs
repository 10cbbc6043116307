//! DetachRolePolicy.

use super::{constraints::ARN, done, input::of_role, policy_key, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DetachRolePolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("PolicyArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DetachRolePolicy {
    name: String,
    arn: String,
}

impl Operation for DetachRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DetachRolePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, arn) = of_role(raw, |fields| fields.text("PolicyArn", &ARN))?;
        Ok(Self { name, arn })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let role = role_resource(state, context, &self.name)?;
        Ok(vec![policy_key(role, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.detach_role_policy(context.account()?, &self.name, &self.arn).await?;
        Ok(done(NAME, context))
    }
}
