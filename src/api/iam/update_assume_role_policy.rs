//! UpdateAssumeRolePolicy: replaces whom a role trusts.

use super::{constraints::DOCUMENT, done, input::of_role, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "UpdateAssumeRolePolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("PolicyDocument", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct UpdateAssumeRolePolicy {
    name: String,
    document: String,
}

impl Operation for UpdateAssumeRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UpdateAssumeRolePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, document) = of_role(raw, |fields| fields.text("PolicyDocument", &DOCUMENT))?;
        Ok(Self { name, document })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.set_trust(context.account()?, &self.name, self.document).await?;
        Ok(done(NAME, context))
    }
}
