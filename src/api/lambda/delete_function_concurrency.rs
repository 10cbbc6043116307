//! DeleteFunctionConcurrency

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, concurrency::Concurrency, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Named, name::Form},
    limits::{RESERVED_CONCURRENCY, Target},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "DeleteFunctionConcurrency", members: &[("FunctionName", Implemented)] };

/// Reserves nothing for a function any more.
#[derive(Debug)]
pub struct DeleteFunctionConcurrency {
    named: Named,
}

impl Operation for DeleteFunctionConcurrency {
    type State = Concurrency;

    fn spec() -> Spec {
        spec(
            "DeleteFunctionConcurrency",
            Method::DELETE,
            "/2017-10-31/functions/{FunctionName}/concurrency",
            "lambda:DeleteFunctionConcurrency",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { named: naming::read(raw, Form::Namespaced)? })
    }

    fn resources(&self, state: &Concurrency, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, &state.functions, context)?])
    }

    async fn run(self, state: &Concurrency, context: &Context<'_>) -> Result<Reply, ApiError> {
        let function = state.function(&self.named, context)?;
        let target = Target::Function(function.name.clone());
        state.limits.delete(function.account, &target, RESERVED_CONCURRENCY).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
