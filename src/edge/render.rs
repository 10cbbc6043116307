//! Answers in the bytes of their protocol: the one place where a refusal becomes a body.

use axum::body::Body;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Map, Value};

use crate::{
    api::{ApiError, Protocol, Reply, Service, lambda::errors::message_member},
    base::{OverLimit, RequestId},
};

/// The header that carries the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(super) const LIMIT: HeaderName = HeaderName::from_static("x-callgate-limit");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// A successful answer.
pub fn reply(service: Service, reply: Reply, id: RequestId) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    if let Some(kind) = reply.content_type {
        let kind = if service.protocol() == Protocol::Json { "application/x-amz-json-1.1" } else { kind };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.extend(reply.headers);
    insert_request_id(headers, id);
    response
}

/// A refusal, already in the words of its service.
pub fn refusal(service: Service, error: ApiError, id: RequestId) -> Response<Body> {
    let (kind, body) = match service.protocol() {
        Protocol::RestJson => ("application/json", rest_json(&error)),
        Protocol::Json => ("application/x-amz-json-1.1", json(&error)),
        Protocol::Query => ("text/xml", query(service, &error, id)),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = error.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        headers.insert(ERROR_TYPE, code);
    }
    headers.extend(error.headers);
    if let Some(over) = &error.over {
        insert_limit(headers, over);
    }
    insert_request_id(headers, id);
    response
}

/// Which limit it was and when to come back: `Retry-After`, our own header, and the fields of
/// draft-ietf-httpapi-ratelimit-headers-10, which are structured fields (RFC 9651): lists of names with parameters. `q` is how
/// much there is, `w` the window in seconds in which that much comes back, `qu` its unit where it is not requests, `r` what
/// is left, `t` the seconds until more is.
fn insert_limit(headers: &mut HeaderMap, over: &OverLimit) {
    let OverLimit { name, quota, .. } = over;
    let seconds = over.retry_seconds();
    let policy = match over.window_seconds() {
        Some(window) => format!("\"{name}\";q={quota};w={window}"),
        None => format!("\"{name}\";q={quota};qu=\"concurrent-requests\""),
    };
    let left = format!("\"{name}\";r=0;t={seconds}");
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    for (header, value) in [(LIMIT, &**name), (RATE_LIMIT_POLICY, &policy), (RATE_LIMIT, &left)] {
        // Names of limits are words of ASCII; what is not could not be sent, and the answer goes without it.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(header, value);
        }
    }
}

/// Puts the request's id where AWS's SDKs look for it.
pub fn insert_request_id(headers: &mut HeaderMap, id: RequestId) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = uuid::Uuid::from_bytes(*id.as_bytes()).hyphenated().encode_lower(&mut text);
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        headers.insert(REQUEST_ID, value);
    }
    debug_assert!(!headers.contains_key(CONTENT_LENGTH), "hyper sets the length");
}

/// Lambda: `Type` beside the message.
fn rest_json(error: &ApiError) -> Vec<u8> {
    let mut body = Map::new();
    for (name, value) in &error.members {
        body.insert((*name).to_owned(), value.clone());
    }
    if error.code != "ValidationException" && !body.contains_key("Type") {
        let kind = if error.status.is_server_error() { "Service" } else { "User" };
        body.insert("Type".to_owned(), kind.into());
    }
    let message = error.message.clone().map_or(Value::Null, Value::String);
    body.insert(message_member(&error.code).to_owned(), message);
    Value::Object(body).to_string().into_bytes()
}

fn json(error: &ApiError) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("__type".to_owned(), error.code.as_ref().into());
    body.insert("message".to_owned(), error.message.clone().map_or(Value::Null, Value::String));
    for (name, value) in &error.members {
        body.insert((*name).to_owned(), value.clone());
    }
    Value::Object(body).to_string().into_bytes()
}

fn query(service: Service, error: &ApiError, id: RequestId) -> Vec<u8> {
    let kind = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
    format!(
        "<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{kind}</Type>\n    <Code>{}</Code>\n    <Message>{}</Message>\n  \
         </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n",
        service.xml_namespace(),
        escape(&error.code),
        escape(error.message.as_deref().unwrap_or_default()),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use http_body_util::BodyExt;

    use super::*;
    use crate::base::rng::SeededRng;

    async fn rendered(service: Service, error: ApiError) -> String {
        let response = refusal(service, error.worded(service), RequestId::draw(&SeededRng::new(1)));
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let kind = head.headers.get("x-amzn-errortype").unwrap().to_str().unwrap().to_owned();
        format!("{} {kind} {}", head.status.as_u16(), std::str::from_utf8(&body).unwrap())
    }

    #[tokio::test]
    async fn each_protocol_has_its_error_form() {
        let error = || ApiError::bad_request("SomeException", "a <b>");
        insta::assert_snapshot!(rendered(Service::Lambda, error()).await, @r#"400 SomeException {"Type":"User","message":"a <b>"}"#);
        insta::assert_snapshot!(rendered(Service::CognitoIdentity, error()).await, @r#"400 SomeException {"__type":"SomeException","message":"a <b>"}"#);
        assert!(rendered(Service::Iam, error()).await.contains("<Message>a &lt;b&gt;</Message>"));
    }

    #[test]
    fn a_refusal_over_a_limit_names_it_and_says_when_to_come_back() {
        let headers = |over: OverLimit| {
            let error = ApiError::throttled("TooManyRequestsException", "Rate Exceeded.", over);
            assert_eq!(error.status, StatusCode::TOO_MANY_REQUESTS);
            let response = refusal(Service::Lambda, error, RequestId::draw(&SeededRng::new(1)));
            ["retry-after", "x-callgate-limit", "ratelimit-policy", "ratelimit"]
                .map(|name| response.headers().get(name).unwrap().to_str().unwrap().to_owned())
        };
        let (window, retry_after) = (Duration::from_millis(2500), Duration::from_millis(1200));
        assert_eq!(
            headers(OverLimit { name: "each".into(), quota: 100, window: Some(window), retry_after }),
            ["2", "each", "\"each\";q=100;w=3", "\"each\";r=0;t=2"]
        );
        assert_eq!(
            headers(OverLimit::at_once("account_concurrency", 90)),
            [
                "1",
                "account_concurrency",
                "\"account_concurrency\";q=90;qu=\"concurrent-requests\"",
                "\"account_concurrency\";r=0;t=1"
            ]
        );
    }

    #[tokio::test]
    async fn a_missing_function_has_a_capital_message() {
        let error =
            ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", "Function not found: x");
        insta::assert_snapshot!(rendered(Service::Lambda, error).await, @r#"404 ResourceNotFoundException {"Message":"Function not found: x","Type":"User"}"#);
    }

    #[tokio::test]
    async fn a_denial_takes_its_services_status_and_word() {
        let told = async |service| rendered(service, ApiError::denied("no")).await;
        assert!(told(Service::Lambda).await.starts_with("403 AccessDeniedException {"));
        assert!(told(Service::CognitoIdentity).await.starts_with("400 AccessDeniedException {"));
        for service in [Service::Iam, Service::Sts] {
            let text = told(service).await;
            assert!(
                text.starts_with("403 AccessDenied <") && text.contains("<Code>AccessDenied</Code>"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn an_internal_error_takes_its_services_word_and_keeps_its_cause_to_itself() {
        let text = rendered(Service::Lambda, ApiError::internal("disk on fire")).await;
        assert!(text.starts_with("500 ServiceException "), "{text}");
        assert!(!text.contains("fire"), "{text}");
    }
}
