//! The key ring: sealing and deriving with keys of one purpose each.
//!
//! A ring holds numbered keys of 32 bytes. The newest seals; every one that is still there opens. For each purpose a
//! key of its own is derived by HKDF-SHA256 with the purpose's label, so that what is sealed for one purpose opens for no
//! other. Sealed bytes are `version (1) ‖ key id (4, big-endian) ‖ nonce (12) ‖ ciphertext and tag`, AES-256-GCM, with version,
//! key id and whatever the caller names as associated data.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};

use super::{Rng, Secret};

/// What a derived key is for. The labels are part of the stored format: never change one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Session tokens (contract: sealed claims).
    SessionToken,
    /// Secret keys of sessions, derived from the access key id.
    DerivedSecret,
    /// Secret keys of IAM users and of accounts' roots.
    IamSecret,
    /// Environment variables of functions.
    Environment,
    /// Private keys that sign open-id tokens.
    OpenIdKey,
    /// Links to download a function's package.
    PackageLink,
    /// Invoke tokens: what is in them, and their signatures.
    InvokeToken,
    /// Calls that are known by an `Idempotency-Key`, and their answers.
    Idempotency,
}

impl Purpose {
    const ALL: [Self; 8] = [
        Self::SessionToken,
        Self::DerivedSecret,
        Self::IamSecret,
        Self::Environment,
        Self::OpenIdKey,
        Self::PackageLink,
        Self::InvokeToken,
        Self::Idempotency,
    ];

    fn label(self) -> &'static [u8] {
        match self {
            Self::SessionToken => b"callgate/v1/session-token",
            Self::DerivedSecret => b"callgate/v1/derived-secret",
            Self::IamSecret => b"callgate/v1/iam-secret",
            Self::Environment => b"callgate/v1/environment",
            Self::OpenIdKey => b"callgate/v1/open-id-key",
            Self::PackageLink => b"callgate/v1/package-link",
            Self::InvokeToken => b"callgate/v1/invoke-token",
            Self::Idempotency => b"callgate/v1/idempotency",
        }
    }
}

/// Why a ring could not be made, or something not be sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyRingError {
    /// There is no key in it.
    #[error("the key ring holds no key")]
    Empty,
    /// A key is not 32 bytes.
    #[error("key {0} of the ring is not 32 bytes long")]
    KeyLength(u32),
    /// The bytes are no sealed form, or were changed, or belong to another purpose or associated data.
    #[error("the sealed bytes do not open")]
    Sealed,
    /// The key that sealed them is not in the ring.
    #[error("the bytes were sealed with key {0}, which the ring does not hold")]
    UnknownKey(u32),
    /// The newest key has sealed as often as is safe with random nonces.
    #[error("the newest key of the ring has sealed as often as is safe: restart the gateway to rotate it")]
    Exhausted,
}

const VERSION: u8 = 1;
const HEAD: usize = 1 + 4;
const TAG: usize = 16;
/// With random nonces of 96 bits, a key may seal 2^32 times before a repeated one becomes likely enough to matter.
const SEALINGS_MAX: u64 = 1 << 32;

struct Key {
    prk: Prk,
    aead: [LessSafeKey; Purpose::ALL.len()],
    sealings: AtomicU64,
}

/// Numbered keys, the newest of which seals.
pub struct KeyRing {
    keys: BTreeMap<u32, Key>,
    newest: u32,
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    // Expanding 32 bytes from SHA-256 cannot fail: the limit is 255 times the hash's length.
    if prk.expand(info, Length(N)).and_then(|okm| okm.fill(&mut out)).is_err() {
        std::process::abort();
    }
    out
}

impl KeyRing {
    /// A ring of these keys, by id; the highest id is the newest.
    pub fn new(keys: impl IntoIterator<Item = (u32, Secret)>) -> Result<Self, KeyRingError> {
        let keys = keys
            .into_iter()
            .map(|(id, secret)| {
                if secret.expose().len() != 32 {
                    return Err(KeyRingError::KeyLength(id));
                }
                let prk = Salt::new(HKDF_SHA256, b"callgate key ring").extract(secret.expose());
                let aead = Purpose::ALL.map(|purpose| {
                    let bytes: [u8; 32] = expand(&prk, &[purpose.label(), b"/seal"]);
                    match UnboundKey::new(&AES_256_GCM, &bytes) {
                        Ok(key) => LessSafeKey::new(key),
                        // The length is right by construction.
                        Err(_) => std::process::abort(),
                    }
                });
                Ok((id, Key { prk, aead, sealings: AtomicU64::new(0) }))
            })
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        let newest = *keys.keys().next_back().ok_or(KeyRingError::Empty)?;
        Ok(Self { keys, newest })
    }

    /// The id of the key that seals.
    pub fn newest(&self) -> u32 {
        self.newest
    }

    fn key(&self, id: u32) -> Result<&Key, KeyRingError> {
        self.keys.get(&id).ok_or(KeyRingError::UnknownKey(id))
    }

    fn aad(head: &[u8], associated: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([head, associated].concat())
    }

