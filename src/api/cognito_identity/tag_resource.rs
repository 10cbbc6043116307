//! TagResource.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{input, management, pool_resource, reply, settings};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{IdentityError, Pools},
    store::identity::PoolRecord,
};

const NAME: &str = "TagResource";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("ResourceArn", Implemented), ("Tags", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct TagResource {
    pool: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

impl Operation for TagResource {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:TagResource")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::pool_of_arn(input.resource_arn)?;
        let tags = input::tags(input::required(input.tags, "tags")?, "tags")?;
        Ok(Self { pool, tags })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let pool = pool_resource(pools, context, &self.pool)?;
        let pool = Resource { request_tags: Some(self.tags.clone()), ..pool };
        let hook = settings::hook_resource(&self.tags, context.account()?, context.region)?;
        Ok(std::iter::once(pool).chain(hook).collect())
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let change = |pool: &mut PoolRecord| {
            pool.settings.tags.extend(self.tags.clone());
            match pool.settings.tags.len() {
                0..=input::TAGS_MAX => Ok(()),
                _ => Err(IdentityError::TooManyPoolTags),
            }
        };
        pools.change(context.account()?, &self.pool, change).await?;
        reply(&json!({}))
    }
}
