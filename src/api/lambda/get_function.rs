//! GetFunction

use http::{Method, StatusCode};

use super::{
    BODY_BYTES_MAX,
    concurrency::Concurrency,
    naming,
    shapes::{CodeLocation, FunctionAndCode, FunctionConfiguration},
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "GetFunction",
    members: &[("FunctionName", Implemented), ("Qualifier", Implemented)],
};

/// Answers a function, its tags and where its package can be had.
#[derive(Debug)]
pub struct GetFunction {
    named: Named,
}

impl Operation for GetFunction {
    type State = Concurrency;

    fn spec() -> Spec {
        spec(
            "GetFunction",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}",
            "lambda:GetFunction",
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
        let reference = naming::locate(&self.named, context)?;
        let function = state.functions.resolve(&reference)?.function;
        let token = state.functions.make_link(&function.record.code)?;
        let answer = FunctionAndCode {
            configuration: FunctionConfiguration::of(
                &function,
                reference.qualifier.as_deref(),
                context.region,
            ),
            code: CodeLocation {
                repository_type: "S3",
                location: format!("{}/callgate/public/code/{token}", context.public_url),
            },
            tags: &function.tags,
            concurrency: state.reserved(&function),
        };
        Reply::json(StatusCode::OK, &answer)
    }
}
