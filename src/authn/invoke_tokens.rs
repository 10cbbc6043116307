//! Invoke tokens (**ours**): a JWT that stands for a signature where a client cannot sign, for Invoke alone.
//!
//! It is signed (HMAC-SHA-256) with a key of the ring that has a purpose of its own and is published nowhere, has a `typ` and
//! an audience of its own, and lasts ten minutes. What it says of the caller is sealed in the claim `ctx` in the form of a
//! session's claims: whoever holds a token reads no more than whose it is and when it ends. Everything but the one form
//! that is made here is refused.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use serde_json::{Value, json};

use super::{
    AuthnError,
    sessions::{claims_from_bytes, claims_to_bytes},
};
use crate::base::{
    Caller, KeyRing, KeyRingError, Purpose, SessionClaims, clock::SharedClock, rng::SharedRng,
};

/// How long a token lasts.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// The token's type: no ID token, open-id token or access token has it.
pub const TYPE: &str = "callgate-invoke+jwt";
/// The token's audience.
pub const AUDIENCE: &str = "callgate:invoke";
/// The longest token, in characters.
pub const TOKEN_CHARS_MAX: usize = 4096;
/// What stands for the access key in a caller that a token vouched for. No access key has this form.
pub const ACCESS_KEY_ID: &str = "invoke-token";

const SCHEME: &str = "bearer";
const ALGORITHM: &str = "HS256";

/// Whether a pool lets its identities call by tokens. It reads memory alone.
pub trait BearerPools: Send + Sync {
    /// Whether there is such a pool and it does.
    fn allows_bearer(&self, pool_id: &str) -> bool;
}

/// Makes and opens tokens.
pub struct InvokeTokens {
    ring: Arc<KeyRing>,
    clock: SharedClock,
    rng: SharedRng,
}

impl InvokeTokens {
    /// Tokens signed with keys of this ring.
    pub fn new(ring: Arc<KeyRing>, clock: SharedClock, rng: SharedRng) -> Arc<Self> {
        Arc::new(Self { ring, clock, rng })
    }

    /// A token with these claims. `issuer` is the gateway's public URL.
    pub fn make(&self, issuer: &str, claims: &SessionClaims) -> Result<String, KeyRingError> {
        let key_id = self.ring.newest();
        let sealed = self.ring.seal(
            Purpose::InvokeToken,
            AUDIENCE.as_bytes(),
            &claims_to_bytes(claims),
            self.rng.as_ref(),
        )?;
        let header = json!({"alg": ALGORITHM, "typ": TYPE, "kid": key_id.to_string()}).to_string();
        let payload = json!({
            "iss": issuer,
            "aud": AUDIENCE,
            "sub": claims.identity.as_ref().map(|identity| identity.identity_id.as_str()),
            "iat": claims.issued.seconds(),
            "exp": claims.expires.seconds(),
            "ctx": URL_SAFE_NO_PAD.encode(sealed),
        });
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload.to_string(), &mut token);
        let tag = hmac::sign(&self.key(key_id)?, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut token);
        Ok(token)
    }

    /// What a token says of its caller. Every way in which it can be wrong is one error, but that it has ended.
    pub fn open(&self, token: &str) -> Result<Arc<SessionClaims>, AuthnError> {
        let claims = self.read(token).ok_or(AuthnError::UnrecognizedClient)?;
        if self.clock.now() >= claims.expires {
            return Err(AuthnError::ExpiredToken);
        }
        Ok(Arc::new(claims))
    }

    fn read(&self, token: &str) -> Option<SessionClaims> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let (message, tag) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let key_id: u32 = header.get("kid")?.as_str()?.parse().ok()?;
        // The whole header must be the one that is made here; that of the signature's key is all that may differ.
        if header != json!({"alg": ALGORITHM, "typ": TYPE, "kid": key_id.to_string()}) {
            return None;
        }
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key(key_id).ok()?, message.as_bytes(), &tag).ok()?;
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        if payload.get("aud")? != AUDIENCE {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(payload.get("ctx")?.as_str()?).ok()?;
        let opened = self.ring.open(Purpose::InvokeToken, AUDIENCE.as_bytes(), &sealed).ok()?;
        claims_from_bytes(opened.expose())
    }

    fn key(&self, key_id: u32) -> Result<hmac::Key, KeyRingError> {
        let bytes = self.ring.derive(key_id, Purpose::InvokeToken, b"hmac")?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }
}

impl fmt::Debug for InvokeTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvokeTokens").finish_non_exhaustive()
    }
}

