//! UpdateAssumeRolePolicy: replaces whom a role trusts.

use super::{
    constraints::{DOCUMENT, ROLE_NAME},
    done, role_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form},
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
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.text("RoleName", &ROLE_NAME);
        let document = fields.text("PolicyDocument", &DOCUMENT);
        fields.finish()?;
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
