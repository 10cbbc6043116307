//! GetUserPolicy.

use super::{constraints::POLICY_NAME, input::of_user, reply, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::{Directory, users::no_such_user_policy},
};

const NAME: &str = "GetUserPolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("PolicyName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetUserPolicy {
    name: String,
    policy: String,
}

impl Operation for GetUserPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetUserPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, policy) = of_user(raw, |fields| fields.text("PolicyName", &POLICY_NAME))?;
        Ok(Self { name, policy })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let user = state.existing_user(context.account()?, &self.name)?;
        let document =
            user.record.policies.get(&self.policy).ok_or_else(|| no_such_user_policy(&self.policy))?;
        Ok(reply(NAME, context, |xml| {
            xml.text("UserName", user.name());
            xml.text("PolicyName", &self.policy);
            xml.document("PolicyDocument", document);
        }))
    }
}
