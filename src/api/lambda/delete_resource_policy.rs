//! DeleteResourcePolicy

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
pub static MEMBERS: Members = Members {
    operation: "DeleteResourcePolicy",
    members: &[("ResourceArn", Implemented), ("RevisionId", Implemented)],
};

/// Takes a resource policy away.
#[derive(Debug)]
pub struct DeleteResourcePolicy {
    named: Named,
    revision: Option<String>,
}

impl Operation for DeleteResourcePolicy {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "DeleteResourcePolicy",
            Method::DELETE,
            "/2026-07-09/resource-policy/{ResourceArn}",
            "lambda:DeleteResourcePolicy",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let revision = raw.query("RevisionId").map(str::to_owned);
        Ok(Self { named: naming::resource_arn(raw)?, revision })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        state.delete_policy(&reference, self.revision.as_deref()).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
