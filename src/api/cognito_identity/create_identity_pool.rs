//! CreateIdentityPool.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use super::{errors::invalid, input, management, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused, Stored},
        },
    },
    identity::{NewPool, Pools},
    store::identity::PoolSettings,
};

const NAME: &str = "CreateIdentityPool";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolName", Implemented),
        ("AllowUnauthenticatedIdentities", Implemented),
        ("AllowClassicFlow", Stored),
        ("SupportedLoginProviders", Refused(INSTEAD)),
        ("DeveloperProviderName", Refused(INSTEAD)),
        ("OpenIdConnectProviderARNs", Implemented),
        ("CognitoIdentityProviders", Refused(INSTEAD)),
        ("SamlProviderARNs", Refused(INSTEAD)),
        ("IdentityPoolTags", Implemented),
    ],
};
const INSTEAD: &str = "make the issuer known with iam:CreateOpenIDConnectProvider and name its ARN in OpenIdConnectProviderARNs";
/// How many providers a pool has at most; each of its logins searches them.
const PROVIDERS_MAX: usize = 50;
/// How many tags AWS lets a resource have.
const TAGS_MAX: usize = 50;

/// The input.
#[derive(Debug)]
pub struct CreateIdentityPool {
    name: String,
    settings: PoolSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_name: Option<String>,
    allow_unauthenticated_identities: Option<bool>,
    allow_classic_flow: Option<bool>,
    #[serde(rename = "OpenIdConnectProviderARNs")]
    open_id_connect_provider_arns: Option<Vec<String>>,
    identity_pool_tags: Option<BTreeMap<String, String>>,
}

impl Operation for CreateIdentityPool {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:CreateIdentityPool")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let name = input::required(input.identity_pool_name, "identityPoolName")?;
        let name = input::text(name, "identityPoolName", 128, r"[\w\s+=,.@-]+", |c| {
            c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_+=,.@-".contains(c)
        })?;
        let allow_guests =
            input::required(input.allow_unauthenticated_identities, "allowUnauthenticatedIdentities")?;
        let providers = input.open_id_connect_provider_arns.unwrap_or_default();
        if providers.len() > PROVIDERS_MAX {
            return Err(invalid(format!(
                "A pool can have at most {PROVIDERS_MAX} OpenID Connect providers."
            )));
        }
        let providers = providers
            .into_iter()
            .map(|arn| input::arn(arn, "openIdConnectProviderARNs"))
            .collect::<Result<Vec<_>, _>>()?;
        let tags = input.identity_pool_tags.unwrap_or_default();
        if tags.len() > TAGS_MAX {
            return Err(invalid(format!("A pool can have at most {TAGS_MAX} tags.")));
        }
        for (key, value) in &tags {
            input::text(key.clone(), "identityPoolTags", 128, "", |_| true)?;
            if value.chars().count() > 256 {
                return Err(invalid(format!("The value of the tag {key} is longer than 256 characters.")));
            }
        }
        let settings = PoolSettings {
            allow_guests,
            allow_classic_flow: input.allow_classic_flow,
            oidc_providers: providers,
            tags,
        };
        Ok(Self { name, settings })
    }

    fn resources(&self, _: &Pools, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let request_tags = Some(self.settings.tags.clone());
        Ok(vec![Resource { request_tags, ..Resource::named("*") }])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let ours = format!("arn:aws:iam::{account}:oidc-provider/");
        if let Some(arn) = self.settings.oidc_providers.iter().find(|arn| !arn.starts_with(&ours)) {
            return Err(invalid(format!("{arn} is no OpenID Connect provider of account {account}.")));
        }
        let pool: Arc<_> =
            pools.create(NewPool { account, name: self.name, settings: self.settings }).await?;
        reply(&shapes::identity_pool(&pool))
    }
}
