//! DeleteLimit: has the general limit hold again for an account, a function or a pool.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::{
    Operator, input,
    limit_input::{self, Which},
    management, not_found,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
};

const NAME: &str = "DeleteLimit";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("AccountId", Implemented),
        ("FunctionName", Implemented),
        ("IdentityPoolId", Implemented),
        ("Limit", Implemented),
    ],
};

/// The input: which limit of what.
#[derive(Debug)]
pub struct DeleteLimit(Which);

impl Operation for DeleteLimit {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::POST, "/callgate/v1/delete-limit", "callgate:DeleteLimit")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let which: Which = input::parse(raw)?;
        which.read(AccountId::DEFAULT)?;
        Ok(Self(which))
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        limit_input::limits(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        limit_input::check_operator(context)?;
        Reply::json(StatusCode::OK, &operator.delete_limit(context.account()?, &self.0).await?)
    }
}

impl Operator {
    /// Takes back the limit that is named.
    pub async fn delete_limit(&self, own: AccountId, which: &Which) -> Result<Json, ApiError> {
        let (account, target, limit) = which.read(own)?;
        if self.limits.delete(account, &target, &limit).await? {
            return Ok(json!({}));
        }
        Err(not_found(format!("No {limit} is set for that: ListLimits says what is.")))
    }
}
