//! GetOpenIdTokenForDeveloperIdentity.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::json;

use super::{
    input::{self, number},
    pool_resource, principal_tags, reply, signed,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{DeveloperTokenRequest, Identities, developer::LIFETIME},
};

const NAME: &str = "GetOpenIdTokenForDeveloperIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
        ("IdentityId", Implemented),
        ("Logins", Implemented),
        ("PrincipalTags", Implemented),
        ("TokenDuration", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct GetOpenIdTokenForDeveloperIdentity {
    pool: String,
    request: DeveloperTokenRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
    principal_tags: Option<BTreeMap<String, String>>,
    token_duration: Option<i64>,
}

impl Operation for GetOpenIdTokenForDeveloperIdentity {
    type State = Identities;

    fn spec() -> Spec {
        signed(NAME, "cognito-identity:GetOpenIdTokenForDeveloperIdentity")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::id(input.identity_pool_id, "identityPoolId")?;
        let identity_id = input.identity_id.map(|id| input::id(Some(id), "identityId")).transpose()?;
        let lifetime = match input.token_duration {
            Some(seconds) => number(seconds, "tokenDuration", 1..=86_400)?,
            None => LIFETIME.as_secs().try_into().unwrap_or(1),
        };
        let request = DeveloperTokenRequest {
            pool_id: pool.clone(),
            identity_id,
            logins: input::logins(Some(input::required(input.logins, "logins")?))?,
            principal_tags: principal_tags::values(input.principal_tags.unwrap_or_default())?,
            lifetime: Duration::from_secs(lifetime.unsigned_abs()),
        };
        Ok(Self { pool, request })
    }

    fn resources(&self, identities: &Identities, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(identities.pools(), context, &self.pool)?])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let given = identities.developer_token(context.public_url, account, self.request).await?;
        reply(&json!({"IdentityId": given.identity_id, "Token": given.token}))
    }
}
