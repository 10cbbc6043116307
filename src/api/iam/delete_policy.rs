//! DeletePolicy: it must be attached to nobody, and have one version.

use super::{done, input::of_policy, policy_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeletePolicy";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("PolicyArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeletePolicy {
    arn: String,
}

impl Operation for DeletePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeletePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, ()) = of_policy(raw, |_| ())?;
        Ok(Self { arn })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_policy(context.account()?, &self.arn).await?;
        Ok(done(NAME, context))
    }
}
