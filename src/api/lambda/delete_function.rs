//! DeleteFunction

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, errors::parameter, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{
        Functions, Named,
        name::{Form, LATEST, is_alias},
    },
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "DeleteFunction",
    members: &[("FunctionName", Implemented), ("Qualifier", Implemented)],
};

/// Deletes a function. Deleting a version that is not there succeeds, as on AWS.
#[derive(Debug)]
pub struct DeleteFunction {
    named: Named,
}

impl Operation for DeleteFunction {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "DeleteFunction",
            Method::DELETE,
            "/2015-03-31/functions/{FunctionName}",
            "lambda:DeleteFunction",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let named = naming::read(raw, Form::Namespaced)?;
        match named.qualifier.as_deref() {
            Some(LATEST) => {
                Err(parameter("$LATEST version cannot be deleted without deleting the function."))
            }
            Some(alias) if is_alias(alias) => {
                Err(parameter("Deletion of aliases is not currently supported."))
            }
            _ => Ok(Self { named }),
        }
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        match &reference.qualifier {
            Some(version) => state.delete_version(&reference, version).await?,
            None => state.delete(&reference).await?,
        }
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
