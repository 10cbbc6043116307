//! MergeDeveloperIdentities.

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

const NAME: &str = "MergeDeveloperIdentities";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("SourceUserIdentifier", Implemented),
        ("DestinationUserIdentifier", Implemented),
        ("DeveloperProviderName", Implemented),
        ("IdentityPoolId", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct MergeDeveloperIdentities {
    pool: String,
    provider: String,
    source: String,
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    source_user_identifier: Option<String>,
    destination_user_identifier: Option<String>,
    developer_provider_name: Option<String>,
    identity_pool_id: Option<String>,
}

impl Operation for MergeDeveloperIdentities {
    type State = Identities;

    fn spec() -> Spec {
        signed(NAME, "cognito-identity:MergeDeveloperIdentities")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let user = |user: Option<String>, member: &str| {
            input::developer_user(input::required(user, member)?, member)
        };
        Ok(Self {
            pool: input::id(input.identity_pool_id, "identityPoolId")?,
            provider: input::developer_provider(input::required(
                input.developer_provider_name,
                "developerProviderName",
            )?)?,
            source: user(input.source_user_identifier, "sourceUserIdentifier")?,
            destination: user(input.destination_user_identifier, "destinationUserIdentifier")?,
        })
    }

    fn resources(&self, identities: &Identities, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(identities.pools(), context, &self.pool)?])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let users = (self.source.as_str(), self.destination.as_str());
        let account = context.account()?;
        let id = identities.merge_developer_identities(account, &self.pool, &self.provider, users).await?;
        reply(&json!({"IdentityId": id}))
    }
}
