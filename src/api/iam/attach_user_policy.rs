//! AttachUserPolicy.

use super::{constraints::ARN, done, input::of_user, policy_key, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "AttachUserPolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("PolicyArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct AttachUserPolicy {
    name: String,
    arn: String,
}

impl Operation for AttachUserPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:AttachUserPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, arn) = of_user(raw, |fields| fields.text("PolicyArn", &ARN))?;
        Ok(Self { name, arn })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let user = user_resource(state, context, &self.name)?;
        Ok(vec![policy_key(user, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.attach_user_policy(context.account()?, &self.name, &self.arn).await?;
        Ok(done(NAME, context))
    }
}
