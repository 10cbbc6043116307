//! GetPolicy.

use super::{
    input::of_policy,
    policy_resource, reply,
    shapes::{self, Detail},
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "GetPolicy";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("PolicyArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetPolicy {
    arn: String,
}

impl Operation for GetPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, ()) = of_policy(raw, |_| ())?;
        Ok(Self { arn })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policy = state.existing_policy(context.account()?, &self.arn)?;
        let attached = shapes::attachments(&state.entities_of(&policy));
        Ok(reply(NAME, context, |xml| {
            xml.nested("Policy", |xml| shapes::policy(xml, &policy, attached, Detail::Whole));
        }))
    }
}
