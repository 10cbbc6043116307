//! RestoreIdentity: has the id of a revoked guest open again what it did.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Operator, input, management, sessions};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
};

const NAME: &str = "RestoreIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("IdentityId", Implemented)] };
const CHARS_MAX: usize = 55;

/// The input.
#[derive(Debug)]
pub struct RestoreIdentity {
    identity_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Input {
    identity_id: Option<String>,
}

impl Operation for RestoreIdentity {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::POST, "/callgate/v1/restore-identity", "callgate:RestoreIdentity")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw)?;
        Ok(Self { identity_id: input::text(input.identity_id, "IdentityId", CHARS_MAX)? })
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        sessions(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        Reply::json(StatusCode::OK, &operator.restore(context.account()?, &self.identity_id).await?)
    }
}

impl Operator {
    /// Restores an identity of the account.
    pub async fn restore(&self, account: AccountId, identity_id: &str) -> Result<Value, ApiError> {
        self.revocations.restore(account, identity_id).await?;
        Ok(json!({"IdentityId": identity_id}))
    }
}
