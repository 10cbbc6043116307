//! The claims of an ID token (OpenID Connect Core 1.0 §2 and §3.1.3.7), checked when its signature is known to be good.

use std::time::Duration;

use serde_json::{Map, Value};

use super::verifier::TokenError;
use crate::base::Timestamp;

/// How far the issuer's clock may be from ours: a token is good this much longer than it says, and this much earlier.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// OpenID Connect Core 1.0 §2: a subject is at most 255 ASCII characters.
const SUBJECT_CHARS_MAX: usize = 255;
/// The last second of the year 9999; a later moment is a unit mistaken.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// What a token that passed every check says.
#[derive(Clone, PartialEq, Debug)]
pub struct Verified {
    /// `iss`, the issuer's URL.
    pub issuer: String,
    /// `sub`, whom it speaks of.
    pub subject: String,
    /// Which of the accepted client ids it was made for: `azp` where there is one, else the audience.
    pub client_id: String,
    /// `iat`.
    pub issued: Timestamp,
    /// `exp`, without leeway.
    pub expires: Timestamp,
    /// All of its claims.
    pub claims: Map<String, Value>,
}

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who issued it: the issuer's URL, by which its keys are found.
    pub issuer: &'a str,
    /// For which clients it may be made.
    pub client_ids: &'a [String],
    /// Whether the issuer is a Cognito user pool. Its access tokens are signed by the same keys as its ID tokens, and told
    /// apart by `token_use` alone.
    pub user_pool: bool,
}

/// The one issuer that names itself with and without its scheme (Google's guide to verifying ID tokens).
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

impl Expected<'_> {
    fn is_issuer(&self, iss: &str) -> bool {
        iss == self.issuer || (self.issuer == GOOGLE[0] && iss == GOOGLE[1])
    }
}

/// Checks everything that a token says about itself.
pub(super) fn check(
    claims: Map<String, Value>,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let Expected { issuer, client_ids, user_pool } = expected;
    if !expected.is_issuer(text(&claims, "iss")?) {
        return Err(TokenError::Issuer);
    }
    if user_pool && text(&claims, "token_use")? != "id" {
        return Err(TokenError::Use);
    }
    let subject = text(&claims, "sub")?;
    if subject.is_empty() || subject.len() > SUBJECT_CHARS_MAX || !subject.is_ascii() {
        return Err(TokenError::Claim("sub"));
    }
    let client_id = client(&claims, client_ids)?;
    let expires = moment(&claims, "exp")?.ok_or(TokenError::MissingClaim("exp"))?;
    let issued = moment(&claims, "iat")?.ok_or(TokenError::MissingClaim("iat"))?;
    if now >= expires.plus(LEEWAY) {
        return Err(TokenError::Expired { expires, now });
    }
    let latest = now.plus(LEEWAY);
    if issued > latest || moment(&claims, "nbf")?.is_some_and(|not_before| not_before > latest) {
        return Err(TokenError::NotYetValid);
    }
    Ok(Verified {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        client_id: client_id.to_owned(),
        issued,
        expires,
        claims,
    })
}

/// The client id that the token was made for. Where several parties are named, `azp` says which of them asked for it,
/// and it must be one of ours.
fn client<'a>(claims: &'a Map<String, Value>, ours: &[String]) -> Result<&'a str, TokenError> {
    let audiences: Vec<&str> = match claims.get("aud") {
        None => return Err(TokenError::MissingClaim("aud")),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => {
            several.iter().map(Value::as_str).collect::<Option<_>>().ok_or(TokenError::Claim("aud"))?
        }
        Some(_) => return Err(TokenError::Claim("aud")),
    };
    let is_ours = |id: &str| ours.iter().any(|our| our == id);
    let accepted = audiences.iter().copied().find(|id| is_ours(id)).ok_or(TokenError::Audience)?;
    match claims.get("azp") {
        Some(Value::String(party)) if is_ours(party) => Ok(party),
        Some(_) => Err(TokenError::AuthorisedParty),
        None if audiences.len() > 1 => Err(TokenError::AuthorisedParty),
        None => Ok(accepted),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, TokenError> {
    match claims.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(TokenError::Claim(name)),
        None => Err(TokenError::MissingClaim(name)),
    }
}

/// A NumericDate (RFC 7519 §2): seconds, possibly with a fraction, which is cut off.
fn moment(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    match value.as_f64() {
        Some(seconds) if (0.0..=SECONDS_MAX).contains(&seconds) => {
            Ok(Some(Timestamp::from_seconds(seconds as i64)))
        }
        _ => Err(TokenError::Claim(name)),
    }
}
