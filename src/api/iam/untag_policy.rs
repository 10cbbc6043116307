//! UntagPolicy.

use super::{constraints::TAG_KEY, done, input::of_policy, policy_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "UntagPolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("PolicyArn", Implemented), ("TagKeys", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct UntagPolicy {
    arn: String,
    keys: Vec<String>,
}

impl Operation for UntagPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UntagPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, keys) = of_policy(raw, |fields| fields.texts("TagKeys", &TAG_KEY))?;
        Ok(Self { arn, keys })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.untag_policy(context.account()?, &self.arn, &self.keys).await?;
        Ok(done(NAME, context))
    }
}
