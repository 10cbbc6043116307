//! Each way a request can be refused before its operation runs, as its client sees it.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
    request::Parts,
};

use super::{body::BodyError, routes::essence};
use crate::{
    api::{ApiError, Protocol, Service},
    authn::{AuthnError, Family},
    dispatch::DispatchError,
    quota::Throttled,
};

/// The header that names the limit which refused.
pub const LIMIT: HeaderName = HeaderName::from_static("x-callgate-limit");

/// Over a limit: 429 with the reason, the bucket's name and when to come back (contract §5).
pub fn throttled(service: Service, over: &Throttled) -> ApiError {
    let (code, message) = match service {
        Service::Lambda | Service::CognitoIdentity | Service::Callgate => {
            ("TooManyRequestsException", "Rate Exceeded.")
        }
        Service::Sts | Service::Iam => ("Throttling", "Rate exceeded"),
    };
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, message)
        .with_header(RETRY_AFTER, seconds(over.retry_after));
    let error = match HeaderValue::from_str(&over.limit) {
        Ok(limit) => error.with_header(LIMIT, limit),
        Err(_) => error,
    };
    match service {
        Service::Lambda | Service::Callgate => {
            error.with_member("Reason", over.reason.as_str()).with_member("Type", "User")
        }
        Service::CognitoIdentity | Service::Sts | Service::Iam => error,
    }
}

/// Too many of something at once: 429 with this reason, of the limit with this name.
pub fn too_many(reason: &'static str, limit: &'static str) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.")
        .with_member("Reason", reason)
        .with_header(RETRY_AFTER, seconds(Duration::from_secs(1)))
        .with_header(LIMIT, HeaderValue::from_static(limit))
}

/// Whole seconds, rounded up, at least one: what `Retry-After` can say.
fn seconds(wait: Duration) -> HeaderValue {
    let rounded = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(rounded.max(1))
}

/// The caller did not prove who they are.
pub fn authn(service: Service, error: &AuthnError) -> ApiError {
    let family = match service.protocol() {
        Protocol::RestJson => Family::RestJson,
        Protocol::Json => Family::Json,
        Protocol::Query => Family::Query,
    };
    let (status, code) = error.answer(family);
    ApiError::new(status, code, error.to_string())
}

/// A body that was not read.
pub fn body(service: Service, operation: &str, max: usize, error: &BodyError) -> ApiError {
    match error {
        BodyError::TooLarge { announced: Some(length) } if operation == "Invoke" => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            format!(
                "{length} byte payload is too large for the RequestResponse invocation type (limit {max} bytes)"
            ),
        ),
        BodyError::TooLarge { .. } => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            if operation == "Invoke" { "RequestTooLargeException" } else { "RequestEntityTooLargeException" },
            format!("Request must be smaller than {max} bytes for the {operation} operation"),
        ),
        BodyError::TooSlow => ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeoutException",
            "The request's body did not arrive in time: send it faster, or in a smaller piece.",
        ),
        BodyError::OverBudget => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            match service {
                Service::Lambda | Service::Callgate => "ServiceUnavailableException",
                Service::CognitoIdentity | Service::Sts | Service::Iam => "ServiceUnavailable",
            },
            "The gateway holds as many bytes of requests as it may: try again in a moment.",
        )
        .with_header(RETRY_AFTER, seconds(Duration::from_secs(1))),
        BodyError::Broken(_) => ApiError::bad_request(
            match service {
                Service::Lambda | Service::Callgate => "InvalidRequestContentException",
                Service::CognitoIdentity => "SerializationException",
                Service::Sts | Service::Iam => "MalformedInput",
            },
            "The request's body ended before it was whole.",
        ),
    }
}

/// A body of a type that the operation's protocol does not have. A missing type passes, as it does on AWS.
pub fn content_type(service: Service, operation: &str, head: &Parts) -> Result<(), ApiError> {
    let Some(kind) = head.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = essence(kind.to_str().unwrap_or("?")).to_ascii_lowercase();
    let fits = match service.protocol() {
        Protocol::RestJson => matches!(
            kind.as_str(),
            "" | "application/json"
                | "application/octet-stream"
                // What the AWS SDKs for Java and Android of 2015 call every body.
                | "binary/octet-stream"
                | "text/plain"
                | "application/x-amz-json-1.1"
                | "application/x-amz-json-1.0"
        ),
        Protocol::Json => matches!(
            kind.as_str(),
            "application/x-amz-json-1.1" | "application/x-amz-json-1.0" | "application/json"
        ),
        Protocol::Query => true,
    };
    if fits {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaTypeException",
        format!("{operation} takes JSON, not a body of type {}.", kind.chars().take(64).collect::<String>()),
    ))
}

/// The function was not run.
pub fn dispatch(error: DispatchError) -> ApiError {
    match error {
        DispatchError::Saturated(why) => {
            too_many("ConcurrentInvocationLimitExceeded", "sandbox.sandboxes_max").with_cause(why)
        }
        DispatchError::ShuttingDown => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailableException",
            "The gateway is shutting down: try again in a moment.",
        )
        .with_header(RETRY_AFTER, seconds(Duration::from_secs(1))),
        DispatchError::Sandbox(_) => ApiError::internal(error),
    }
}
