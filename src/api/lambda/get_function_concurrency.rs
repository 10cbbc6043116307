//! GetFunctionConcurrency

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, concurrency::Concurrency, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "GetFunctionConcurrency", members: &[("FunctionName", Implemented)] };

/// Answers what is reserved for a function.
#[derive(Debug)]
pub struct GetFunctionConcurrency {
    named: Named,
}

impl Operation for GetFunctionConcurrency {
    type State = Concurrency;

    fn spec() -> Spec {
        spec(
            "GetFunctionConcurrency",
            Method::GET,
            "/2019-09-30/functions/{FunctionName}/concurrency",
            "lambda:GetFunctionConcurrency",
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
        Reply::json(StatusCode::OK, &state.reserved(&function))
    }
}
