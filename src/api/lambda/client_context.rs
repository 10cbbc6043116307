//! The client context: what a device says of itself, as `X-Amz-Client-Context` carries it.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderName;
use serde_json::value::RawValue;

use crate::api::ApiError;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("x-amz-client-context");
/// The most bytes the header may have (AWS: "up to 3,583 bytes of base64-encoded data").
pub const ENCODED_BYTES_MAX: usize = 3583;
/// How deep it may nest, so that nobody who parses it, here or in the function, runs out of stack.
const DEPTH_MAX: usize = 64;

/// Decodes the header into the JSON object it carries, byte for byte as the client wrote it.
pub fn decode(header: &[u8]) -> Result<Bytes, ApiError> {
    if header.len() > ENCODED_BYTES_MAX {
        return Err(refused(&format!(
            "Client context must be at most {ENCODED_BYTES_MAX} bytes of base64, not {}.",
            header.len()
        )));
    }
    let json = STANDARD.decode(header).map_err(|_| not_an_object())?;
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') || is_too_deep(&json) {
        return Err(not_an_object());
    }
    serde_json::from_slice::<&RawValue>(&json).map_err(|_| not_an_object())?;
    Ok(json.into())
}

/// What the device says under a condition key of ours, in lower case; `None` if it says nothing, or the key is not one of a
/// device's. It reads the whole text each time: only policies that ask pay for it.
pub fn claim(json: &[u8], key: &str) -> Option<String> {
    let (part, member) = match key {
        "callgate:apppackagename" => ("client", "app_package_name"),
        "callgate:appversioncode" => ("client", "app_version_code"),
        "callgate:platform" => ("env", "platform"),
        "callgate:platformversion" => ("env", "platform_version"),
        "callgate:devicemodel" => ("env", "model"),
        _ => return None,
    };
    let context: serde_json::Value = serde_json::from_slice(json).ok()?;
    match context.get(part)?.get(member)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether it nests deeper than it may. Hardly any has so many brackets at all. They are counted in bytes, which a processor does
/// sixteen at a time: no chunk has more of them than a byte can count.
fn is_too_deep(json: &[u8]) -> bool {
    let brackets_of =
        |chunk: &[u8]| chunk.iter().map(|byte| u8::from(matches!(byte, b'{' | b'['))).sum::<u8>();
    let brackets: usize = json.chunks(255).map(|chunk| usize::from(brackets_of(chunk))).sum();
    brackets > DEPTH_MAX && depth(json) > DEPTH_MAX
}

/// The deepest nesting of brackets outside strings.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn not_an_object() -> ApiError {
    refused("Client context must be a valid Base64-encoded JSON object.")
}

fn refused(message: &str) -> ApiError {
    ApiError::bad_request("InvalidRequestContentException", message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(json: &str) -> Vec<u8> {
        STANDARD.encode(json).into_bytes()
    }

    #[test]
    fn an_object_comes_out_byte_for_byte() {
        for json in [r#"{}"#, r#" {"client":{"app_title":"Ü"}, "custom": {"a" : 1.0}}"#] {
            assert_eq!(decode(&encode(json)).unwrap(), json.as_bytes());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(2700));
        for bad in ["", "null", "[]", "\"a\"", "1", "{", "{}x", "{\"a\":}", &deep, &long] {
            let error = decode(&encode(bad)).unwrap_err();
            assert_eq!(error.code, "InvalidRequestContentException", "{bad}");
        }
        for bad in [&b"not base64!"[..], b"e30", b"\xff", b"e30=\n"] {
            assert!(decode(bad).is_err());
        }
        assert!(decode(&STANDARD.encode(b"{\"a\":\"\xff\"}").into_bytes()).is_err());
    }

    #[test]
    fn the_limit_is_3583_bytes_as_sent() {
        // 2,685 bytes encode to 3,580; three more would need 3,584.
        let fits = format!(r#"{{"a":"{}"}}"#, "x".repeat(2685 - 8));
        assert_eq!(encode(&fits).len(), 3580);
        decode(&encode(&fits)).unwrap();
        let over = format!(r#"{{"a":"{}"}}"#, "x".repeat(2686 - 8));
        assert_eq!(encode(&over).len(), 3584);
        assert!(decode(&encode(&over)).is_err());
    }

    proptest! {
        #[test]
        fn hostile_headers_never_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&header);
            let _ = decode(&STANDARD.encode(&header).into_bytes());
        }
    }

    #[test]
    fn claims_are_read_by_their_keys() {
        let json = br#"{"client":{"app_package_name":"com.example","app_version_code":42},"env":{"model":"One","platform":null}}"#;
        for (key, expected) in [
            ("callgate:apppackagename", Some("com.example")),
            ("callgate:appversioncode", Some("42")),
            ("callgate:devicemodel", Some("One")),
            ("callgate:platform", None),
            ("callgate:platformversion", None),
            ("callgate:signedin", None),
        ] {
            assert_eq!(claim(json, key).as_deref(), expected, "{key}");
        }
        assert_eq!(claim(b"no json", "callgate:platform"), None);
    }
}
