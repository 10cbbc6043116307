//! GetOpenIDConnectProvider.

use super::{input::of_provider, provider_resource, reply, shapes, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "GetOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("OpenIDConnectProviderArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetOpenIdConnectProvider {
    arn: String,
}

impl Operation for GetOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, ()) = of_provider(raw, |_| ())?;
        Ok(Self { arn })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![provider_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let provider = state.existing_oidc_provider(context.account()?, &self.arn)?;
        let record = &provider.record;
        Ok(reply(NAME, context, |xml| {
            xml.text("Url", &record.name);
            xml.texts("ClientIDList", record.client_ids.iter().map(String::as_str));
            xml.texts("ThumbprintList", record.thumbprints.iter().map(String::as_str));
            xml.text("CreateDate", &record.created.iso8601_seconds());
            if !record.tags.is_empty() {
                shapes::tags(xml, &record.tags);
            }
        }))
    }
}
