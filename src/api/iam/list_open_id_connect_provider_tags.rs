//! ListOpenIDConnectProviderTags.

use super::{input::of_provider, provider_resource, reply, shapes::tag, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListOpenIDConnectProviderTags";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("OpenIDConnectProviderArn", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListOpenIdConnectProviderTags {
    arn: String,
    paging: Paging,
}

impl Operation for ListOpenIdConnectProviderTags {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListOpenIDConnectProviderTags")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, paging) = of_provider(raw, Paging::read)?;
        Ok(Self { arn, paging })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let provider = state.existing_oidc_provider(context.account()?, &self.arn)?;
        let page = self.paging.cut(provider.record.tags.iter(), |(key, _)| key)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Tags", &page.items, |xml, (key, value)| tag(xml, key, value));
            page.write(xml);
        }))
    }
}
