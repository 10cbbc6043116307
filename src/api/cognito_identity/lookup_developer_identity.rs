//! LookupDeveloperIdentity.

use serde::Deserialize;
use serde_json::json;

use super::{input, pool_resource, reply, signed};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Identities,
};

const NAME: &str = "LookupDeveloperIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
        ("IdentityId", Implemented),
        ("DeveloperUserIdentifier", Implemented),
        ("MaxResults", Implemented),
        ("NextToken", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct LookupDeveloperIdentity {
    pool: String,
    identity: Option<String>,
    user: Option<String>,
    limit: u32,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    identity_id: Option<String>,
    developer_user_identifier: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Operation for LookupDeveloperIdentity {
    type State = Identities;

    fn spec() -> Spec {
        signed(NAME, "cognito-identity:LookupDeveloperIdentity")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let user = input.developer_user_identifier;
        Ok(Self {
            pool: input::id(input.identity_pool_id, "identityPoolId")?,
            identity: input.identity_id.map(|id| input::id(Some(id), "identityId")).transpose()?,
            user: user.map(|user| input::developer_user(user, "developerUserIdentifier")).transpose()?,
            limit: input::page_size(input.max_results.unwrap_or(60))?,
            after: input::page(input.next_token)?,
        })
    }

    fn resources(&self, identities: &Identities, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(identities.pools(), context, &self.pool)?])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let found = identities
            .lookup_developer_identity(
                context.account()?,
                &self.pool,
                (self.identity.as_deref(), self.user.as_deref()),
                self.after.as_deref(),
                usize::try_from(self.limit).unwrap_or(usize::MAX),
            )
            .await?;
        let mut answer = json!({"IdentityId": found.identity_id, "DeveloperUserIdentifierList": found.users});
        if let Some(next) = found.next {
            answer["NextToken"] = input::next_page(&next).into();
        }
        reply(&answer)
    }
}
