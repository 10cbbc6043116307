//! PutUserPolicy: an inline policy, in place of the one of its name.

use super::{
    constraints::{DOCUMENT, POLICY_NAME},
    done,
    input::of_user,
    spec, user_resource,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "PutUserPolicy";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("UserName", Implemented), ("PolicyName", Implemented), ("PolicyDocument", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct PutUserPolicy {
    name: String,
    policy: String,
    document: String,
}

impl Operation for PutUserPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:PutUserPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, (policy, document)) = of_user(raw, |fields| {
            (fields.text("PolicyName", &POLICY_NAME), fields.text("PolicyDocument", &DOCUMENT))
        })?;
        Ok(Self { name, policy, document })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.put_user_policy(context.account()?, &self.name, &self.policy, self.document).await?;
        Ok(done(NAME, context))
    }
}
