//! A gateway as commands reach it.

use std::{path::Path, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_TYPE, HeaderName},
};
use serde_json::Value;
use url::Url;

use super::{
    sign::{Credentials, Scope, SignError, sign},
    xml,
};
use crate::base::clock::SharedClock;

/// A gateway, reached over HTTP.
#[derive(Debug)]
pub struct Remote {
    http: reqwest::Client,
    data: Url,
    management: Url,
    region: String,
    credentials: Option<Credentials>,
    clock: SharedClock,
}

/// Which of the gateway's doors a request goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// What apps call.
    Data,
    /// What operators call.
    Management,
}

/// A request to be sent.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) door: Door,
    /// The service's signing name.
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer with a status of success.
#[derive(Debug)]
pub struct Reply {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why a request has no answer, or not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint is no URL, or the certificate cannot be read.
    #[error("{0}")]
    Setup(String),
    /// Nobody answered.
    #[error("no answer from {url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why, down to the deepest cause.
        why: String,
    },
    /// The gateway refused.
    #[error("{operation} was refused: {code} ({status}): {message}")]
    Refused {
        /// What was asked.
        operation: String,
        /// HTTP status.
        status: StatusCode,
        /// The error's code, for example `ResourceNotFoundException`.
        code: String,
        /// The gateway's own words.
        message: String,
    },
    /// The answer is not of the expected form.
    #[error("{operation} was answered in a form that was not expected: {why}")]
    Answer {
        /// What was asked.
        operation: String,
        /// What is wrong.
        why: String,
    },
    /// The request could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl ClientError {
    /// Whether the gateway refused with this code.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

/// A function may run 15 minutes.
const ANSWER: Duration = Duration::from_secs(16 * 60);
/// No operation answers with more: a function's answer has at most 6 MiB.
const ANSWER_BYTES_MAX: usize = 16 << 20;
const CONNECT: Duration = Duration::from_secs(10);

impl Remote {
    /// A gateway with these endpoints; `certificate` is a PEM file to trust beside the system's own.
    pub fn new(
        data: &str,
        management: &str,
        region: &str,
        certificate: Option<&Path>,
        clock: SharedClock,
    ) -> Result<Self, ClientError> {
        let parse = |text: &str| {
            text.parse::<Url>()
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| ClientError::Setup(format!("{text:?} is no http or https URL")))
        };
        // Requests carry signatures for one host: no redirect, and no proxy that the environment names for others.
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER);
        if let Some(path) = certificate {
            let unusable =
                |cause: &dyn std::fmt::Display| ClientError::Setup(format!("{}: {cause}", path.display()));
            let pem = std::fs::read(path).map_err(|cause| unusable(&cause))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|cause| unusable(&cause))?;
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder.build().map_err(|cause| ClientError::Setup(deepest(&cause)))?;
        let (data, management) = (parse(data)?, parse(management)?);
        Ok(Self { http, data, management, region: region.to_owned(), credentials: None, clock })
    }

    /// The same gateway, with requests signed by these.
    #[must_use]
    pub fn signed_by(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// Sends one request and reads its answer; a status of 300 and above is an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        self.send_for(call, ANSWER_BYTES_MAX).await
    }

    /// The same, for an answer of at most so many bytes.
    pub(super) async fn send_for(&self, call: Call<'_>, bytes_max: usize) -> Result<Reply, ClientError> {
        let Call { door, service, operation, method, path, mut headers, body } = call;
        let base = match door {
            Door::Data => &self.data,
            Door::Management => &self.management,
        };
        let url = base.join(path).map_err(|cause| ClientError::Setup(format!("{path}: {cause}")))?;
        if let Some(credentials) = &self.credentials {
            let scope = Scope { region: &self.region, service, at: self.clock.now() };
            sign(&method, &url, &mut headers, &body, credentials, scope)?;
        }
        let unreachable = |cause: reqwest::Error| ClientError::Unreachable {
            url: base.as_str().to_owned(),
            why: deepest(&cause),
        };
        let request = self.http.request(method, url).headers(headers).body(body);
        let mut response = request.send().await.map_err(unreachable)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > bytes_max {
                let why = format!("it has more than {bytes_max} bytes");
                return Err(ClientError::Answer { operation: operation.to_owned(), why });
            }
            body.extend_from_slice(&chunk);
        }
        let (status, headers, body) = (response.status(), response.headers().clone(), body.freeze());
        if status.is_success() {
            return Ok(Reply { headers, body });
        }
        let (code, message) = refusal(&headers, &body);
        Err(ClientError::Refused { operation: operation.to_owned(), status, code, message })
    }

    /// An operation of a JSON 1.1 service (Cognito Identity).
    pub async fn json(
        &self,
        door: Door,
        target: &str,
        service: &str,
        input: &Value,
    ) -> Result<Value, ClientError> {
        let operation = target.rsplit('.').next().unwrap_or(target);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        let target = HeaderValue::from_str(target).map_err(SignError::from)?;
        headers.insert(HeaderName::from_static("x-amz-target"), target);
        let body = Bytes::from(input.to_string());
        let call = Call { door, service, operation, method: Method::POST, path: "/", headers, body };
        let reply = self.send(call).await?;
        parse_json(operation, &reply.body)
    }

    /// An operation of IAM or STS (query protocol); the answer is XML.
    pub async fn query(
        &self,
        service: &str,
        version: &str,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, ClientError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", operation)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let (door, method, body) = (Door::Management, Method::POST, Bytes::from(form));
        let reply = self.send(Call { door, service, operation, method, path: "/", headers, body }).await?;
        String::from_utf8(reply.body.into()).map_err(|_| ClientError::Answer {
            operation: operation.to_owned(),
            why: "it is not UTF-8".to_owned(),
        })
    }

    /// An operation of IAM.
    pub async fn iam(&self, operation: &str, parameters: &[(&str, &str)]) -> Result<String, ClientError> {
        self.query("iam", "2010-05-08", operation, parameters).await
    }
}

