//! Open-id tokens: what an identity shows to others, who verify it with the published key.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Identities, Logins, Result};
use crate::{
    authn::oidc::{
        SigningKey, SigningKeyError,
        signing::{discovery, jwks},
    },
    base::{KeyRing, clock::SharedClock, rng::SharedRng},
    store::identity::{IdentityStore, OpenIdKeyRecord},
};

/// How long a token lasts.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// The keys of this gateway: the newest signs, all are published.
pub struct OpenIdKeys {
    newest: SigningKey,
    older: Vec<SigningKey>,
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
    pub async fn load(
        store: &dyn IdentityStore,
        ring: &KeyRing,
        clock: &SharedClock,
        rng: &SharedRng,
    ) -> Result<Arc<Self>> {
        let mut records = store.open_id_keys().await?;
        if records.is_empty() {
            let made = tokio::task::spawn_blocking(SigningKey::generate)
                .await
                .map_err(|_| SigningKeyError::Library("making an RSA key was broken off"))??;
            let record = OpenIdKeyRecord {
                id: made.id().to_owned(),
                sealed: made.seal(ring, rng.as_ref())?,
                created: clock.now(),
            };
            // Whoever was quicker, the store has one now.
            let _ = store.add_first_open_id_key(&record).await?;
            records = store.open_id_keys().await?;
        }
        let mut keys = records
            .iter()
            .map(|record| SigningKey::open(&record.id, &record.sealed, ring))
            .collect::<std::result::Result<Vec<_>, _>>()?
            .into_iter();
        let newest = keys.next().ok_or(SigningKeyError::Library("the store lost its key"))?;
        Ok(Arc::new(Self { newest, older: keys.collect() }))
    }

    /// The key set's document, for [`crate::authn::oidc::signing::JWKS_PATH`].
    pub fn jwks(&self) -> Value {
        jwks(std::iter::once(&self.newest).chain(&self.older))
    }

    /// The discovery document of a gateway at this URL, for [`crate::authn::oidc::signing::DISCOVERY_PATH`].
    pub fn discovery(public_url: &str) -> Value {
        discovery(public_url)
    }
}

impl fmt::Debug for OpenIdKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdKeys").field("newest", &self.newest).field("older", &self.older).finish()
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
        let caller = resolved.caller();
        let token = self.parts.open_id_keys.newest.sign(&json!({
            "iss": issuer,
            "aud": caller.pool_id,
            "sub": caller.identity_id,
            "amr": caller.amr,
            "iat": issued.seconds(),
            "exp": issued.plus(LIFETIME).seconds(),
        }))?;
        Ok(OpenIdToken { identity_id: resolved.id, token })
    }
}
