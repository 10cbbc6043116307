//! PutRolePolicy: an inline policy, in place of the one of its name.

use super::{
    constraints::{DOCUMENT, POLICY_NAME},
    done,
    input::of_role,
    role_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "PutRolePolicy";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("RoleName", Implemented), ("PolicyName", Implemented), ("PolicyDocument", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct PutRolePolicy {
    name: String,
    policy: String,
    document: String,
}

impl Operation for PutRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:PutRolePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, (policy, document)) = of_role(raw, |fields| {
            (fields.text("PolicyName", &POLICY_NAME), fields.text("PolicyDocument", &DOCUMENT))
        })?;
        Ok(Self { name, policy, document })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.put_role_policy(context.account()?, &self.name, &self.policy, self.document).await?;
        Ok(done(NAME, context))
    }
}
