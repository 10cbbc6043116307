//! What the operations on concurrency work on and answer.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::naming;
use crate::{
    api::{ApiError, Context},
    functions::{Function, FunctionError, Functions, Named, name::LATEST},
    limits::{LimitError, Limits},
};

/// Functions and their limits.
pub struct Concurrency {
    /// The functions.
    pub functions: Arc<Functions>,
    /// The limits.
    pub limits: Arc<Limits>,
}

const UNQUALIFIED: &str = "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
                           operation. Please specify either a function name or an unqualified function ARN.";

impl Concurrency {
    /// The function that a request names, which must not name a version of it.
    pub(super) fn function(&self, named: &Named, context: &Context<'_>) -> Result<Arc<Function>, ApiError> {
        let reference = naming::locate(named, context)?;
        if reference.qualifier.is_some() {
            return Err(ApiError::bad_request("InvalidParameterValueException", UNQUALIFIED));
        }
        self.functions
            .find(reference.account, &reference.name)
            .ok_or_else(|| FunctionError::NotFound(format!("{}:{LATEST}", reference.arn())).into())
    }

    /// `Concurrency` of a function, and the answer of what puts and gets it; nothing is said where nothing is reserved.
    pub(super) fn reserved(&self, function: &Function) -> Json {
        match self.limits.reserved(function.account, &function.name) {
            Some(units) => json!({"ReservedConcurrentExecutions": units}),
            None => json!({}),
        }
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        let code = match &error {
            LimitError::Invalid(_) | LimitError::Unreserved { .. } | LimitError::Reserved { .. } => {
                "InvalidParameterValueException"
            }
            LimitError::NotFound(_) => {
                let status = http::StatusCode::NOT_FOUND;
                return Self::new(status, "ResourceNotFoundException", error.to_string());
            }
            LimitError::Full => "LimitExceededException",
            LimitError::Store(_) => return Self::internal(error),
        };
        Self::bad_request(code, error.to_string())
    }
}
