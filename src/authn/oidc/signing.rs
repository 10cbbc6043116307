//! The key with which this gateway signs open-id tokens, and the documents by which others verify them.

use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{jws::Unverified, verifier::TokenError};
use crate::base::{KeyRing, KeyRingError, Purpose, Rng};

/// What every verifier of OpenID Connect must support (Discovery 1.0 §3).
const ALGORITHM: &str = "RS256";

/// Why a key could not be made, kept or used.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The cryptographic library failed.
    #[error("the cryptographic library failed: {0}")]
    Library(&'static str),
    /// The key could not be sealed or opened.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The opened bytes are not the key that the id names.
    #[error("the stored key is not the one it is said to be")]
    Mismatch,
    /// The claims are not JSON.
    #[error("the claims could not be written: {0}")]
    Claims(#[from] serde_json::Error),
}

/// An RSA key of 2048 bits.
pub struct SigningKey {
    pair: KeyPair,
    id: String,
}

impl SigningKey {
    /// Makes a new key. Its randomness is the cryptographic library's own, which takes no other.
    pub fn generate() -> Result<Self, SigningKeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| SigningKeyError::Library("an RSA key could not be made"))?;
        Ok(Self::of(pair))
    }

    fn of(pair: KeyPair) -> Self {
        // RFC 7638: the hash of the members that make the key, in the order of their names.
        let (e, n) = components(&pair);
        let members = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Self { pair, id }
    }

    /// The key's id: its thumbprint by RFC 7638.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as it is stored: PKCS #8, sealed for its id.
    pub fn seal(&self, ring: &KeyRing, rng: &dyn Rng) -> Result<Vec<u8>, SigningKeyError> {
        let der =
            self.pair.as_der().map_err(|_| SigningKeyError::Library("an RSA key has no PKCS #8 form"))?;
        Ok(ring.seal(Purpose::OpenIdKey, self.id.as_bytes(), der.as_ref(), rng)?)
    }

    /// Opens a stored key.
    pub fn open(id: &str, sealed: &[u8], ring: &KeyRing) -> Result<Self, SigningKeyError> {
        let der = ring.open(Purpose::OpenIdKey, id.as_bytes(), sealed)?;
        let pair = KeyPair::from_pkcs8(der.expose())
            .map_err(|_| SigningKeyError::Library("the stored RSA key cannot be read"))?;
        let key = Self::of(pair);
        if key.id == id { Ok(key) } else { Err(SigningKeyError::Mismatch) }
    }

    /// A token with these claims.
    ///
    /// Put together here, because `jsonwebtoken::encode` takes an RSA key as PKCS #1 alone, reads and checks it anew for
    /// each token, and keeps a copy of it that is not wiped.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningKeyError> {
        let header = json!({"alg": ALGORITHM, "typ": "JWT", "kid": self.id}).to_string();
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| SigningKeyError::Library("the token could not be signed"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn verifies(&self, token: &Unverified<'_>) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key());
        let signature = URL_SAFE_NO_PAD.decode(token.signature);
        token.algorithm == Algorithm::RS256
            && signature.is_ok_and(|signature| public.verify(token.message, &signature).is_ok())
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        let (e, n) = components(&self.pair);
        json!({"kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": self.id, "n": n, "e": e})
    }
}

/// The claims of a token that one of these keys signed, the one that it names. Nothing of what they say has been looked at.
pub fn claims_signed_by<'a>(
    keys: impl IntoIterator<Item = &'a SigningKey>,
    token: &str,
) -> Result<Map<String, Value>, TokenError> {
    let token = Unverified::parse(token)?;
    let named = token.key_id.as_deref();
    let key = keys.into_iter().find(|key| named == Some(key.id())).ok_or(TokenError::UnknownKey)?;
    if !key.verifies(&token) {
        return Err(TokenError::Signature);
    }
    token.claims()
}

fn components(pair: &KeyPair) -> (String, String) {
    let public = pair.public_key();
    let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    (
        encode(public.exponent().big_endian_without_leading_zero()),
        encode(public.modulus().big_endian_without_leading_zero()),
    )
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where [`discovery`] says the keys are.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// Where the discovery document itself is.
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The key set's document (RFC 7517 §5): the key that signs, and those whose tokens have not ended.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    json!({ "keys": keys.into_iter().map(SigningKey::jwk).collect::<Vec<_>>() })
}

/// The discovery document (OpenID Connect Discovery 1.0 §3) of a gateway at this URL, which is its issuer's name too. It
/// has no page to sign in at, so no `authorization_endpoint`.
pub fn discovery(public_url: &str) -> Value {
    json!({
        "issuer": public_url,
        "jwks_uri": format!("{public_url}{JWKS_PATH}"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "amr"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authn::oidc::jwks::KeySet,
        base::{Secret, rng::SeededRng},
    };

    fn ring() -> KeyRing {
        KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()
    }

    #[test]
    fn a_token_verifies_with_the_published_key_and_no_other() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = key.sign(&json!({"sub": "x"})).unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        let verifies = |keys: &[&SigningKey]| {
            let set = KeySet::parse(jwks(keys.iter().copied()).to_string().as_bytes()).unwrap();
            set.candidates(None, Algorithm::RS256).any(|key| {
                jsonwebtoken::crypto::verify(
                    unverified.signature,
                    unverified.message,
                    key,
                    unverified.algorithm,
                )
                .unwrap()
            })
        };
        assert!(verifies(&[&other, &key]));
        assert_eq!(claims_signed_by([&other, &key], &token).unwrap()["sub"], "x");
        assert!(matches!(claims_signed_by([&other], &token), Err(TokenError::UnknownKey)));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other_claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"y"}"#);
        let forged = format!("{}.{other_claims}.{signature}", signed.split_once('.').unwrap().0);
        assert!(matches!(claims_signed_by([&key], &forged), Err(TokenError::Signature)));
        assert!(!verifies(&[&other]));
        assert_eq!(unverified.key_id.as_deref(), Some(key.id()));
    }

    #[test]
    fn a_stored_key_opens_as_itself_alone() {
        let key = SigningKey::generate().unwrap();
        let sealed = key.seal(&ring(), &SeededRng::new(1)).unwrap();
        assert_eq!(SigningKey::open(key.id(), &sealed, &ring()).unwrap().jwk(), key.jwk());
        assert!(SigningKey::open("another", &sealed, &ring()).is_err());
        let printed = format!("{key:?}");
        assert!(printed.contains(key.id()) && printed.len() < 100, "{printed}");
    }

    #[test]
    fn the_key_is_where_discovery_says() {
        let discovery = discovery("https://gate.example");
        assert_eq!(discovery["issuer"], "https://gate.example");
        assert_eq!(discovery["jwks_uri"], format!("https://gate.example{JWKS_PATH}"));
    }
}
