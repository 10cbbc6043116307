//! Reading inputs of the gateway's own operations. Unlike AWS's, they refuse members that they do not know: a scope that is
//! misspelt must not be passed over.

use serde::de::DeserializeOwned;

use crate::api::{ApiError, Raw};

/// `ValidationException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ValidationException", message)
}

/// Reads the body; an empty one is an empty object.
pub(super) fn parse<T: DeserializeOwned>(raw: &Raw<'_>) -> Result<T, ApiError> {
    let body: &[u8] = if raw.body.is_empty() { b"{}" } else { raw.body };
    serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The request's body does not have the operation's form: {error}")))
}

/// A text that must be there, of visible ASCII characters.
pub(super) fn text(value: Option<String>, member: &str, chars_max: usize) -> Result<String, ApiError> {
    match value {
        Some(text)
            if !text.is_empty()
                && text.len() <= chars_max
                && text.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(text)
        }
        Some(_) => Err(invalid(format!("{member} must have 1 to {chars_max} visible ASCII characters."))),
        None => Err(invalid(format!("{member} is missing."))),
    }
}
