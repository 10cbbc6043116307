//! GetCredentialsForIdentity.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{input, public, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Identities, Logins},
};

const NAME: &str = "GetCredentialsForIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("IdentityId", Implemented), ("Logins", Implemented), ("CustomRoleArn", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct GetCredentialsForIdentity {
    identity: String,
    logins: Logins,
    custom_role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
    custom_role_arn: Option<String>,
}

impl Operation for GetCredentialsForIdentity {
    type State = Identities;

    fn spec() -> Spec {
        public(NAME)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        Ok(Self {
            identity: input::id(input.identity_id, "identityId")?,
            logins: input::logins(input.logins)?,
            custom_role: input.custom_role_arn.map(|arn| input::arn(arn, "customRoleArn")).transpose()?,
        })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, identities: &Identities, _: &Context<'_>) -> Result<Reply, ApiError> {
        let given = identities.credentials(&self.identity, &self.logins, self.custom_role.as_deref()).await?;
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
