//! ListIdentities.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{input, management, pool_resource, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Identities,
};

const NAME: &str = "ListIdentities";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
        ("MaxResults", Implemented),
        ("NextToken", Implemented),
        ("HideDisabled", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct ListIdentities {
    pool: String,
    limit: u32,
    after: Option<String>,
    hide_disabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    hide_disabled: Option<bool>,
}

impl Operation for ListIdentities {
    type State = Identities;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:ListIdentities")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        Ok(Self {
            pool: input::id(input.identity_pool_id, "identityPoolId")?,
            limit: input::page_size(input::required(input.max_results, "maxResults")?)?,
            after: input::page(input.next_token)?,
            hide_disabled: input.hide_disabled.unwrap_or_default(),
        })
    }

    fn resources(&self, identities: &Identities, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(identities.pools(), context, &self.pool)?])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let page = identities
            .list(account, &self.pool, self.after.as_deref(), self.limit, self.hide_disabled)
            .await?;
        let listed: Vec<Value> = page.identities.iter().map(shapes::identity).collect();
        let mut answer = json!({"IdentityPoolId": self.pool, "Identities": listed});
        if let Some(next) = page.next {
            answer["NextToken"] = input::next_page(&next).into();
        }
        reply(&answer)
    }
}
