//! GetCredentialsForIdentity.

use serde_json::json;

use super::{input, public, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
    },
    identity::{Identities, Logins},
};

const NAME: &str = "GetCredentialsForIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityId", Implemented),
        ("Logins", Implemented),
        ("CustomRoleArn", Refused("give the pool's own roles what their users need")),
    ],
};

/// The input.
#[derive(Debug)]
pub struct GetCredentialsForIdentity {
    identity: String,
    logins: Logins,
}

impl Operation for GetCredentialsForIdentity {
    type State = Identities;

    fn spec() -> Spec {
        public(NAME)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (identity, logins) = input::identity(raw, &MEMBERS)?;
        Ok(Self { identity, logins })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, identities: &Identities, _: &Context<'_>) -> Result<Reply, ApiError> {
        let given = identities.credentials(&self.identity, &self.logins).await?;
        let credentials = given.credentials;
        let secret = credentials.secret_access_key.expose_str();
        reply(&json!({
            "IdentityId": given.identity_id,
            "Credentials": {
                "AccessKeyId": credentials.access_key_id,
                "SecretKey": secret.ok_or_else(|| ApiError::internal("a derived secret is not text"))?,
                "SessionToken": credentials.session_token,
                // JSON 1.1's timestamps are seconds, as a number.
                "Expiration": credentials.expires.seconds() as f64,
            },
        }))
    }
}
