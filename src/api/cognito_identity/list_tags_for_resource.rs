//! ListTagsForResource.

use serde::Deserialize;
use serde_json::json;

use super::{input, management, pool_resource, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
};

const NAME: &str = "ListTagsForResource";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("ResourceArn", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct ListTagsForResource {
    pool: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: Option<String>,
}

impl Operation for ListTagsForResource {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:ListTagsForResource")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        Ok(Self { pool: input::pool_of_arn(input.resource_arn)? })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(pools, context, &self.pool)?])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let pool = pools.get(context.account()?, &self.pool)?;
        reply(&json!({"Tags": pool.settings.tags}))
    }
}
