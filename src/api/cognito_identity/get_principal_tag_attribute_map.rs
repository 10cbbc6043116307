//! GetPrincipalTagAttributeMap.

use serde::Deserialize;

use super::{input, management, pool_resource, principal_tags, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
};

const NAME: &str = "GetPrincipalTagAttributeMap";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("IdentityPoolId", Implemented), ("IdentityProviderName", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct GetPrincipalTagAttributeMap {
    pool: String,
    provider: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    identity_provider_name: Option<String>,
}

impl Operation for GetPrincipalTagAttributeMap {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:GetPrincipalTagAttributeMap")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::id(input.identity_pool_id, "identityPoolId")?;
        Ok(Self { pool, provider: principal_tags::provider(input.identity_provider_name)? })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(pools, context, &self.pool)?])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let pool = pools.get(context.account()?, &self.pool)?;
        let map = pool.tag_maps.get(&self.provider).cloned().unwrap_or_default();
        reply(&shapes::tag_map(&pool, &self.provider, &map))
    }
}
