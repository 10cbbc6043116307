//! What an operation answers when it refuses.
//!
//! The rules: an error has a code from the service's model, a message a person can act on, and a status. Whose fault it is
//! follows from the status and is the metric's label. A private cause is logged once, where the reply is written, and
//! never sent. The edge alone turns an error into bytes, each protocol in its own form.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::Service;
use crate::{base::OverLimit, store::StoreError};

/// A refusal, before a protocol gives it its form.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// The error's code, without a namespace, for example `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    /// What is wrong and what to do, for the client; `None` where AWS sends a null message.
    pub message: Option<String>,
    /// Further members of the error's body, such as `Type` and `Reason`.
    pub members: Vec<(&'static str, Value)>,
    /// Further headers, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log only.
    pub cause: Option<String>,
    /// The limit that it was over. The edge says it in headers.
    pub over: Option<Box<OverLimit>>,
}

impl ApiError {
    /// A refusal with this status, code and message.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: Some(message.into()),
            members: Vec::new(),
            headers: Vec::new(),
            cause: None,
            over: None,
        }
    }

    /// Over a limit: 429. By its model Cognito's TooManyRequestsException is 400; **ours**: 429, as for every limit.
    pub fn throttled(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        over: OverLimit,
    ) -> Self {
        Self { over: Some(Box::new(over)), ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, message) }
    }

    /// 400 with this code.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// What is not implemented is refused by name: `what is not supported by Callgate: instead`.
    pub fn unsupported(what: &str, instead: &str) -> Self {
        Self::bad_request(
            "InvalidParameterValueException",
            format!("{what} is not supported by Callgate: {instead}"),
        )
    }

    /// Something failed that the client cannot mend; `cause` goes to the log alone. The edge gives it the code of its
    /// service (`ServiceException` for Lambda, `InternalErrorException` for Cognito, `ServiceFailure` for IAM and STS).
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                INTERNAL,
                "An internal error occurred; see the gateway's log.",
            )
        }
    }

    /// Policy does not permit it: 403, and the edge gives it the code of its service.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, DENIED, message)
    }

    /// The same with the status and the code that this service has for it, where it was made without knowing the service.
    #[must_use]
    pub fn worded(mut self, service: Service) -> Self {
        if self.code == INTERNAL {
            self.code = service.internal_error().into();
        } else if self.code == DENIED {
            let (status, code) = service.access_denied();
            (self.status, self.code) = (status, code.into());
        }
        self
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Adds a cause, for the log alone.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The code that stands for each service's own word for an internal error until the edge puts that in.
pub const INTERNAL: &str = "InternalFailure";
/// The code that stands for each service's own word for a denial until the edge puts that in.
pub const DENIED: &str = "AccessDenied";

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}
