//! Whether an invocation's payload is JSON, and how AWS words it when it is not.
//!
//! The payload is checked once and passed on as it came; it is never turned into a tree. The words, and the column that
//! they give, are those of the Jackson parser behind AWS's service: it stands behind the bytes that it has read.

use serde_json::value::RawValue;

use crate::api::ApiError;

/// Checks that `body` is one JSON value, or empty. The error is `InvalidRequestContentException` in AWS's words; line and
/// column count from 1.
pub fn check(body: &[u8]) -> Result<(), ApiError> {
    if body.is_empty() {
        return Ok(());
    }
    // `RawValue` checks UTF-8 as well, which skipping a value without keeping it would not.
    let Err(error) = serde_json::from_slice::<&RawValue>(body) else { return Ok(()) };
    let line = line_start(body, error.line());
    let at = (line + error.column().saturating_sub(1)).min(body.len().saturating_sub(1));
    let (what, column) = match describe(body, at) {
        // A word that begins in another line than the fault would be whitespace.
        Some((what, position)) => (what, position.saturating_sub(line) + 1),
        None => (cut_position(&error.to_string()), error.column()),
    };
    Err(ApiError::bad_request(
        "InvalidRequestContentException",
        format!(
            "Could not parse request body into json: Could not parse payload into json: {what}\n at [Source: REDACTED \
             (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {column}]",
            error.line(),
        ),
    ))
}

/// Where this line begins.
fn line_start(body: &[u8], line: usize) -> usize {
    body.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum()
}

const EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// What stands there, where a value should begin, and where Jackson has read to when it says so; `None` where the fault lies
/// inside a value.
fn describe(body: &[u8], at: usize) -> Option<(String, usize)> {
    // A word that is none of JSON's: the fault is reported inside it, so look for where it begins.
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let begin = body[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let at_value = body[..begin].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    if !at_value.is_none_or(|before| matches!(before, b'[' | b',' | b':' | b'{')) {
        return None;
    }
    let rest = &body[begin..];
    let word = rest.iter().take_while(|byte| is_word(byte)).count();
    match rest.get(word) {
        Some(byte) if word > 0 && *byte >= 0x80 && !byte.is_ascii() && utf8_start(*byte).is_none() => {
            Some((format!("Invalid UTF-8 start byte 0x{byte:x}"), begin + word + 1))
        }
        _ if word > 0 && rest[0].is_ascii_alphabetic() => {
            let text: String = rest[..word.min(256)].iter().map(|byte| char::from(*byte)).collect();
            Some((format!("Unrecognized token '{text}': was expecting {EXPECTED}"), begin + word))
        }
        _ => {
            let byte = *rest.first()?;
            let shown = if byte < 0x20 || (0x7f..0xa0).contains(&byte) {
                format!("(CTRL-CHAR, code {byte})")
            } else {
                format!("'{}' (code {byte})", char::from(byte))
            };
            (!matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9')).then(|| {
                (format!("Unexpected character ({shown}): expected a valid value {EXPECTED}"), begin)
            })
        }
    }
}

/// The length of the UTF-8 sequence that begins with this byte; `None` if none does.
fn utf8_start(byte: u8) -> Option<usize> {
    match byte {
        0..=0x7f => Some(1),
        0xc2..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf4 => Some(4),
        _ => None,
    }
}

/// serde_json's message without its own position, which the caller's message gives in AWS's form.
fn cut_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: &[u8]) -> String {
        check(body).unwrap_err().message.unwrap()
    }

    #[test]
    fn json_and_nothing_pass() {
        for good in ["", "{}", "null", " [1, 2]\n", "\"text\"", "-1.5e3", r#"{"a":{"b":"ü"}}"#] {
            check(good.as_bytes()).unwrap();
        }
    }

    #[test]
    fn the_words_are_those_of_aws() {
        // Both bodies and texts are what AWS answered.
        assert_eq!(
            message(b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"),
            "Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 start byte 0x87\n at \
             [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]"
        );
        assert_eq!(
            message(b"\x99\xeb,j\x07\xa1zYh"),
            "Could not parse request body into json: Could not parse payload into json: Unexpected character ((CTRL-CHAR, \
             code 153)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at \
             [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]"
        );
        assert!(message(b"nope").contains("Unrecognized token 'nope': was expecting (JSON String"));
        assert!(message(b"<a>").contains("Unexpected character ('<' (code 60)): expected a valid value"));
        assert!(message(b"[1,\n nope]").ends_with("line: 2, column: 6]"));
    }

    #[test]
    fn faults_inside_a_value_have_a_text_too() {
        for bad in ["{", "[1,]", "{\"a\" 1}", "\"\u{1}\"", "{\"a\":1}x", "\"abc"] {
            assert!(message(bad.as_bytes()).starts_with("Could not parse request body into json: "), "{bad}");
        }
        assert!(check(b"\"\xff\"").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_as_the_json_library_judges_them(body in prop::collection::vec(any::<u8>(), 1..64)) {
            let valid = std::str::from_utf8(&body).is_ok_and(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
            // A tree also refuses numbers out of range and nesting that is too deep; bytes passed on need not.
            if valid {
                prop_assert!(check(&body).is_ok());
            } else {
                let _ = check(&body);
            }
        }
    }
}
