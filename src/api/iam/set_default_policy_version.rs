//! SetDefaultPolicyVersion: the version that counts, from the next call on.

use super::{done, input::of_policy_version, policy_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "SetDefaultPolicyVersion";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("PolicyArn", Implemented), ("VersionId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct SetDefaultPolicyVersion {
    arn: String,
    version: u32,
}

impl Operation for SetDefaultPolicyVersion {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:SetDefaultPolicyVersion")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, version) = of_policy_version(raw)?;
        Ok(Self { arn, version })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.set_default_policy_version(context.account()?, &self.arn, self.version).await?;
        Ok(done(NAME, context))
    }
}
