//! TagOpenIDConnectProvider.

use std::collections::BTreeMap;

use super::{
    constraints::{TAG_KEY, TAG_VALUE},
    done,
    input::of_provider,
    provider_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "TagOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("OpenIDConnectProviderArn", Implemented), ("Tags", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct TagOpenIdConnectProvider {
    arn: String,
    tags: BTreeMap<String, String>,
}

impl Operation for TagOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:TagOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, tags) = of_provider(raw, |fields| fields.tags("Tags", &TAG_KEY, &TAG_VALUE))?;
        Ok(Self { arn, tags })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let provider = provider_resource(state, &self.arn);
        Ok(vec![Resource { request_tags: Some(self.tags.clone()), ..provider }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.tag_oidc_provider(context.account()?, &self.arn, self.tags).await?;
        Ok(done(NAME, context))
    }
}
