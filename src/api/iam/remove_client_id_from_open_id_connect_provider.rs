//! RemoveClientIDFromOpenIDConnectProvider: one that is not there is as good as removed.

use super::{
    constraints::{ARN, CLIENT_ID},
    done, provider_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form},
    },
    iam::Directory,
};

const NAME: &str = "RemoveClientIDFromOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("OpenIDConnectProviderArn", Implemented), ("ClientID", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct RemoveClientIdFromOpenIdConnectProvider {
    arn: String,
    client_id: String,
}

impl Operation for RemoveClientIdFromOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:RemoveClientIDFromOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let arn = fields.text("OpenIDConnectProviderArn", &ARN);
        let client_id = fields.text("ClientID", &CLIENT_ID);
        fields.finish()?;
        Ok(Self { arn, client_id })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.remove_client_id(context.account()?, &self.arn, &self.client_id).await?;
        Ok(done(NAME, context))
    }
}
