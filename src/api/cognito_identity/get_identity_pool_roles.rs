//! GetIdentityPoolRoles.

use serde_json::json;

use super::{input, management, pool_resource, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
};

const NAME: &str = "GetIdentityPoolRoles";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("IdentityPoolId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetIdentityPoolRoles {
    pool: String,
}

impl Operation for GetIdentityPoolRoles {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:GetIdentityPoolRoles")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { pool: input::pool(raw, &MEMBERS)? })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(pools, context, &self.pool)?])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let pool = pools.get(context.account()?, &self.pool)?;
        let mut answer = json!({"IdentityPoolId": pool.id, "Roles": shapes::roles(&pool.roles)});
        if !pool.roles.mappings.is_empty() {
            answer["RoleMappings"] = shapes::role_mappings(&pool.roles);
        }
        reply(&answer)
    }
}
