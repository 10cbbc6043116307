//! Shapes that several operations answer.

use serde_json::{Map, Value, json};

use crate::store::identity::{Ambiguous, Chosen, IdentityRecord, PoolRecord, PoolRoles, TagMap};

/// `IdentityPool`. As AWS does, lists that are empty are left out.
pub(super) fn identity_pool(pool: &PoolRecord) -> Value {
    let settings = &pool.settings;
    let mut shape = json!({
        "IdentityPoolId": pool.id,
        "IdentityPoolName": pool.name,
        "AllowUnauthenticatedIdentities": settings.allow_guests,
        "IdentityPoolTags": settings.tags,
    });
    if let Some(allow) = settings.allow_classic_flow {
        shape["AllowClassicFlow"] = allow.into();
    }
    if let Some(name) = &settings.developer_provider {
        shape["DeveloperProviderName"] = name.clone().into();
    }
    if !settings.login_providers.is_empty() {
        shape["SupportedLoginProviders"] = json!(settings.login_providers);
    }
    if !settings.user_pools.is_empty() {
        let clients = settings.user_pools.iter().map(|client| {
            json!({
                "ProviderName": client.provider_name, "ClientId": client.client_id, "ServerSideTokenCheck": false,
            })
        });
        shape["CognitoIdentityProviders"] = clients.collect::<Vec<_>>().into();
    }
    if !settings.oidc_providers.is_empty() {
        shape["OpenIdConnectProviderARNs"] = settings.oidc_providers.clone().into();
    }
    shape
}

/// `RolesMap`.
pub(super) fn roles(roles: &PoolRoles) -> Value {
    let named = [("authenticated", &roles.authenticated), ("unauthenticated", &roles.unauthenticated)];
    let named = named.into_iter().filter_map(|(name, arn)| Some((name.to_owned(), arn.clone()?.into())));
    Value::Object(named.collect::<Map<_, _>>())
}

/// `RoleMappingMap`.
pub(super) fn role_mappings(roles: &PoolRoles) -> Value {
    let shaped = roles.mappings.iter().map(|(provider, mapping)| {
        let ambiguous = match mapping.ambiguous {
            Ambiguous::AuthenticatedRole => "AuthenticatedRole",
            Ambiguous::Deny => "Deny",
        };
        let shape = match &mapping.chosen {
            Chosen::ByToken => json!({"Type": "Token", "AmbiguousRoleResolution": ambiguous}),
            Chosen::ByRules(rules) => {
                let rules: Vec<Value> = rules
                    .iter()
                    .map(|rule| {
                        json!({
                            "Claim": rule.claim, "MatchType": rule.matches, "Value": rule.value,
                            "RoleARN": rule.role,
                        })
                    })
                    .collect();
                json!({
                    "Type": "Rules", "AmbiguousRoleResolution": ambiguous,
                    "RulesConfiguration": {"Rules": rules},
                })
            }
        };
        (provider.clone(), shape)
    });
    Value::Object(shaped.collect())
}

/// `IdentityDescription`, and ours: who it was merged into.
pub(super) fn identity(identity: &IdentityRecord) -> Value {
    let mut providers: Vec<&str> = identity.logins.iter().map(|login| login.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    let mut shape = json!({
        "IdentityId": identity.id,
        "Logins": providers,
        // JSON 1.1's timestamps are seconds, as a number.
        "CreationDate": identity.born.seconds() as f64,
        "LastModifiedDate": identity.modified.seconds() as f64,
    });
    if let Some(merged) = &identity.merged {
        shape["MergedInto"] = merged.into.clone().into();
    }
    shape
}

/// The answer about a provider's map of principal tags.
pub(super) fn tag_map(pool: &PoolRecord, provider: &str, map: &TagMap) -> Value {
    json!({
        "IdentityPoolId": pool.id,
        "IdentityProviderName": provider,
        "UseDefaults": map.use_defaults,
        "PrincipalTags": map.tags,
    })
}
