//! The parts of a signature as they stand in a request's query string: a presigned URL.
//!
//! Source: IAM User Guide, "Create a signed AWS API request", and the AWS General Reference on signing by query parameters. What
//! is signed is the query without `X-Amz-Signature`, so every other parameter, the token included, is under the signature.

use std::time::Duration;

use http::{HeaderMap, Uri, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use super::header::{self, ALGORITHM, Authorization, SigningTime};
use crate::authn::AuthnError;

/// The longest that a presigned request may be good for.
pub const LIFETIME_MAX: Duration = Duration::from_secs(15 * 60);
const SIGNATURE: &str = "X-Amz-Signature";

/// Parameters of which each may stand there once.
const PARAMETERS: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    SIGNATURE,
    "X-Amz-Security-Token",
];

/// The signature of a presigned request, percent-decoded.
#[derive(Debug)]
pub struct Presigned {
    values: [Option<String>; PARAMETERS.len()],
    /// The query as it was sent, without the signature.
    query: String,
    lifetime: Duration,
}

/// Whether a request is signed in its query string and not in a header.
pub fn is_presigned(headers: &HeaderMap, uri: &Uri) -> bool {
    !headers.contains_key(AUTHORIZATION) && names_signature(uri)
}

/// Whether the query string holds a signature, or what says that one is there.
pub fn names_signature(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name == SIGNATURE || name == PARAMETERS[0]
    })
}

impl Presigned {
    /// Reads the query of a request.
    pub fn read(headers: &HeaderMap, uri: &Uri) -> Result<Self, AuthnError> {
        let mut values = [const { None }; PARAMETERS.len()];
        let mut query = String::new();
        for pair in uri.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name != SIGNATURE {
                if !query.is_empty() {
                    query.push('&');
                }
                query.push_str(pair);
            }
            // A name that is written otherwise, as `X-Amz%2DDate`, is none of these to us and to nobody after us.
            let Some(at) = PARAMETERS.iter().position(|known| *known == name) else { continue };
            let decoded = percent_decode_str(value).decode_utf8();
            let decoded = decoded.map_err(|_| incomplete(name, "is not UTF-8"))?;
            let slot = values.get_mut(at).ok_or_else(|| incomplete(name, "is not known"))?;
            if slot.replace(decoded.into_owned()).is_some() {
                return Err(incomplete(name, "is there more than once"));
            }
        }
        // Two places for one thing: two readers could take different ones.
        if headers.contains_key(header::TOKEN) {
            return Err(AuthnError::incomplete(
                "A presigned request has its security token in the query string, and not in a header.",
            ));
        }
        let mut presigned = Self { values, query, lifetime: Duration::ZERO };
        if presigned.required(0)? != ALGORITHM {
            return Err(AuthnError::incomplete(format!(
                "Unsupported algorithm: Callgate takes '{ALGORITHM}' alone."
            )));
        }
        let seconds = presigned.required(3)?;
        let digits = seconds.len() <= 6 && seconds.bytes().all(|byte| byte.is_ascii_digit());
        let lifetime = seconds.parse().ok().filter(|_| digits).map(Duration::from_secs);
        presigned.lifetime = lifetime
            .filter(|lifetime| !lifetime.is_zero() && *lifetime <= LIFETIME_MAX)
            .ok_or_else(|| {
                AuthnError::incomplete(format!(
                    "X-Amz-Expires must be a number of seconds from 1 to {}: presign the request for a shorter time.",
                    LIFETIME_MAX.as_secs()
                ))
            })?;
        Ok(presigned)
    }

    /// The signature's parts.
    pub fn authorization(&self) -> Result<Authorization<'_>, AuthnError> {
        Authorization::of(self.required(1)?, self.required(4)?, self.required(5)?)
    }

    /// When it was signed.
    pub fn signing_time(&self) -> Result<SigningTime<'_>, AuthnError> {
        SigningTime::parse(self.required(2)?)
    }

    /// How long it is good for from then on.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The session's token.
    pub fn token(&self) -> Option<&str> {
        self.values.last()?.as_deref()
    }

    /// The part of the query that is signed, as it was sent.
    pub fn query(&self) -> &str {
        &self.query
    }

    fn required(&self, at: usize) -> Result<&str, AuthnError> {
        let value = self.values.get(at).and_then(|value| value.as_deref()).filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            let name = PARAMETERS.get(at).copied().unwrap_or_default();
            AuthnError::incomplete(format!("AWS query-string parameters must include '{name}'."))
        })
    }
}

fn incomplete(name: &str, what: &str) -> AuthnError {
    AuthnError::incomplete(format!("The query parameter '{name}' {what}."))
}
