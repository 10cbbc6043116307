//! GetPolicy

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "GetPolicy", members: &[("FunctionName", Implemented), ("Qualifier", Implemented)] };

/// Answers the resource policy of a function, version or alias.
#[derive(Debug)]
pub struct GetPolicy {
    named: Named,
}

impl Operation for GetPolicy {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "GetPolicy",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}/policy",
            "lambda:GetPolicy",
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
        let stored = state.policy(&reference)?;
        let answer = serde_json::json!({ "Policy": stored.policy, "RevisionId": stored.revision });
        Reply::json(StatusCode::OK, &answer)
    }
}
