//! DeleteIdentityPool.

use http::StatusCode;

use super::{input, management, pool_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
};

const NAME: &str = "DeleteIdentityPool";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("IdentityPoolId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteIdentityPool {
    pool: String,
}

impl Operation for DeleteIdentityPool {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:DeleteIdentityPool")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { pool: input::pool(raw, &MEMBERS)? })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(pools, context, &self.pool)?])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        pools.delete(context.account()?, &self.pool).await?;
        Ok(Reply::empty(StatusCode::OK))
    }
}
