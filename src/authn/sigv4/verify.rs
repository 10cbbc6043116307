//! The signature itself: hash of the canonical request, string to sign, comparison.

use std::sync::Arc;

use aws_lc_rs::{
    digest::{Context, Digest, SHA256, digest},
    hmac,
};

use super::{
    canonical::Canonical,
    header::{ALGORITHM, Authorization, SigningTime, TERMINATOR, to_hex},
    key::SigningKey,
};
use crate::authn::AuthnError;

/// All of a signature but the body: what is left to do when the body is there is one hash over it, one block of the
/// canonical request's hash, and one HMAC.
pub struct Unverified {
    candidates: [Option<Context>; 2],
    /// The string to sign up to the hash of the canonical request.
    prefix: String,
    key: Arc<SigningKey>,
    signature: [u8; 32],
    declared_body: Option<[u8; 64]>,
}

impl Unverified {
    /// Takes the signature of this head; `declared_body` is what `X-Amz-Content-Sha256` says.
    pub fn new(
        authorization: &Authorization<'_>,
        canonical: &Canonical,
        signed_at: &SigningTime<'_>,
        key: Arc<SigningKey>,
        declared_body: Option<[u8; 64]>,
    ) -> Self {
        let Authorization { date, region, service, signature, .. } = *authorization;
        let hashed = |pieces: &[&[u8]]| {
            let mut context = Context::new(&SHA256);
            pieces.iter().for_each(|piece| context.update(piece));
            context
        };
        let as_sent = hashed(&[canonical.as_sent()]);
        let encoded_anew = canonical.encoded_anew().map(|pieces| hashed(&pieces));
        let at = signed_at.text();
        Self {
            candidates: [Some(as_sent), encoded_anew],
            prefix: format!("{ALGORITHM}\n{at}\n{date}/{region}/{service}/{TERMINATOR}\n"),
            key,
            signature,
            declared_body,
        }
    }

    /// Checks the signature over the head and this body, and gives the body's hash. The comparison takes the same time
    /// wherever the two differ.
    pub fn verify(self, body: &[u8]) -> Result<[u8; 32], AuthnError> {
        let body_hash = bytes(&digest(&SHA256, body))?;
        let body = to_hex(&body_hash);
        if self.declared_body.is_some_and(|declared| declared != body) {
            return Err(AuthnError::invalid(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        for mut context in self.candidates.into_iter().flatten() {
            context.update(&body);
            let hash = to_hex(&bytes(&context.finish())?);
            let text = [self.prefix.as_bytes(), &hash].concat();
            if hmac::verify(self.key.key(), &text, &self.signature).is_ok() {
                return Ok(body_hash);
            }
        }
        Err(AuthnError::MISMATCH)
    }
}

fn bytes(digest: &Digest) -> Result<[u8; 32], AuthnError> {
    // A SHA-256 digest is 32 bytes long; anything else verifies nothing.
    digest.as_ref().try_into().map_err(|_| AuthnError::MISMATCH)
}