/// The body as JSON; an empty one is `null`.
pub(super) fn parse_json(operation: &str, body: &[u8]) -> Result<Value, ClientError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body)
        .map_err(|cause| ClientError::Answer { operation: operation.to_owned(), why: cause.to_string() })
}

/// Code and message of an error, in whichever form its protocol has.
fn refusal(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    const UNKNOWN: &str = "an error without a code";
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let member =
        |name: &str| json.as_ref().and_then(|json| json.get(name)).and_then(Value::as_str).map(str::to_owned);
    let text = std::str::from_utf8(body).unwrap_or_default();
    let code = headers
        .get("x-amzn-errortype")
        .and_then(|code| code.to_str().ok())
        .map(str::to_owned)
        .or_else(|| member("__type"))
        .or_else(|| xml::first(text, "Code"))
        .map(|code| {
            // Some forms carry a namespace before the code and an address after it.
            let code = code.rsplit('#').next().unwrap_or_default();
            code.split(':').next().unwrap_or_default().to_owned()
        })
        .unwrap_or_else(|| UNKNOWN.to_owned());
    let message = member("message")
        .or_else(|| member("Message"))
        .or_else(|| xml::first(text, "Message"))
        .unwrap_or_else(|| "the gateway gave no reason".to_owned());
    (code, message)
}

/// The deepest cause, which is the one that says something.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocols_refusal_is_understood() {
        let mut headers = HeaderMap::new();
        let xml = b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
            <Message>no role &lt;a&gt;</Message></Error></ErrorResponse>";
        assert_eq!(refusal(&headers, xml), ("NoSuchEntity".to_owned(), "no role <a>".to_owned()));
        let json = br#"{"__type":"com.amazonaws#NotAuthorizedException","message":"no"}"#;
        assert_eq!(refusal(&headers, json), ("NotAuthorizedException".to_owned(), "no".to_owned()));
        headers.insert("x-amzn-errortype", HeaderValue::from_static("ResourceNotFoundException:http://x/"));
        let json = br#"{"Type":"User","Message":"gone"}"#;
        assert_eq!(refusal(&headers, json), ("ResourceNotFoundException".to_owned(), "gone".to_owned()));
    }
}
