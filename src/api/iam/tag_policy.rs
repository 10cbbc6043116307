//! TagPolicy.

use std::collections::BTreeMap;

use super::{
    constraints::{TAG_KEY, TAG_VALUE},
    done,
    input::of_policy,
    policy_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "TagPolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("PolicyArn", Implemented), ("Tags", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct TagPolicy {
    arn: String,
    tags: BTreeMap<String, String>,
}

impl Operation for TagPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:TagPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, tags) = of_policy(raw, |fields| fields.tags("Tags", &TAG_KEY, &TAG_VALUE))?;
        Ok(Self { arn, tags })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let policy = policy_resource(state, &self.arn);
        Ok(vec![Resource { request_tags: Some(self.tags.clone()), ..policy }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.tag_policy(context.account()?, &self.arn, self.tags).await?;
        Ok(done(NAME, context))
    }
}
