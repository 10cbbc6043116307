//! Signing keys: derived from a secret for one day, region and service, and kept.

use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

use super::header::{Authorization, TERMINATOR};
use crate::base::Secret;

/// How many keys are kept. Each belongs to an access key, a day and a service.
const KEPT_MAX: u64 = 20_000;

/// Derived keys, by the credential as it stands in the request.
#[derive(Debug)]
pub struct SigningKeys {
    kept: moka::sync::Cache<Arc<str>, Arc<SigningKey>>,
}

/// A derived key and the secret that it was derived from.
#[derive(Debug)]
pub struct SigningKey {
    key: Key,
    secret: Secret,
}

impl SigningKey {
    fn derive(authorization: &Authorization<'_>, secret: &Secret) -> Self {
        let sign = |key: &[u8], text: &str| hmac::sign(&Key::new(HMAC_SHA256, key), text.as_bytes());
        let first = Secret::new([b"AWS4", secret.expose()].concat());
        let date = sign(first.expose(), authorization.date);
        let region = sign(date.as_ref(), authorization.region);
        let service = sign(region.as_ref(), authorization.service);
        let last = sign(service.as_ref(), TERMINATOR);
        Self { key: Key::new(HMAC_SHA256, last.as_ref()), secret: secret.clone() }
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

impl SigningKeys {
    /// None yet.
    pub fn new() -> Self {
        Self { kept: moka::sync::Cache::new(KEPT_MAX) }
    }

    /// The key for this credential. A kept key counts only while the secret is the one it was derived from. A fresh one
    /// comes with the name under which to [`Self::keep`] it.
    pub fn get(
        &self,
        authorization: &Authorization<'_>,
        secret: &Secret,
    ) -> (Arc<SigningKey>, Option<Arc<str>>) {
        match self.kept.get(authorization.credential) {
            Some(kept) if kept.secret == *secret => (kept, None),
            _ => (Arc::new(SigningKey::derive(authorization, secret)), Some(authorization.credential.into())),
        }
    }

    /// Keeps a key that has verified a request. Keys that have not are not kept, so that a stranger who knows access key
    /// ids cannot push out those in use.
    pub fn keep(&self, credential: Arc<str>, key: Arc<SigningKey>) {
        self.kept.insert(credential, key);
    }
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self::new()
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
        let (key, _) = SigningKeys::new().get(&authorization("k", "20150830"), &secret);
        let text = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                    f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        let signature = hmac::sign(key.key(), text.as_bytes());
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(signature.as_ref(), super::super::header::from_hex(expected.as_bytes()).unwrap());
    }

    #[test]
    fn a_kept_key_is_found_again_unless_the_secret_changed() {
        let keys = SigningKeys::new();
        let (old, new) = (Secret::from("old".to_owned()), Secret::from("new".to_owned()));
        let today = authorization("AKID/20150830/us-east-1/iam/aws4_request", "20150830");
        let (key, name) = keys.get(&today, &old);
        keys.keep(name.unwrap(), key.clone());
        let (again, name) = keys.get(&today, &old);
        assert!(Arc::ptr_eq(&key, &again) && name.is_none());
        let (other, name) = keys.get(&today, &new);
        assert!(!Arc::ptr_eq(&key, &other) && name.is_some());
    }
}
