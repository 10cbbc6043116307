//! GetAccountSettings

use http::{Method, StatusCode};
use serde_json::json;

use super::{BODY_BYTES_MAX, concurrency::Concurrency, spec};
use crate::{
    api::{ApiError, Context, Operation, Raw, Reply, Resource, Spec, members::Members},
    functions::package::{UNZIPPED_BYTES_MAX, ZIPPED_BYTES_MAX},
};

/// The members of its input.
pub static MEMBERS: Members = Members { operation: "GetAccountSettings", members: &[] };

/// Answers the account's limits and what it has of functions.
#[derive(Debug)]
pub struct GetAccountSettings;

impl Operation for GetAccountSettings {
    type State = Concurrency;

    fn spec() -> Spec {
        spec(
            "GetAccountSettings",
            Method::GET,
            "/2016-08-19/account-settings",
            "lambda:GetAccountSettings",
            BODY_BYTES_MAX,
        )
    }

    fn decode(_: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn resources(&self, _: &Concurrency, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        // As AWS defines the action, without a resource.
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, state: &Concurrency, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let (all, unreserved) = state.limits.concurrency(account);
        let (functions, code_bytes) = state.functions.usage(account);
        // AWS says here how much code there may be in all; nothing limits that here.
        Reply::json(
            StatusCode::OK,
            &json!({
                "AccountLimit": {
                    "CodeSizeUnzipped": UNZIPPED_BYTES_MAX,
                    "CodeSizeZipped": ZIPPED_BYTES_MAX,
                    "ConcurrentExecutions": all,
                    "UnreservedConcurrentExecutions": unreserved,
                },
                "AccountUsage": {"TotalCodeSize": code_bytes, "FunctionCount": functions},
            }),
        )
    }
}
