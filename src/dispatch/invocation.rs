//! What is run, and what came of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::cancel::Cancel;
use crate::base::{CallerIdentity, ColdStart, RequestId};

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The request's id, which is the invocation's too.
    pub id: RequestId,
    /// JSON, or empty.
    pub payload: Bytes,
    /// The function's ARN as the caller named it.
    pub invoked_arn: String,
    /// The identity that the caller's credentials came from.
    pub identity: Option<Arc<CallerIdentity>>,
    /// The client context's JSON, byte for byte as the client wrote it.
    pub client_context: Option<Bytes>,
    /// Whether the answer is to carry the end of the log.
    pub log_tail: bool,
    /// Until when it is wanted.
    pub terms: Terms,
}

/// Until when an invocation is wanted.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// When its client gives up, on the monotonic clock. What has not begun by then is never started, and what has is over.
    pub client_deadline: Option<Duration>,
    /// By which somebody may ask it to stop.
    pub cancel: Option<Arc<Cancel>>,
    /// Whether its caller's leaving asks it to stop. Else it runs on.
    pub leaving_cancels: bool,
}

/// Whose words a function's error is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionError {
    /// The function gave an error as its result (runtime `nodejs` alone; later ones say `Unhandled` for this too).
    Handled,
    /// An error escaped the function, or the runtime failed.
    Unhandled,
    /// It was told to stop. That is nobody's fault, though its caller is told in the form of an error.
    Cancelled,
}

impl FunctionError {
    /// As `X-Amz-Function-Error` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "Handled",
            Self::Unhandled | Self::Cancelled => "Unhandled",
        }
    }
}

/// What came of an invocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The function's JSON, or that of the error.
    pub payload: Bytes,
    /// Set when the payload is an error.
    pub function_error: Option<FunctionError>,
    /// The version that ran.
    pub version: Arc<str>,
    /// The last 4 KiB of the log, if they were asked for.
    pub log_tail: Option<Vec<u8>>,
    /// Why its sandbox had to be made, if it was the first in it.
    pub cold: Option<ColdStart>,
}

/// The JSON that stands beside the payload in an INVOKE frame (docs/frame-protocol.md).
pub fn meta(invocation: &Invocation) -> Vec<u8> {
    let context = invocation.client_context.as_deref().unwrap_or_default();
    let mut meta = Vec::with_capacity(256 + context.len());
    meta.extend_from_slice(br#"{"invokedFunctionArn":"#);
    string(&mut meta, &invocation.invoked_arn);
    if let Some(identity) = &invocation.identity {
        meta.extend_from_slice(br#","identity":{"cognitoIdentityId":"#);
        string(&mut meta, &identity.identity_id);
        meta.extend_from_slice(br#","cognitoIdentityPoolId":"#);
        string(&mut meta, &identity.pool_id);
        meta.extend_from_slice(br#"},"callgate":{"signedIn":"#);
        meta.extend_from_slice(if identity.signed_in() { b"true" } else { b"false" });
        meta.extend_from_slice(br#","logins":["#);
        for (at, login) in identity.logins.iter().enumerate() {
            separate(&mut meta, at);
            string(&mut meta, login);
        }
        meta.extend_from_slice(br#"],"principalTags":{"#);
        for (at, (tag, value)) in identity.principal_tags.iter().enumerate() {
            separate(&mut meta, at);
            string(&mut meta, tag);
            meta.push(b':');
            string(&mut meta, value);
        }
        meta.extend_from_slice(b"}}");
    }
    if !context.is_empty() {
        meta.extend_from_slice(br#","clientContext":"#);
        meta.extend_from_slice(context);
    }
    meta.push(b'}');
    meta
}

fn separate(json: &mut Vec<u8>, at: usize) {
    if at > 0 {
        json.push(b',');
    }
}

fn string(json: &mut Vec<u8>, text: &str) {
    if serde_json::to_writer(&mut *json, text).is_err() {
        // Writing a string into memory cannot fail; an empty one keeps the JSON whole all the same.
        json.extend_from_slice(b"\"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;

    fn invocation() -> Invocation {
        Invocation {
            id: RequestId::draw(&SeededRng::new(1)),
            payload: Bytes::new(),
            invoked_arn: "arn:aws:lambda:us-east-1:000000000000:function:greet".to_owned(),
            identity: None,
            client_context: None,
            log_tail: false,
            terms: Terms::default(),
        }
    }

    #[test]
    fn without_identity_and_context_neither_appears() {
        assert_eq!(
            String::from_utf8(meta(&invocation())).unwrap(),
            r#"{"invokedFunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:greet"}"#
        );
    }

    #[test]
    fn identity_and_context_stand_as_they_were_verified_and_sent() {
        let identity = CallerIdentity {
            pool_id: "us-east-1:pool".to_owned(),
            identity_id: "us-east-1:\"id\"".to_owned(),
            logins: vec!["a.example".to_owned(), "b.example".to_owned()],
            principal_tags: [("tier".to_owned(), "gold".to_owned())].into(),
            ..CallerIdentity::default()
        };
        let invocation = Invocation {
            identity: Some(Arc::new(identity)),
            client_context: Some(Bytes::from_static(br#"{ "custom" : {"a":1.0} }"#)),
            ..invocation()
        };
        let text = String::from_utf8(meta(&invocation)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["identity"]["cognitoIdentityId"], "us-east-1:\"id\"");
        assert_eq!(json["callgate"]["signedIn"], true);
        assert_eq!(json["callgate"]["logins"][1], "b.example");
        assert_eq!(json["callgate"]["principalTags"]["tier"], "gold");
        assert!(text.ends_with(r#","clientContext":{ "custom" : {"a":1.0} }}"#), "{text}");
    }
}
