//! AddClientIDToOpenIDConnectProvider: one that is there already stays.

use super::{constraints::CLIENT_ID, done, input::of_provider, provider_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "AddClientIDToOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("OpenIDConnectProviderArn", Implemented), ("ClientID", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct AddClientIdToOpenIdConnectProvider {
    arn: String,
    client_id: String,
}

impl Operation for AddClientIdToOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:AddClientIDToOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, client_id) = of_provider(raw, |fields| fields.text("ClientID", &CLIENT_ID))?;
        Ok(Self { arn, client_id })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.add_client_id(context.account()?, &self.arn, self.client_id).await?;
        Ok(done(NAME, context))
    }
}
