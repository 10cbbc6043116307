//! Verifies ID tokens of the issuers that a pool trusts.

use jsonwebtoken::crypto;
use serde_json::Value;

use super::{
    claims::{self, Verified},
    issuers::{IssuerError, Issuers},
    jwks::KeySet,
    jws::{TOKEN_BYTES_MAX, Unverified},
};
use crate::base::{Timestamp, clock::SharedClock};

/// Why a token is not accepted. The texts are for whoever sent it; none tells what an issuer's server answered.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_BYTES_MAX`].
    #[error("The token is longer than {TOKEN_BYTES_MAX} bytes.")]
    TooLarge,
    /// Not three parts of base64url, or its JSON is broken or says a thing twice.
    #[error("Not a valid OpenId Connect identity token.")]
    Malformed,
    /// Its type is not that of an ID token.
    #[error("The token's type is not that of an identity token.")]
    Type,
    /// It has a header that must be understood, and none of these is (RFC 7515 §4.1.11).
    #[error("The token's critical headers are not supported.")]
    CriticalHeader,
    /// None, a symmetric or an unknown one.
    #[error("The token's algorithm is not accepted.")]
    Algorithm,
    /// The issuer has no key of that name that fits the algorithm.
    #[error("The issuer has no key that could have signed the token.")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("Couldn't verify signed token.")]
    Signature,
    /// A claim that every ID token has is not there.
    #[error("Missing a required claim: {0}")]
    MissingClaim(&'static str),
    /// A claim has another form than OpenID Connect gives it.
    #[error("The claim {0} is not of the form that OpenID Connect gives it.")]
    Claim(&'static str),
    /// `iss` is not the issuer that the login names.
    #[error("Issuer doesn't match providerName")]
    Issuer,
    /// Made for others.
    #[error("Incorrect token audience.")]
    Audience,
    /// Several audiences without `azp`, or an `azp` that is not ours.
    #[error("Incorrect authorized party.")]
    AuthorisedParty,
    /// Past its end.
    #[error("Token expired: {} >= {}", now.seconds(), expires.seconds())]
    Expired {
        /// `exp`.
        expires: Timestamp,
        /// The gateway's time.
        now: Timestamp,
    },
    /// `nbf` or `iat` lies ahead.
    #[error("The token is not valid yet.")]
    NotYetValid,
    /// The issuer's keys could not be had.
    #[error("The issuer's keys could not be fetched.")]
    IssuerUnavailable(#[source] IssuerError),
}

/// Verifies ID tokens.
#[derive(Debug)]
pub struct Verifier {
    issuers: Issuers,
    clock: SharedClock,
}

impl Verifier {
    /// A verifier that fetches keys by way of `issuers`.
    pub fn new(issuers: Issuers, clock: SharedClock) -> Self {
        Self { issuers, clock }
    }

    /// Verifies a token that must come from `issuer` (its URL) for one of `client_ids`. Which issuer is asked for keys
    /// depends on what is trusted alone, never on what the token says.
    pub async fn verify(
        &self,
        token: &str,
        issuer: &str,
        client_ids: &[String],
    ) -> Result<Verified, TokenError> {
        let unverified = Unverified::parse(token)?;
        let key_id = unverified.key_id.as_deref();
        let keys = self.issuers.keys(issuer, key_id).await.map_err(TokenError::IssuerUnavailable)?;
        check(&unverified, &keys, issuer, client_ids, self.clock.now())
    }
}

/// What a token says of itself, `iss` and `aud`, which nobody has verified: good for finding out who has to, and for nothing
/// else.
pub fn unverified_issuer_and_audience(token: &str) -> Result<(String, String), TokenError> {
    let claims = Unverified::parse(token)?.claims()?;
    let text = |name: &'static str| match claims.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        // Several audiences are for the verifier to judge.
        Some(Value::Array(_)) => Ok(String::new()),
        Some(_) => Err(TokenError::Claim(name)),
        None => Err(TokenError::MissingClaim(name)),
    };
    Ok((text("iss")?, text("aud")?))
}

/// Verifies a token with keys that are at hand.
pub fn verify_with(
    token: &str,
    keys: &KeySet,
    issuer: &str,
    client_ids: &[String],
    now: Timestamp,
) -> Result<Verified, TokenError> {
    check(&Unverified::parse(token)?, keys, issuer, client_ids, now)
}

fn check(
    unverified: &Unverified<'_>,
    keys: &KeySet,
    issuer: &str,
    client_ids: &[String],
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let mut tried = false;
    for key in keys.candidates(unverified.key_id.as_deref(), unverified.algorithm) {
        tried = true;
        // An error here is a key or signature of impossible form, which is no better than a wrong one.
        if matches!(
            crypto::verify(unverified.signature, unverified.message, key, unverified.algorithm),
            Ok(true)
        ) {
            return claims::check(unverified.claims()?, issuer, client_ids, now);
        }
    }
    Err(if tried { TokenError::Signature } else { TokenError::UnknownKey })
}

#[cfg(test)]
mod tests;
