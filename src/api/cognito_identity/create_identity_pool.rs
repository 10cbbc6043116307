//! CreateIdentityPool.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{
    errors::{invalid, unsupported},
    input, management, reply, shapes,
};
use crate::{
    api::{ApiError, Context, Operation, Raw, Reply, Resource, Spec, support::Support},
    identity::{NewPool, Pools},
    store::identity::PoolSettings,
};

pub(super) const NAME: &str = "CreateIdentityPool";
pub(super) const MEMBERS: &[(&str, Support)] = &[
    ("IdentityPoolName", Support::Implemented),
    ("AllowUnauthenticatedIdentities", Support::Implemented),
    ("AllowClassicFlow", Support::Stored),
    ("SupportedLoginProviders", Support::Refused),
    ("DeveloperProviderName", Support::Refused),
    ("OpenIdConnectProviderARNs", Support::Implemented),
    ("CognitoIdentityProviders", Support::Refused),
    ("SamlProviderARNs", Support::Refused),
    ("IdentityPoolTags", Support::Implemented),
];
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
    supported_login_providers: Option<Value>,
    developer_provider_name: Option<Value>,
    #[serde(rename = "OpenIdConnectProviderARNs")]
    open_id_connect_provider_arns: Option<Vec<String>>,
    cognito_identity_providers: Option<Value>,
    #[serde(rename = "SamlProviderARNs")]
    saml_provider_arns: Option<Value>,
    identity_pool_tags: Option<BTreeMap<String, String>>,
}

/// Whether a member that is not implemented says anything: some clients send empty lists for what they leave out.
fn is_given(member: Option<&Value>) -> bool {
    match member {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(_) => true,
    }
}

impl Input {
    fn refuse_what_is_not_there(&self) -> Result<(), ApiError> {
        const OIDC: &str = "make the issuer known with iam:CreateOpenIDConnectProvider and name its ARN in OpenIdConnectProviderARNs";
        for (name, member) in [
            ("SupportedLoginProviders", &self.supported_login_providers),
            ("DeveloperProviderName", &self.developer_provider_name),
            ("CognitoIdentityProviders", &self.cognito_identity_providers),
            ("SamlProviderARNs", &self.saml_provider_arns),
        ] {
            if is_given(member.as_ref()) {
                return Err(unsupported(name, OIDC));
            }
        }
        Ok(())
    }
}

impl Operation for CreateIdentityPool {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:CreateIdentityPool")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw)?;
        input.refuse_what_is_not_there()?;
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
