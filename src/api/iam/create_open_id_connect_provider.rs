//! CreateOpenIDConnectProvider.

use super::{
    constraints::{CLIENT_ID, TAG_KEY, TAG_VALUE, THUMBPRINT, URL},
    reply, shapes, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Stored},
        },
        query::{Fields, Form},
    },
    iam::{Directory, NewOidcProvider, role},
};

const NAME: &str = "CreateOpenIDConnectProvider";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("Url", Implemented),
        ("ClientIDList", Implemented),
        ("ThumbprintList", Stored),
        ("Tags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct CreateOpenIdConnectProvider {
    provider: NewOidcProvider,
}

impl Operation for CreateOpenIdConnectProvider {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreateOpenIDConnectProvider")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let provider = NewOidcProvider {
            url: fields.text("Url", &URL),
            client_ids: fields.texts("ClientIDList", &CLIENT_ID),
            thumbprints: fields.texts("ThumbprintList", &THUMBPRINT),
            tags: fields.tags("Tags", &TAG_KEY, &TAG_VALUE),
        };
        fields.finish()?;
        Ok(Self { provider })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let url = &self.provider.url;
        let name = url.split_once("://").map_or(url.as_str(), |(_, name)| name);
        let arn = role::oidc_provider_arn(context.account()?, name);
        if self.provider.tags.is_empty() {
            return Ok(vec![Resource::named(arn)]);
        }
        let tagged = Resource { request_tags: Some(self.provider.tags.clone()), ..Resource::named(arn) };
        // As with roles: making is one permission, choosing tags another.
        Ok(vec![tagged.clone(), Resource { action: Some("iam:TagOpenIDConnectProvider"), ..tagged }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let provider = state.create_oidc_provider(context.account()?, self.provider).await?;
        Ok(reply(NAME, context, |xml| {
            xml.text("OpenIDConnectProviderArn", &provider.arn);
            if !provider.tags.is_empty() {
                shapes::tags(xml, &provider.tags);
            }
        }))
    }
}
