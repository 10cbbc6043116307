//! GetFunctionConfiguration

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, shapes::FunctionConfiguration, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "GetFunctionConfiguration",
    members: &[("FunctionName", Implemented), ("Qualifier", Implemented)],
};

/// Answers a function without its code and tags.
#[derive(Debug)]
pub struct GetFunctionConfiguration {
    named: Named,
}

impl Operation for GetFunctionConfiguration {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "GetFunctionConfiguration",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}/configuration",
            "lambda:GetFunctionConfiguration",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { named: naming::read(raw, Form::Namespaced)? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let function = state.resolve(&reference)?.function;
        let qualifier = reference.qualifier.as_deref();
        Reply::json(StatusCode::OK, &FunctionConfiguration::of(&function, qualifier, context.region))
    }
}
