//! ListIdentityPools.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{input, management, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{IdentityError, Pools},
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
        let limit = input::number(input::required(input.max_results, "maxResults")?, "maxResults", 1..=60)?;
        // A page's token is the id that the page before ended with: it tells nothing, and any other is harmless.
        let after = input
            .next_token
            .map(|token| {
                URL_SAFE_NO_PAD
                    .decode(token)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or(IdentityError::PageToken)
            })
            .transpose()?;
        Ok(Self { limit: usize::try_from(limit).unwrap_or(1), after })
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
            answer["NextToken"] = URL_SAFE_NO_PAD.encode(next).into();
        }
        reply(&answer)
    }
}
