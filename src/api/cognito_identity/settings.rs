//! How a pool is set, as CreateIdentityPool and UpdateIdentityPool take it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    errors::{invalid, unsupported},
    input,
};
use crate::{
    api::{
        ApiError, Resource,
        members::Support::{self, Implemented, Refused},
    },
    authn::oidc::known,
    base::{AccountId, Region},
    functions::name,
    identity::{IdentityError, MERGE_HOOK_TAG},
    store::identity::{PoolRecord, PoolSettings, UserPoolClient},
};

/// What becomes of the members that say how a pool is set, in both operations.
pub(super) const OPEN_ID_PROVIDERS: (&str, Support) = ("OpenIdConnectProviderARNs", Implemented);
pub(super) const LOGIN_PROVIDERS: (&str, Support) = ("SupportedLoginProviders", Implemented);
pub(super) const COGNITO_PROVIDERS: (&str, Support) = ("CognitoIdentityProviders", Implemented);
pub(super) const SAML_PROVIDERS: (&str, Support) = ("SamlProviderARNs", Refused(INSTEAD));
const INSTEAD: &str = "put an OpenID Connect provider in front of it, make that known with iam:CreateOpenIDConnectProvider and name its ARN in OpenIdConnectProviderARNs";
/// How many providers a pool has at most; each of its logins searches them.
const PROVIDERS_MAX: usize = 50;
/// How many providers a pool supports by name at most (the service model).
const LOGIN_PROVIDERS_MAX: usize = 10;
/// The longest name and the longest client id of a provider (the service model).
const CHARS_MAX: usize = 128;

/// The input of both operations; the id is the second's alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    pub(super) identity_pool_id: Option<String>,
    identity_pool_name: Option<String>,
    allow_unauthenticated_identities: Option<bool>,
    allow_classic_flow: Option<bool>,
    developer_provider_name: Option<String>,
    supported_login_providers: Option<BTreeMap<String, String>>,
    cognito_identity_providers: Option<Vec<UserPool>>,
    #[serde(rename = "OpenIdConnectProviderARNs")]
    open_id_connect_provider_arns: Option<Vec<String>>,
    pub(super) identity_pool_tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserPool {
    provider_name: Option<String>,
    client_id: Option<String>,
    server_side_token_check: Option<bool>,
}

impl UserPool {
    fn check(self) -> Result<UserPoolClient, ApiError> {
        if self.server_side_token_check == Some(true) {
            return Err(unsupported(
                "CognitoIdentityProviders.ServerSideTokenCheck",
                "leave it out; `callgate sessions revoke` ends the sessions of a user at once",
            ));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = input::required(self.provider_name, "providerName")?;
        let client = input::required(self.client_id, "clientId")?;
        Ok(UserPoolClient {
            provider_name: input::text(name, "providerName", CHARS_MAX, r"[\w._:/-]+", |c| {
                is_word(c) || matches!(c, '.' | ':' | '/' | '-')
            })?,
            client_id: input::text(client, "clientId", CHARS_MAX, r"[\w_]+", is_word)?,
        })
    }
}

/// The providers that a pool supports by name: those that can be verified.
fn check_login_providers(named: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    if named.len() > LOGIN_PROVIDERS_MAX {
        return Err(invalid(format!("A pool can support at most {LOGIN_PROVIDERS_MAX} providers by name.")));
    }
    let check = |(name, ids): (String, String)| {
        known::check_name(&name).map_err(|refused| invalid(refused.to_string()))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ';' | '_' | '/' | '-');
        let ids = input::text(ids, "supportedLoginProviders", CHARS_MAX, r"[\w.;_/-]+", allowed)?;
        Ok((name, ids))
    };
    named.into_iter().map(check).collect()
}

