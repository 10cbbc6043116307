//! PutLimit: gives an account, a function or a pool another limit than the general one.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    Operator, input,
    limit_input::{self, Amount, Which},
    management,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
    limits::Override,
};

const NAME: &str = "PutLimit";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("AccountId", Implemented),
        ("FunctionName", Implemented),
        ("IdentityPoolId", Implemented),
        ("Limit", Implemented),
        ("Rate", Implemented),
        ("Per", Implemented),
        ("Burst", Implemented),
        ("Concurrency", Implemented),
    ],
};

/// The input: which limit of what, and a rate or a concurrency.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutLimit {
    /// The account, 12 digits; the caller's own if left out.
    pub account_id: Option<String>,
    /// A function of it, by name.
    pub function_name: Option<String>,
    /// An identity pool of it, by id.
    pub identity_pool_id: Option<String>,
    /// The limit's name.
    pub limit: Option<String>,
    /// Requests in each period.
    pub rate: Option<u32>,
    /// `second`, `minute`, `hour` or `day`; `second` if left out.
    pub per: Option<String>,
    /// Requests at once after a rest; as many as the rate if left out.
    pub burst: Option<u32>,
    /// Executions at a time.
    pub concurrency: Option<u32>,
}

impl PutLimit {
    /// The limit that is meant. `own` is the caller's account.
    fn read(&self, own: AccountId) -> Result<Override, ApiError> {
        let which = Which {
            account_id: self.account_id.clone(),
            function_name: self.function_name.clone(),
            identity_pool_id: self.identity_pool_id.clone(),
            limit: self.limit.clone(),
        };
        let amount = Amount {
            rate: self.rate,
            per: self.per.clone(),
            burst: self.burst,
            concurrency: self.concurrency,
        };
        let (account, target, limit) = which.read(own)?;
        Ok(Override { account, target, limit: limit.into(), value: amount.read()? })
    }
}

impl Operation for PutLimit {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::POST, "/callgate/v1/put-limit", "callgate:PutLimit")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Self = input::parse(raw)?;
        // That it is one can be told before the account is known.
        input.read(AccountId::DEFAULT)?;
        Ok(input)
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        limit_input::limits(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        limit_input::check_operator(context)?;
        Reply::json(StatusCode::OK, &operator.put_limit(context.account()?, &self).await?)
    }
}

impl Operator {
    /// Sets the limit that the input names.
    pub async fn put_limit(&self, own: AccountId, input: &PutLimit) -> Result<Json, ApiError> {
        let limit = input.read(own)?;
        self.limits.put(limit.clone()).await?;
        Ok(limit_input::shown(&limit))
    }
}
