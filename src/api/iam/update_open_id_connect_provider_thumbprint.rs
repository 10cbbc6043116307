//! UpdateOpenIDConnectProviderThumbprint: replaces the list, which is kept and not used:
//! issuers' certificates are checked against the system's roots.

use super::{constraints::THUMBPRINT, done, input::of_provider, provider_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Stored},
        },
    },
    iam::Directory,
};

const NAME: &str = "UpdateOpenIDConnectProviderThumbprint";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("OpenIDConnectProviderArn", Implemented), ("ThumbprintList", Stored)],
};

/// The input.
#[derive(Debug)]
pub struct UpdateOpenIdConnectProviderThumbprint {
    arn: String,
    thumbprints: Vec<String>,
}

impl Operation for UpdateOpenIdConnectProviderThumbprint {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UpdateOpenIDConnectProviderThumbprint")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, thumbprints) = of_provider(raw, |fields| fields.texts("ThumbprintList", &THUMBPRINT))?;
        Ok(Self { arn, thumbprints })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.set_thumbprints(context.account()?, &self.arn, self.thumbprints).await?;
        Ok(done(NAME, context))
    }
}
