//! Whether an invocation's payload is JSON, and how AWS words it when it is not.
//!
//! The payload is checked once and passed on as it came; it is never turned into a tree.

use serde_json::value::RawValue;

use crate::api::ApiError;

/// Checks that `body` is one JSON value, or empty. The error is `InvalidRequestContentException` in AWS's words, which are
/// those of the Jackson parser behind its service; line and column count from 1.
pub fn check(body: &[u8]) -> Result<(), ApiError> {
    if body.is_empty() {
        return Ok(());
    }
    // `RawValue` checks UTF-8 as well, which skipping a value without keeping it would not.
    let Err(error) = serde_json::from_slice::<&RawValue>(body) else { return Ok(()) };
    let at = offset(body, error.line(), error.column());
    let what = describe(body, at).unwrap_or_else(|| cut_position(&error.to_string()));
    Err(ApiError::bad_request(
        "InvalidRequestContentException",
        format!(
            "Could not parse request body into json: Could not parse payload into json: {what}\n at [line: {}, column: {}]",
            error.line(),
            error.column()
        ),
    ))
}

/// The byte that a line and a column of serde_json's mean: the last one it read.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let start = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    (start + column.saturating_sub(1)).min(body.len().saturating_sub(1))
}

const EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// What stands there, where a value should begin; `None` where the fault lies inside a value.
fn describe(body: &[u8], at: usize) -> Option<String> {
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
            Some(format!("Invalid UTF-8 start byte 0x{byte:x}"))
        }
        _ if word > 0 && rest[0].is_ascii_alphabetic() => {
            let text: String = rest[..word.min(256)].iter().map(|byte| char::from(*byte)).collect();
            Some(format!("Unrecognized token '{text}': was expecting {EXPECTED}"))
        }
        _ => {
            let byte = *rest.first()?;
            let shown = if byte < 0x20 || (0x7f..0xa0).contains(&byte) {
                format!("(CTRL-CHAR, code {byte})")
            } else {
                format!("'{}' (code {byte})", char::from(byte))
            };
            (!matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9'))
                .then(|| format!("Unexpected character ({shown}): expected a valid value {EXPECTED}"))
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
        // Both bodies and texts are what AWS answered, without the tail that names the source.
        assert!(message(b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt").starts_with(
            "Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 start byte 0x87\n"
        ));
        assert!(message(b"\x99\xeb,j\x07\xa1zYh").contains(
            "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or \
             token 'null', 'true' or 'false')\n"
        ));
        assert!(message(b"nope").contains("Unrecognized token 'nope': was expecting (JSON String"));
        assert!(message(b"<a>").contains("Unexpected character ('<' (code 60)): expected a valid value"));
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
