//! Shapes that several operations answer.

use serde_json::{Map, Value, json};

use crate::store::identity::{PoolRecord, PoolRoles};

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
