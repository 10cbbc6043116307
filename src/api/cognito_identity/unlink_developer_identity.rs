//! UnlinkDeveloperIdentity.

use http::StatusCode;
use serde::Deserialize;

use super::{input, pool_resource, signed};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Identities,
};

const NAME: &str = "UnlinkDeveloperIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityId", Implemented),
        ("IdentityPoolId", Implemented),
        ("DeveloperProviderName", Implemented),
        ("DeveloperUserIdentifier", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct UnlinkDeveloperIdentity {
    pool: String,
    identity: String,
    provider: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_id: Option<String>,
    identity_pool_id: Option<String>,
    developer_provider_name: Option<String>,
    developer_user_identifier: Option<String>,
}

impl Operation for UnlinkDeveloperIdentity {
    type State = Identities;

    fn spec() -> Spec {
        signed(NAME, "cognito-identity:UnlinkDeveloperIdentity")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let user = input::required(input.developer_user_identifier, "developerUserIdentifier")?;
        Ok(Self {
            pool: input::id(input.identity_pool_id, "identityPoolId")?,
            identity: input::id(input.identity_id, "identityId")?,
            provider: input::developer_provider(input::required(
                input.developer_provider_name,
                "developerProviderName",
            )?)?,
            user: input::developer_user(user, "developerUserIdentifier")?,
        })
    }

    fn resources(&self, identities: &Identities, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![pool_resource(identities.pools(), context, &self.pool)?])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let login = (self.provider.as_str(), self.user.as_str());
        identities.unlink_developer_identity(context.account()?, &self.pool, &self.identity, login).await?;
        Ok(Reply::empty(StatusCode::OK))
    }
}
