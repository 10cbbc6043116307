//! UntagOpenIDConnectProvider.

use super::{constraints::TAG_KEY, done, input::of_provider, provider_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "UntagOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("OpenIDConnectProviderArn", Implemented), ("TagKeys", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct UntagOpenIdConnectProvider {
    arn: String,
    keys: Vec<String>,
}

impl Operation for UntagOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UntagOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, keys) = of_provider(raw, |fields| fields.texts("TagKeys", &TAG_KEY))?;
        Ok(Self { arn, keys })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.untag_oidc_provider(context.account()?, &self.arn, &self.keys).await?;
        Ok(done(NAME, context))
    }
}
