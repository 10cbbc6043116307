//! GetId.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{errors::invalid, input, public, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
    identity::{Identities, Logins},
};

const NAME: &str = "GetId";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("AccountId", Implemented), ("IdentityPoolId", Implemented), ("Logins", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct GetId {
    account: Option<AccountId>,
    pool: String,
    logins: Logins,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    account_id: Option<String>,
    identity_pool_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
}

impl Operation for GetId {
    type State = Identities;

    fn spec() -> Spec {
        public(NAME)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let account = input
            .account_id
            .map(|id| {
                let id = input::text(id, "accountId", 15, r"\d+", |c| c.is_ascii_digit())?;
                id.parse().map_err(|_| invalid(format!("{id} is no account: an account has 12 digits.")))
            })
            .transpose()?;
        let pool = input::id(input.identity_pool_id, "identityPoolId")?;
        Ok(Self { account, pool, logins: input::logins(input.logins)? })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        if self.logins.is_empty() {
            identities.admit_guest(context.source, &self.pool)?;
        }
        let id = identities.get_id(self.account, &self.pool, &self.logins).await?;
        reply(&json!({"IdentityId": id}))
    }
}
