//! An issuer's keys (RFC 7517), and which of them may have signed a token.

use std::fmt;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// How many keys of an issuer are kept; real ones publish two to four.
const KEYS_MAX: usize = 32;

/// The keys that an issuer signs with.
pub struct KeySet {
    keys: Vec<Key>,
}

struct Key {
    id: Option<String>,
    kind: Kind,
    /// The one algorithm it is for, where the issuer says.
    only: Option<KeyAlgorithm>,
    decoding: DecodingKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Some(Self::Rsa),
            Algorithm::ES256 => Some(Self::P256),
            Algorithm::ES384 => Some(Self::P384),
            Algorithm::EdDSA => Some(Self::Ed25519),
            _ => None,
        }
    }
}

impl KeySet {
    /// Reads a JWKS document. Keys of kinds or uses that are not ours are passed over, as RFC 7517 §5 asks; `None` if the
    /// document is no key set at all.
    pub fn parse(document: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(document).ok()?;
        Some(Self { keys: document.keys.into_iter().filter_map(Key::read).take(KEYS_MAX).collect() })
    }

    /// Whether there is a key for tokens that name `key_id`.
    pub fn knows(&self, key_id: Option<&str>) -> bool {
        self.keys.iter().any(|key| key.answers_to(key_id))
    }

    /// The keys that a token with this `kid` and algorithm may have been signed with. A token that names no key may have
    /// been signed with any that fits.
    pub fn candidates(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        self.keys
            .iter()
            .filter(move |key| key.answers_to(key_id) && key.fits(algorithm))
            .map(|key| &key.decoding)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| key.id.as_deref())).finish()
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => Kind::P256,
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => Kind::P384,
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => Kind::Ed25519,
            // Symmetric keys above all: whoever published one has told it to everybody.
            _ => return None,
        };
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature)
            && common
                .key_operations
                .as_ref()
                .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !signs {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { id: jwk.common.key_id, kind, only: jwk.common.key_algorithm, decoding })
    }

    fn answers_to(&self, key_id: Option<&str>) -> bool {
        key_id.is_none_or(|wanted| self.id.as_deref() == Some(wanted))
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        Kind::of(algorithm) == Some(self.kind) && self.only.is_none_or(|only| only == algorithm.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn p256(id: &str, more: &Value) -> Value {
        let mut key = serde_json::json!({"kty": "EC", "crv": "P-256", "x": X, "y": X, "kid": id});
        key.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        key
    }

    #[test]
    fn a_key_answers_to_its_own_id_and_algorithm() {
        let set = set(&[p256("a", &serde_json::json!({"alg": "ES256"})), p256("b", &serde_json::json!({}))]);
        assert_eq!(set.candidates(Some("a"), Algorithm::ES256).count(), 1);
        assert_eq!(set.candidates(None, Algorithm::ES256).count(), 2);
        assert_eq!(set.candidates(Some("c"), Algorithm::ES256).count(), 0);
        for other in [Algorithm::ES384, Algorithm::RS256, Algorithm::EdDSA, Algorithm::HS256] {
            assert_eq!(set.candidates(None, other).count(), 0, "{other:?}");
        }
    }

    #[test]
    fn keys_of_other_uses_and_kinds_are_passed_over() {
        let set = set(&[
            p256("enc", &serde_json::json!({"use": "enc"})),
            p256("ops", &serde_json::json!({"key_ops": ["sign"]})),
            p256("curve", &serde_json::json!({"crv": "P-521"})),
            serde_json::json!({"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"}),
            serde_json::json!({"kty": "new", "kid": "unknown"}),
            serde_json::json!({"kty": "RSA", "kid": "half", "n": "AQAB"}),
            serde_json::json!("text"),
            p256("good", &serde_json::json!({"use": "sig", "key_ops": ["verify"]})),
        ]);
        assert_eq!(format!("{set:?}"), r#"[Some("good")]"#);
    }

    #[test]
    fn a_key_for_another_algorithm_than_it_says_is_not_used() {
        let set = set(&[p256("a", &serde_json::json!({"alg": "ES384"}))]);
        assert_eq!(set.candidates(Some("a"), Algorithm::ES256).count(), 0);
    }

    #[test]
    fn what_is_no_key_set_is_none() {
        for text in ["", "[]", "{}", r#"{"keys": {}}"#] {
            assert!(KeySet::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_flood_of_keys_is_cut() {
        let keys: Vec<Value> = (0..100).map(|at| p256(&at.to_string(), &serde_json::json!({}))).collect();
        assert_eq!(set(&keys).keys.len(), KEYS_MAX);
    }
}
