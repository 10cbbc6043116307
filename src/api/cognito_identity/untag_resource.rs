//! UntagResource.

use serde::Deserialize;
use serde_json::json;

use super::{input, management, pool_resource, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
    store::identity::PoolRecord,
};

const NAME: &str = "UntagResource";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("ResourceArn", Implemented), ("TagKeys", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct UntagResource {
    pool: String,
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

impl Operation for UntagResource {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:UntagResource")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::pool_of_arn(input.resource_arn)?;
        let keys = input::required(input.tag_keys, "tagKeys")?
            .into_iter()
            .map(|key| input::text(key, "tagKeys", 128, "", |_| true))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { pool, keys })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let keys = self.keys.iter().map(|key| (key.clone(), String::new())).collect();
        Ok(vec![Resource { request_tags: Some(keys), ..pool_resource(pools, context, &self.pool)? }])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let change = |pool: &mut PoolRecord| {
            pool.settings.tags.retain(|key, _| !self.keys.contains(key));
            Ok(())
        };
        pools.change(context.account()?, &self.pool, change).await?;
        reply(&json!({}))
    }
}
