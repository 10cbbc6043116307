//! The compact form of a signed token (RFC 7515 §7.1), taken apart before any key is looked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{strict_json, verifier::TokenError};

/// The longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// The longest `kid`, in bytes: it is a key into a map, and goes into log lines.
const KEY_ID_BYTES_MAX: usize = 256;

/// A token whose signature nobody has checked yet.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    /// With which algorithm it says it is signed. Symmetric ones and `none` do not get this far.
    pub(super) algorithm: Algorithm,
    /// With which key.
    pub(super) key_id: Option<String>,
    /// What is signed: header and payload as they came.
    pub(super) message: &'a [u8],
    /// The signature, in base64url.
    pub(super) signature: &'a str,
    payload: &'a str,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart. Of the header only `alg`, `kid`, `typ` and `crit` are read: `jku`, `x5u`, `jwk` and `x5c`, by which
    /// a token would bring its own key, mean nothing here.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLarge);
        }
        let malformed = |_| TokenError::Malformed;
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(malformed)?;
        let header = strict_json::parse_object(&header).map_err(|_| TokenError::Malformed)?;
        // Refused before a key is looked up, so that the same text that is decoded here is decoded there.
        URL_SAFE_NO_PAD.decode(signature).map_err(malformed)?;
        if header.contains_key("crit") {
            return Err(TokenError::CriticalHeader);
        }
        match header.get("typ") {
            None => {}
            // An access token (`at+jwt`), a logout token or one of our own invoke tokens is not an ID token.
            Some(Value::String(typ))
                if ["jwt", "jws"].iter().any(|known| typ.eq_ignore_ascii_case(known)) => {}
            Some(_) => return Err(TokenError::Type),
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= KEY_ID_BYTES_MAX => Some(kid.clone()),
            Some(_) => return Err(TokenError::Malformed),
        };
        Ok(Self {
            algorithm: algorithm(header.get("alg"))?,
            key_id,
            message: message.as_bytes(),
            signature,
            payload,
        })
    }

    /// The claims. To be called when the signature has been found good.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| TokenError::Malformed)?;
        strict_json::parse_object(&payload).map_err(|_| TokenError::Malformed)
    }
}

/// The `kid` of a token whose signature nobody has checked.
#[cfg(test)]
pub(crate) fn key_id(token: &str) -> Result<Option<String>, TokenError> {
    Ok(Unverified::parse(token)?.key_id)
}

/// The algorithms that are verified: RSA (both paddings), ECDSA on P-256 and P-384, Ed25519.
fn algorithm(named: Option<&Value>) -> Result<Algorithm, TokenError> {
    match named.and_then(Value::as_str) {
        Some("RS256") => Ok(Algorithm::RS256),
        Some("RS384") => Ok(Algorithm::RS384),
        Some("RS512") => Ok(Algorithm::RS512),
        Some("PS256") => Ok(Algorithm::PS256),
        Some("PS384") => Ok(Algorithm::PS384),
        Some("PS512") => Ok(Algorithm::PS512),
        Some("ES256") => Ok(Algorithm::ES256),
        Some("ES384") => Ok(Algorithm::ES384),
        Some("EdDSA") => Ok(Algorithm::EdDSA),
        _ => Err(TokenError::Algorithm),
    }
}
