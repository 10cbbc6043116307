//! What an operation answers when it succeeds.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::ApiError;

/// A successful answer, already in its service's form.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// The body's type; `None` for an empty body.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// JSON with this status. The edge sets the content type's flavour for JSON 1.1 services.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
        Ok(Self { status, content_type: Some("application/json"), headers: Vec::new(), body: body.into() })
    }

    /// XML with status 200, as the query protocol answers.
    pub fn xml(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: Some("text/xml"),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, headers: Vec::new(), body: Bytes::new() }
    }
}
