//! GetOpenIdToken.

use serde_json::json;

use super::{input, public, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Identities, Logins},
};

const NAME: &str = "GetOpenIdToken";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("IdentityId", Implemented), ("Logins", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetOpenIdToken {
    identity: String,
    logins: Logins,
}

impl Operation for GetOpenIdToken {
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

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let given = identities.open_id_token(context.public_url, &self.identity, &self.logins).await?;
        reply(&json!({"IdentityId": given.identity_id, "Token": given.token}))
    }
}
