//! ListOpenIDConnectProviders: all of them, without pages, as on AWS.

use super::{reply, spec};
use crate::{
    api::{ApiError, Context, Operation, Raw, Reply, Resource, Spec, members::Members},
    iam::Directory,
};

const NAME: &str = "ListOpenIDConnectProviders";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[] };

/// The input: nothing.
#[derive(Debug)]
pub struct ListOpenIdConnectProviders;

impl Operation for ListOpenIdConnectProviders {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListOpenIDConnectProviders")
    }

    fn decode(_raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn resources(&self, _state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let providers = state.oidc_providers(context.account()?);
        Ok(reply(NAME, context, |xml| {
            xml.list("OpenIDConnectProviderList", providers.values(), |xml, provider| {
                xml.text("Arn", &provider.arn);
            });
        }))
    }
}
