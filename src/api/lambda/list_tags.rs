//! ListTags

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, spec, tags};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named},
};

/// The members of its input.
pub static MEMBERS: Members = Members { operation: "ListTags", members: &[("Resource", Implemented)] };

/// Answers a function's tags.
#[derive(Debug)]
pub struct ListTags {
    named: Named,
}

impl Operation for ListTags {
    type State = Functions;

    fn spec() -> Spec {
        spec("ListTags", Method::GET, "/2017-03-31/tags/{Resource}", "lambda:ListTags", BODY_BYTES_MAX)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { named: tags::resource(raw.path("Resource"))? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let function = state.resolve(&reference)?.function;
        Reply::json(StatusCode::OK, &serde_json::json!({ "Tags": *function.tags }))
    }
}
