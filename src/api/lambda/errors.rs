//! The errors of Lambda. The rules:
//!
//! - Faults of pattern, length or enumeration are `ValidationException`, which carries its message alone.
//! - Every other 4xx that the model has carries `Type: "User"` beside it.
//! - The message stands in `message`, but for the few errors of [`message_member`].
//! - What the gateway failed at itself is an internal error, whose cause goes to the log alone.

use http::StatusCode;

use crate::{
    api::ApiError,
    functions::{FunctionError, package::PackageError, validation::Violations},
};

/// The member in which an error of Lambda carries its message.
pub fn message_member(code: &str) -> &'static str {
    if matches!(code, "ResourceNotFoundException" | "ServiceException") { "Message" } else { "message" }
}

/// An error of the caller that the model has.
pub(super) fn user(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(status, code, message).with_member("Type", "User")
}

/// `InvalidParameterValueException`
pub(super) fn parameter(message: impl Into<String>) -> ApiError {
    user(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
}

/// `SerializationException`: the body is JSON but a value has the wrong type.
pub(super) fn serialization(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("SerializationException", message)
}

/// `InvalidRequestContentException`: the body is no JSON.
pub(super) fn no_json(error: &serde_json::Error) -> ApiError {
    user(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContentException",
        format!("Could not parse request body into json: {error}"),
    )
}

/// `RequestEntityTooLargeException`
pub(super) fn too_large(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message)
}

impl From<Violations> for ApiError {
    fn from(violations: Violations) -> Self {
        Self::bad_request("ValidationException", violations.to_string())
    }
}

impl From<FunctionError> for ApiError {
    fn from(error: FunctionError) -> Self {
        let message = error.to_string();
        match error {
            FunctionError::Invalid(violations) => violations.into(),
            FunctionError::Parameter(_) => parameter(message),
            FunctionError::NotFound(_) | FunctionError::Missing(_) | FunctionError::WrongRegion { .. } => {
                user(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
            }
            FunctionError::OtherAccount => Self {
                // AWS sends a null here.
                message: None,
                ..user(StatusCode::FORBIDDEN, "AccessDeniedException", message)
            },
            FunctionError::ForeignRole => user(StatusCode::FORBIDDEN, "AccessDeniedException", message),
            FunctionError::Exists(_) | FunctionError::Busy(_) | FunctionError::Conflict(_) => {
                user(StatusCode::CONFLICT, "ResourceConflictException", message)
            }
            FunctionError::PolicyTooLong { .. } => {
                user(StatusCode::BAD_REQUEST, "PolicyLengthExceededException", message)
            }
            FunctionError::StaleRevision | FunctionError::StalePolicy => {
                user(StatusCode::PRECONDITION_FAILED, "PreconditionFailedException", message)
            }
            FunctionError::TooLarge(_) => too_large(message),
            FunctionError::Package(error) => package(&error),
            FunctionError::Store(error) => Self::internal(error),
            FunctionError::Keys(error) => Self::internal(error),
        }
    }
}

fn package(error: &PackageError) -> ApiError {
    if !error.is_refusal() {
        return ApiError::internal(error);
    }
    let refused = parameter(error.to_string());
    match error {
        PackageError::Corrupt(why) => {
            ApiError { cause: Some(format!("a corrupt package: {why}")), ..refused }
        }
        _ => refused,
    }
}
