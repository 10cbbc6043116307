//! DeleteOpenIDConnectProvider: one that is not there is as good as deleted.

use super::{done, input::of_provider, provider_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeleteOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("OpenIDConnectProviderArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteOpenIdConnectProvider {
    arn: String,
}

impl Operation for DeleteOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, ()) = of_provider(raw, |_| ())?;
        Ok(Self { arn })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_oidc_provider(context.account()?, &self.arn).await?;
        Ok(done(NAME, context))
    }
}
