//! SetPrincipalTagAttributeMap.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{errors::invalid, input, management, pool_resource, principal_tags, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{IdentityError, Pools},
    store::identity::{PoolRecord, TagMap},
};

const NAME: &str = "SetPrincipalTagAttributeMap";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
        ("IdentityProviderName", Implemented),
        ("UseDefaults", Implemented),
        ("PrincipalTags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct SetPrincipalTagAttributeMap {
    pool: String,
    provider: String,
    map: TagMap,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    identity_provider_name: Option<String>,
    use_defaults: Option<bool>,
    principal_tags: Option<BTreeMap<String, String>>,
}

impl Operation for SetPrincipalTagAttributeMap {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:SetPrincipalTagAttributeMap")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::id(input.identity_pool_id, "identityPoolId")?;
        let provider = principal_tags::provider(input.identity_provider_name)?;
        let use_defaults = input.use_defaults.unwrap_or_default();
        let tags = principal_tags::claims(input.principal_tags.unwrap_or_default())?;
        if use_defaults && !tags.is_empty() {
            return Err(invalid("PrincipalTags cannot be given where UseDefaults is true."));
        }
        Ok(Self { pool, provider, map: TagMap { use_defaults, tags } })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(pools, context, &self.pool)?])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let says_nothing = self.map == TagMap::default();
        let change = |pool: &mut PoolRecord| {
            match says_nothing {
                true => pool.tag_maps.remove(&self.provider),
                false => pool.tag_maps.insert(self.provider.clone(), self.map.clone()),
            };
            match pool.tag_maps.len() {
                0..=principal_tags::MAPS_MAX => Ok(()),
                _ => Err(IdentityError::TooManyTagMaps),
            }
        };
        let pool = pools.change(context.account()?, &self.pool, change).await?;
        reply(&shapes::tag_map(&pool, &self.provider, &self.map))
    }
}
