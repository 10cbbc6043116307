//! PutFunctionConcurrency

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, body::Body, concurrency::Concurrency, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{FunctionError, Named, name::Form, validation::Violations},
    limits::{Override, RESERVED_CONCURRENCY, Target, Value},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "PutFunctionConcurrency",
    members: &[("FunctionName", Implemented), ("ReservedConcurrentExecutions", Implemented)],
};

/// More than any account has (`limits.account_concurrency`).
const UNITS_MAX: i64 = 1_000_000;

/// Reserves executions of the account for a function: it has no more and no fewer.
#[derive(Debug)]
pub struct PutFunctionConcurrency {
    named: Named,
    units: u32,
}

impl Operation for PutFunctionConcurrency {
    type State = Concurrency;

    fn spec() -> Spec {
        spec(
            "PutFunctionConcurrency",
            Method::PUT,
            "/2017-10-31/functions/{FunctionName}/concurrency",
            "lambda:PutFunctionConcurrency",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let named = naming::read(raw, Form::Namespaced)?;
        let body = Body::read(raw.body, &MEMBERS)?;
        let mut violations = Violations::default();
        let units = body.number("ReservedConcurrentExecutions")?;
        match units {
            Some(units) => violations.range(units, "reservedConcurrentExecutions", 0, UNITS_MAX),
            None => violations.missing("reservedConcurrentExecutions"),
        }
        violations.into_result().map_err(FunctionError::from)?;
        Ok(Self { named, units: u32::try_from(units.unwrap_or_default()).unwrap_or(u32::MAX) })
    }

    fn resources(&self, state: &Concurrency, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, &state.functions, context)?])
    }

    async fn run(self, state: &Concurrency, context: &Context<'_>) -> Result<Reply, ApiError> {
        let function = state.function(&self.named, context)?;
        let limit = Override {
            account: function.account,
            target: Target::Function(function.name.clone()),
            limit: RESERVED_CONCURRENCY.into(),
            value: Value::Concurrency(self.units),
        };
        state.limits.put(limit).await?;
        Reply::json(StatusCode::OK, &state.reserved(&function))
    }
}
