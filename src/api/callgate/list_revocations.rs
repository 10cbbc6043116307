//! ListRevocations: what the account has revoked.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Operator, management, sessions};
use crate::{
    api::{ApiError, Context, Operation, Raw, Reply, Resource, Spec, members::Members},
    base::AccountId,
};

const NAME: &str = "ListRevocations";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[] };
/// How many are answered, the newest first.
const ANSWERED_MAX: usize = 1000;

/// The input: nothing.
#[derive(Debug)]
pub struct ListRevocations;

impl Operation for ListRevocations {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::GET, "/callgate/v1/revocations", "callgate:ListRevocations")
    }

    fn decode(_: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        sessions(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        Reply::json(StatusCode::OK, &operator.listed(context.account()?).await?)
    }
}

impl Operator {
    /// What the account has revoked, the newest first.
    pub async fn listed(&self, account: AccountId) -> Result<Value, ApiError> {
        let mut records = self.revocations.list(account).await?;
        records.sort_by_key(|record| std::cmp::Reverse(record.not_before));
        let shown = records.iter().take(ANSWERED_MAX).map(|record| {
            json!({
                "Scope": record.scope,
                "NotBefore": record.not_before.iso8601_millis(),
                "Ends": record.ends.map(|ends| ends.iso8601_millis()),
            })
        });
        Ok(json!({"Revocations": shown.collect::<Vec<_>>(), "Total": records.len()}))
    }
}
