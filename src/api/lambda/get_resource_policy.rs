//! GetResourcePolicy

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "GetResourcePolicy", members: &[("ResourceArn", Implemented)] };

/// Answers a resource policy.
#[derive(Debug)]
pub struct GetResourcePolicy {
    named: Named,
}

impl Operation for GetResourcePolicy {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "GetResourcePolicy",
            Method::GET,
            "/2026-07-09/resource-policy/{ResourceArn}",
            "lambda:GetResourcePolicy",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self { named: naming::resource_arn(raw)? })
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
