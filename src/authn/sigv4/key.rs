//! Signing keys: derived from a secret for one day, region and service, and kept beside it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

use super::header::{Authorization, TERMINATOR};
use crate::base::Secret;

/// A derived key and what it was derived for.
#[derive(Debug)]
pub struct SigningKey {
    key: Key,
    /// The credential it was asked for: key id, day, region and service.
    credential: Box<str>,
}

impl SigningKey {
    fn derive(authorization: &Authorization<'_>, secret: &Secret) -> Self {
        let sign = |key: &[u8], text: &str| hmac::sign(&Key::new(HMAC_SHA256, key), text.as_bytes());
        let first = Secret::new([b"AWS4", secret.expose()].concat());
        let date = sign(first.expose(), authorization.date);
        let region = sign(date.as_ref(), authorization.region);
        let service = sign(region.as_ref(), authorization.service);
        let last = sign(service.as_ref(), TERMINATOR);
        Self { key: Key::new(HMAC_SHA256, last.as_ref()), credential: authorization.credential.into() }
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// A secret access key, with the signing key that was last derived from it: callers seldom sign for more than one service,
/// and deriving one anew costs little more than looking it up elsewhere.
pub struct SigningSecret {
    secret: Secret,
    kept: ArcSwapOption<SigningKey>,
}

impl SigningSecret {
    /// A secret from which nothing was derived yet.
    pub fn new(secret: Secret) -> Self {
        Self { secret, kept: ArcSwapOption::empty() }
    }

    /// The secret itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The key for this credential.
    pub fn key(&self, authorization: &Authorization<'_>) -> Arc<SigningKey> {
        let kept = self.kept.load();
        if let Some(kept) = kept.as_ref().filter(|kept| *kept.credential == *authorization.credential) {
            return kept.clone();
        }
        let key = Arc::new(SigningKey::derive(authorization, &self.secret));
        self.kept.store(Some(key.clone()));
        key
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningSecret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization<'a>(credential: &'a str, date: &'a str) -> Authorization<'a> {
        Authorization {
            credential,
            access_key_id: "AKIDEXAMPLE",
            date,
            region: "us-east-1",
            service: "iam",
            signed_headers: "host",
            signature: [0; 32],
        }
    }

    #[test]
    fn the_derivation_is_the_one_of_the_documentation() {
        // IAM User Guide, "Create a signed AWS API request": the published example of a derived key, seen through the
        // signature that the published example of a string to sign gets with it.
        let secret = Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let key = SigningSecret::new(secret).key(&authorization("k", "20150830"));
        let text = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                    f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        let signature = hmac::sign(key.key(), text.as_bytes());
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(signature.as_ref(), super::super::header::from_hex(expected.as_bytes()).unwrap());
    }

    #[test]
    fn the_last_key_is_kept_for_its_credential_alone() {
        let secret = SigningSecret::new(Secret::from("a secret".to_owned()));
        let today = authorization("AKID/20150830/us-east-1/iam/aws4_request", "20150830");
        let tomorrow = authorization("AKID/20150831/us-east-1/iam/aws4_request", "20150831");
        let key = secret.key(&today);
        assert!(Arc::ptr_eq(&key, &secret.key(&today)));
        let signed = |key: &SigningKey| hmac::sign(key.key(), b"text").as_ref().to_vec();
        assert_ne!(signed(&key), signed(&secret.key(&tomorrow)));
        assert_eq!(signed(&key), signed(&secret.key(&today)));
    }

    #[test]
    fn it_does_not_print_its_secret() {
        let secret = SigningSecret::new(Secret::from("a secret".to_owned()));
        secret.key(&authorization("AKID", "20150830"));
        assert_eq!(format!("{secret:?}"), "SigningSecret { .. }");
    }
}
