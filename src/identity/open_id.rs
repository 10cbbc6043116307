//! Open-id tokens: what an identity shows to others, who verify it with the published keys.
//!
//! Keys are replaced in good time ([`OpenIdKeys::turn`]): a new one is published for a while before it signs, so that whoever keeps
//! the key set knows it when its first token comes, and an old one stays published until its last token has ended.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use serde_json::{Map, Value, json};

use super::{Identities, IdentityError, Logins, Result, tags};
use crate::{
    authn::oidc::{
        SigningKey, SigningKeyError,
        signing::{claims_signed_by, discovery, jwks},
    },
    base::{KeyRing, Timestamp, clock::SharedClock, rng::SharedRng},
    store::identity::{IdentityStore, OpenIdKeyRecord},
};

/// How long a token lasts.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// The longest that any token signed by these keys lasts: a developer's (API reference of GetOpenIdTokenForDeveloperIdentity).
const TOKEN_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a key is published before it signs. The documents may be kept for five minutes, and many verifiers keep them longer.
const PUBLISHED_BEFORE: Duration = Duration::from_secs(3600);
/// How much longer than its last token a key is published: clocks differ, and verifiers have a leeway.
const PUBLISHED_AFTER: Duration = Duration::from_secs(3600);

/// What [`OpenIdKeys`] works with.
pub struct OpenIdKeysParts {
    /// Keeps the keys.
    pub store: Arc<dyn IdentityStore>,
    /// Seals them.
    pub ring: Arc<KeyRing>,
    /// How long a key signs.
    pub period: Duration,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

/// The keys of this gateway: one signs, all are published.
pub struct OpenIdKeys {
    parts: OpenIdKeysParts,
    /// The newest first.
    keys: ArcSwap<Vec<Arc<Key>>>,
}

#[derive(Debug)]
struct Key {
    key: SigningKey,
    created: Timestamp,
}

impl Key {
    /// From when on it signs, unless it is the only one.
    fn signs_from(&self) -> Timestamp {
        self.created.plus(PUBLISHED_BEFORE)
    }
}

/// A token and whose it is.
#[derive(Clone)]
pub struct OpenIdToken {
    /// The identity.
    pub identity_id: String,
    /// The token.
    pub token: String,
}

impl OpenIdKeys {
    /// Reads the keys from the store; makes the first one where there is none, which takes a moment's computing.
    pub async fn load(parts: OpenIdKeysParts) -> Result<Arc<Self>> {
        let keys = Arc::new(Self { parts, keys: ArcSwap::default() });
        keys.turn().await?;
        Ok(keys)
    }

    /// Makes a key where the newest has signed its time, and forgets those whose tokens have ended. To be called now and then.
    pub async fn turn(&self) -> Result<()> {
        let (store, now) = (&self.parts.store, self.parts.clock.now());
        let records = store.open_id_keys().await?;
        let newest = records.first();
        if newest.is_none_or(|newest| newest.created.plus(self.parts.period) <= now) {
            let made = tokio::task::spawn_blocking(SigningKey::generate)
                .await
                .map_err(|_| SigningKeyError::Library("making an RSA key was broken off"))??;
            let record = OpenIdKeyRecord {
                id: made.id().to_owned(),
                sealed: made.seal(&self.parts.ring, self.parts.rng.as_ref())?,
                created: now,
            };
            // Whoever was quicker, the store has one now.
            let _ = store.add_open_id_key(&record, newest.map(|newest| newest.id.as_str())).await?;
            tracing::info!(key = record.id, "a new key for open-id tokens was made");
        }
        for ended in ended(&store.open_id_keys().await?, now) {
            store.remove_open_id_key(&ended).await?;
            tracing::info!(key = ended, "a key for open-id tokens was removed: its tokens have ended");
        }
        let known = self.keys.load();
        let keys = store.open_id_keys().await?.into_iter().map(|record| {
            if let Some(key) = known.iter().find(|key| key.key.id() == record.id) {
                return Ok(key.clone());
            }
            let key = SigningKey::open(&record.id, &record.sealed, &self.parts.ring)?;
            Ok(Arc::new(Key { key, created: record.created }))
        });
        let keys = keys.collect::<std::result::Result<Vec<_>, SigningKeyError>>()?;
        if keys.is_empty() {
            return Err(SigningKeyError::Library("the store lost its key").into());
        }
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// A token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> Result<String> {
        let (keys, now) = (self.keys.load(), self.parts.clock.now());
        // The first one that may; else the oldest, which is the only one or about to be replaced.
        let signs = keys.iter().find(|key| key.signs_from() <= now).or_else(|| keys.last());
        let key = signs.ok_or(SigningKeyError::Library("there is no key"))?;
        Ok(key.key.sign(claims)?)
    }

    /// The claims of a token that one of these keys signed. Nothing of what they say has been looked at.
    pub(super) fn verify(&self, token: &str) -> Result<Map<String, Value>> {
        let keys = self.keys.load();
        claims_signed_by(keys.iter().map(|key| &key.key), token).map_err(IdentityError::Token)
    }

    /// The key set's document, for [`crate::authn::oidc::signing::JWKS_PATH`].
    pub fn jwks(&self) -> Value {
        jwks(self.keys.load().iter().map(|key| &key.key))
    }

    /// The discovery document of a gateway at this URL, for [`crate::authn::oidc::signing::DISCOVERY_PATH`].
    pub fn discovery(public_url: &str) -> Value {
        discovery(public_url)
    }
}

/// The ids of keys, newest first, whose last tokens have ended: those that another has signed for long enough in their place.
fn ended(records: &[OpenIdKeyRecord], now: Timestamp) -> Vec<String> {
    let stay = TOKEN_MAX + PUBLISHED_AFTER;
    let replaced = |newer: &OpenIdKeyRecord| newer.created.plus(PUBLISHED_BEFORE).plus(stay) <= now;
    records.windows(2).filter(|pair| replaced(&pair[0])).map(|pair| pair[1].id.clone()).collect()
}

impl fmt::Debug for OpenIdKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdKeys").field("keys", &*self.keys.load()).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdToken").field("identity_id", &self.identity_id).finish_non_exhaustive()
    }
}

impl Identities {
    /// A token that says which identity of which pool this is, issued by the gateway at `issuer` (its public URL).
    pub async fn open_id_token(
        &self,
        issuer: &str,
        identity_id: &str,
        logins: &Logins,
    ) -> Result<OpenIdToken> {
        // Before anything is checked: what is revoked after this moment takes this token along.
        let issued = self.parts.clock.now();
        let resolved = self.resolve(identity_id, logins).await?;
        if resolved.pool.settings.allow_classic_flow != Some(true) {
            return Err(IdentityError::BasicFlowOff);
        }
        let caller = resolved.caller();
        let mut claims = json!({
            "iss": issuer,
            "aud": caller.pool_id,
            "sub": caller.identity_id,
            "amr": caller.amr,
            "iat": issued.seconds(),
            "exp": issued.plus(LIFETIME).seconds(),
        });
        tags::into_claims(&caller.principal_tags, &mut claims);
        let token = self.parts.open_id_keys.sign(&claims)?;
        Ok(OpenIdToken { identity_id: resolved.id, token })
    }
}

#[cfg(test)]
mod tests;
