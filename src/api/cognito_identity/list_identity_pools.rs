//! ListIdentityPools.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{input, management, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
};

const NAME: &str = "ListIdentityPools";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("MaxResults", Implemented), ("NextToken", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct ListIdentityPools {
    limit: usize,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Operation for ListIdentityPools {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:ListIdentityPools")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let limit = input::page_size(input::required(input.max_results, "maxResults")?)?;
        let after = input::page(input.next_token)?;
        Ok(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), after })
    }

    fn resources(&self, _: &Pools, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let page = pools.list(context.account()?, self.after.as_deref(), self.limit);
        let listed: Vec<Value> = page
            .pools
            .iter()
            .map(|pool| json!({"IdentityPoolId": pool.id, "IdentityPoolName": pool.name}))
            .collect();
        let mut answer = json!({ "IdentityPools": listed });
        if let Some(next) = page.next {
            answer["NextToken"] = input::next_page(&next).into();
        }
        reply(&answer)
    }
}