    /// How long so many bytes are when they are sealed.
    pub const fn sealed_length(plaintext: usize) -> usize {
        HEAD + NONCE_LEN + plaintext + TAG
    }

    /// Seals `plaintext` with the newest key.
    pub fn seal(
        &self,
        purpose: Purpose,
        associated: &[u8],
        plaintext: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, KeyRingError> {
        let key = self.key(self.newest)?;
        if key.sealings.fetch_add(1, Ordering::Relaxed) >= SEALINGS_MAX {
            return Err(KeyRingError::Exhausted);
        }
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut out = Vec::with_capacity(HEAD + NONCE_LEN + plaintext.len() + TAG);
        out.push(VERSION);
        out.extend_from_slice(&self.newest.to_be_bytes());
        let aad = Self::aad(&out, associated);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let tag = key.aead[purpose as usize]
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                aad,
                &mut out[HEAD + NONCE_LEN..],
            )
            .map_err(|_| KeyRingError::Sealed)?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Opens what [`Self::seal`] made for the same purpose and associated data.
    pub fn open(&self, purpose: Purpose, associated: &[u8], sealed: &[u8]) -> Result<Secret, KeyRingError> {
        let id = Self::sealed_by(sealed)?;
        let key = self.key(id)?;
        let (head, rest) = sealed.split_at(HEAD);
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(KeyRingError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyRingError::Sealed)?;
        let mut buffer = ciphertext.to_vec();
        let length = key.aead[purpose as usize]
            .open_in_place(nonce, Self::aad(head, associated), &mut buffer)
            .map_err(|_| KeyRingError::Sealed)?
            .len();
        buffer.truncate(length);
        Ok(Secret::new(buffer))
    }

    /// The id of the key that sealed these bytes.
    pub fn sealed_by(sealed: &[u8]) -> Result<u32, KeyRingError> {
        match sealed {
            [VERSION, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => Err(KeyRingError::Sealed),
        }
    }

    /// 32 bytes that belong to this key, purpose and `info` alone.
    pub fn derive(&self, key_id: u32, purpose: Purpose, info: &[u8]) -> Result<[u8; 32], KeyRingError> {
        Ok(expand(&self.key(key_id)?.prk, &[purpose.label(), b"/derive/", info]))
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).field("newest", &self.newest).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;

    fn ring(ids: &[u8]) -> KeyRing {
        KeyRing::new(ids.iter().map(|id| (u32::from(*id), Secret::new(vec![*id; 32])))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_and_data_alone() {
        let ring = ring(&[1]);
        let rng = SeededRng::new(1);
        let sealed = ring.seal(Purpose::IamSecret, b"AKIA1", b"secret", &rng).unwrap();
        assert_eq!(ring.open(Purpose::IamSecret, b"AKIA1", &sealed).unwrap().expose(), b"secret");
        assert_eq!(ring.open(Purpose::IamSecret, b"AKIA2", &sealed).unwrap_err(), KeyRingError::Sealed);
        assert_eq!(ring.open(Purpose::Environment, b"AKIA1", &sealed).unwrap_err(), KeyRingError::Sealed);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let ring = ring(&[1]);
        let sealed = ring.seal(Purpose::SessionToken, b"a", b"claims", &SeededRng::new(1)).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.open(Purpose::SessionToken, b"a", &changed).is_err(), "byte {at}");
            assert!(ring.open(Purpose::SessionToken, b"a", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_newest_key_seals_and_older_ones_still_open() {
        let old = ring(&[1]).seal(Purpose::Environment, b"", b"x", &SeededRng::new(1)).unwrap();
        let both = ring(&[1, 2]);
        assert_eq!(both.open(Purpose::Environment, b"", &old).unwrap().expose(), b"x");
        let new = both.seal(Purpose::Environment, b"", b"x", &SeededRng::new(1)).unwrap();
        assert_eq!(KeyRing::sealed_by(&new), Ok(2));
        assert_eq!(
            ring(&[1]).open(Purpose::Environment, b"", &new).unwrap_err(),
            KeyRingError::UnknownKey(2)
        );
    }

    #[test]
    fn derived_keys_differ_by_key_purpose_and_info() {
        let ring = ring(&[1, 2]);
        let one = ring.derive(1, Purpose::DerivedSecret, b"ASIA1").unwrap();
        assert_eq!(one, ring.derive(1, Purpose::DerivedSecret, b"ASIA1").unwrap());
        assert_ne!(one, ring.derive(2, Purpose::DerivedSecret, b"ASIA1").unwrap());
        assert_ne!(one, ring.derive(1, Purpose::IamSecret, b"ASIA1").unwrap());
        assert_ne!(one, ring.derive(1, Purpose::DerivedSecret, b"ASIA2").unwrap());
    }

    #[test]
    fn a_ring_needs_keys_of_the_right_length() {
        assert_eq!(KeyRing::new([]).unwrap_err(), KeyRingError::Empty);
        assert_eq!(KeyRing::new([(3, Secret::new(vec![0; 31]))]).unwrap_err(), KeyRingError::KeyLength(3));
    }
}