/// The invoke token of a request that has one in place of a signature. Bearer tokens of any other type are none of ours: to
/// whoever sends them the request is not signed.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    // A second header might be read by whoever comes after; it is left to be refused as a signature.
    (values.next().is_none() && scheme.eq_ignore_ascii_case(SCHEME) && is_of_type(token)).then_some(token)
}

fn is_of_type(token: &str) -> bool {
    let header = token.split('.').next().filter(|header| header.len() <= TOKEN_CHARS_MAX);
    let header = header.and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header = header.and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    header.is_some_and(|header| header.get("typ").is_some_and(|typ| typ == TYPE))
}

/// The caller whom a token's claims name.
pub(super) fn caller(claims: Arc<SessionClaims>) -> Arc<Caller> {
    Arc::new(Caller::of_session(claims, ACCESS_KEY_ID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authn::sessions::tests::signed_in,
        base::{Clock, Secret, clock::MockClock, rng::SeededRng},
    };

    const ISSUER: &str = "https://gate.example";

    fn tokens(ids: &[u8]) -> (Arc<InvokeTokens>, Arc<MockClock>) {
        let ring = KeyRing::new(ids.iter().map(|id| (u32::from(*id), Secret::new(vec![*id; 32])))).unwrap();
        let clock = MockClock::at(signed_in().issued);
        (InvokeTokens::new(Arc::new(ring), clock.clone(), Arc::new(SeededRng::new(1))), clock)
    }

    fn claims() -> SessionClaims {
        let claims = signed_in();
        SessionClaims { expires: claims.issued.plus(LIFETIME), ..claims }
    }

    #[test]
    fn a_token_opens_to_its_claims_until_it_ends_and_tells_little() {
        let (tokens, clock) = tokens(&[1]);
        let token = tokens.make(ISSUER, &claims()).unwrap();
        assert_eq!(*tokens.open(&token).unwrap(), claims());
        let payload = token.split('.').nth(1).unwrap();
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let mut names: Vec<_> = payload.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "ctx", "exp", "iat", "iss", "sub"]);
        clock.advance(LIFETIME - Duration::from_millis(1));
        assert!(tokens.open(&token).is_ok());
        clock.advance(Duration::from_millis(1));
        assert_eq!(tokens.open(&token).unwrap_err(), AuthnError::ExpiredToken);
        assert!(clock.now() > claims().issued);
    }

    #[test]
    fn every_changed_or_missing_character_is_refused() {
        let (tokens, _) = tokens(&[1]);
        let token = tokens.make(ISSUER, &claims()).unwrap();
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.open(&changed).unwrap_err(), AuthnError::UnrecognizedClient, "at {at}");
            assert_eq!(tokens.open(&token[..at]).unwrap_err(), AuthnError::UnrecognizedClient, "cut at {at}");
        }
    }

    #[test]
    fn an_older_key_of_the_ring_still_opens_and_a_foreign_one_does_not() {
        let token = tokens(&[1]).0.make(ISSUER, &claims()).unwrap();
        assert!(tokens(&[1, 2]).0.open(&token).is_ok());
        assert_eq!(tokens(&[2]).0.open(&token).unwrap_err(), AuthnError::UnrecognizedClient);
    }

    #[test]
    fn a_header_of_another_form_is_refused_though_it_is_signed() {
        let (tokens, _) = tokens(&[1]);
        let token = tokens.make(ISSUER, &claims()).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        for header in [
            json!({"alg": "none", "typ": TYPE, "kid": "1"}),
            json!({"alg": ALGORITHM, "typ": "JWT", "kid": "1"}),
            json!({"alg": ALGORITHM, "typ": TYPE, "kid": "01"}),
            json!({"alg": ALGORITHM, "typ": TYPE, "kid": "1", "jku": "https://evil.example"}),
            json!({"alg": ALGORITHM, "kid": "1"}),
        ] {
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let tag = hmac::sign(&tokens.key(1).unwrap(), message.as_bytes());
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(tokens.open(&forged).unwrap_err(), AuthnError::UnrecognizedClient, "{header}");
        }
    }

    #[test]
    fn one_header_with_the_scheme_is_a_token() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        let ours = tokens(&[1]).0.make(ISSUER, &claims()).unwrap();
        let (upper, lower) = (format!("Bearer {ours}"), format!("bearer {ours}"));
        assert_eq!(of(&[&upper]).as_deref(), Some(&ours[..]));
        assert_eq!(of(&[&lower]).as_deref(), Some(&ours[..]));
        let id_token = format!("Bearer {}.e30.AA", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#));
        for none in
            [&[][..], &["AWS4-HMAC-SHA256 x"], &["Bearer"], &[&upper, &upper], &["Bearer a"], &[&id_token]]
        {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
