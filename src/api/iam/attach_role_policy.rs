//! AttachRolePolicy.

use super::{constraints::ARN, done, input::of_role, policy_key, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "AttachRolePolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("PolicyArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct AttachRolePolicy {
    name: String,
    arn: String,
}

impl Operation for AttachRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:AttachRolePolicy")
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
        state.attach_role_policy(context.account()?, &self.name, &self.arn).await?;
        Ok(done(NAME, context))
    }
}