impl Input {
    /// The pool's name and how it is to be set.
    pub(super) fn check(self) -> Result<(String, PoolSettings), ApiError> {
        let name = input::required(self.identity_pool_name, "identityPoolName")?;
        let name = input::text(name, "identityPoolName", 128, r"[\w\s+=,.@-]+", |c| {
            c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_+=,.@-".contains(c)
        })?;
        let allow_guests =
            input::required(self.allow_unauthenticated_identities, "allowUnauthenticatedIdentities")?;
        let oidc_providers = self.open_id_connect_provider_arns.unwrap_or_default();
        if oidc_providers.len() > PROVIDERS_MAX {
            return Err(invalid(format!(
                "A pool can have at most {PROVIDERS_MAX} OpenID Connect providers."
            )));
        }
        let oidc_providers = oidc_providers
            .into_iter()
            .map(|arn| input::arn(arn, "openIdConnectProviderARNs"))
            .collect::<Result<Vec<_>, _>>()?;
        let user_pools = self.cognito_identity_providers.unwrap_or_default();
        if user_pools.len() > PROVIDERS_MAX {
            return Err(invalid(format!("A pool can have at most {PROVIDERS_MAX} clients of user pools.")));
        }
        let user_pools = user_pools.into_iter().map(UserPool::check).collect::<Result<Vec<_>, _>>()?;
        // An empty one, as some clients send it, is none.
        let developer_provider = self.developer_provider_name.filter(|name| !name.is_empty());
        let developer_provider = developer_provider.map(input::developer_provider).transpose()?;
        let settings = PoolSettings {
            allow_guests,
            allow_classic_flow: self.allow_classic_flow,
            oidc_providers,
            login_providers: check_login_providers(self.supported_login_providers.unwrap_or_default())?,
            user_pools,
            developer_provider,
            tags: input::tags(self.identity_pool_tags.unwrap_or_default(), "identityPoolTags")?,
        };
        Ok((name, settings))
    }
}

/// Refuses providers of other accounts, and a developer provider of another's name.
pub(super) fn check_providers(account: AccountId, settings: &PoolSettings) -> Result<(), ApiError> {
    let ours = format!("arn:aws:iam::{account}:oidc-provider/");
    if let Some(arn) = settings.oidc_providers.iter().find(|arn| !arn.starts_with(&ours)) {
        return Err(invalid(format!("{arn} is no OpenID Connect provider of account {account}.")));
    }
    // The users of one would be taken for those of the other.
    let same = settings
        .developer_provider
        .as_ref()
        .and_then(|name| settings.oidc_providers.iter().find(|arn| arn.strip_prefix(&ours) == Some(name)));
    match same {
        Some(arn) => Err(invalid(format!("The developer provider has the name of the provider {arn}."))),
        None => Ok(()),
    }
}

/// The right to call the function that tags name as the pool's merge hook: otherwise who may tag a pool could have any run.
pub(super) fn hook_resource(
    tags: &BTreeMap<String, String>,
    account: AccountId,
    region: &Region,
) -> Result<Option<Resource>, ApiError> {
    let Some(function) = tags.get(MERGE_HOOK_TAG) else { return Ok(None) };
    let is_name = (1..=64).contains(&function.len()) && function.bytes().all(name::is_word);
    if !is_name {
        return Err(invalid(format!(
            "{function} at {MERGE_HOOK_TAG} is not the name of a function of the pool's account."
        )));
    }
    let arn = name::arn(region, account, function);
    Ok(Some(Resource { action: Some("lambda:InvokeFunction"), ..Resource::named(arn) }))
}

/// Puts these settings in place of a pool's, but for what is kept where nothing is said of it.
pub(super) fn replace(
    pool: &mut PoolRecord,
    name: &str,
    settings: &PoolSettings,
    has_tags: bool,
) -> Result<(), IdentityError> {
    let old = std::mem::replace(&mut pool.settings, settings.clone());
    pool.name = name.to_owned();
    if !has_tags {
        pool.settings.tags = old.tags;
    }
    match (&old.developer_provider, &settings.developer_provider) {
        (Some(old), Some(new)) if old != new => Err(IdentityError::DeveloperProviderSet),
        (old, None) => {
            pool.settings.developer_provider.clone_from(old);
            Ok(())
        }
        _ => Ok(()),
    }
}
