//! Retries that run once, and what they must hear of identities and pools.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{OpenError, Parts, settings::idempotency_options};
use crate::{
    base::Timestamp,
    dispatch::{Idempotency, idempotency},
    identity::{Pools, fates::IdentityFates},
    store::{
        Change, Follower, Kind, StoreError,
        cached_identities::CachedIdentities,
        identity::{IdentityRecord, IdentityStore},
    },
};

/// How long answers may take to be kept after the last run has ended.
pub(super) const CLOSE: Duration = Duration::from_secs(5);

/// Opens what is kept, and catches up with what became of the identities meanwhile: a crash may have come between a merge or a
/// deletion and its being told.
pub(super) async fn open(
    parts: &Parts,
    identities: &CachedIdentities,
) -> Result<Arc<Idempotency>, OpenError> {
    let options = idempotency_options(&parts.config);
    let folder = parts.dir.idempotency();
    let of = idempotency::Parts {
        folder: folder.clone(),
        ring: parts.ring.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
    };
    let opened = tokio::task::spawn_blocking(move || Idempotency::open(options, of))
        .await
        .map_err(std::io::Error::other)
        .and_then(|opened| opened)
        .map_err(|cause| OpenError::Idempotency { path: folder, cause })?;
    let idempotency = opened.idempotency;
    for id in &opened.identities {
        follow(&idempotency, identities, id).await?;
    }
    Ok(idempotency)
}

/// Tells what became of one identity, and of those that it was merged into.
async fn follow(
    idempotency: &Arc<Idempotency>,
    identities: &CachedIdentities,
    id: &str,
) -> Result<(), StoreError> {
    let mut id = id.to_owned();
    for _ in 0..idempotency::MERGES_MAX {
        match identities.identity(&id).await? {
            None => {
                idempotency.erase_identity(&id).await;
                return Ok(());
            }
            Some(IdentityRecord { merged: Some(merged), .. }) => {
                idempotency.merged(&id, &merged.into, merged.at);
                id = merged.into;
            }
            Some(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Hears what becomes of identities.
pub(super) struct Fates(pub(super) Arc<Idempotency>);

#[async_trait]
impl IdentityFates for Fates {
    fn merged(&self, from: &str, into: &str, at: Timestamp) {
        self.0.merged(from, into, at);
    }

    async fn deleted(&self, id: &str) {
        if !self.0.erase_identity(id).await {
            tracing::error!(
                identity = id,
                "the calls of a deleted identity could not be erased; a restart tries again"
            );
        }
    }
}

/// Erases the calls of pools that are gone.
pub(super) struct Forgetting {
    pub(super) pools: Arc<Pools>,
    pub(super) idempotency: Arc<Idempotency>,
}

#[async_trait]
impl Follower for Forgetting {
    async fn load(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes.iter().filter(|change| change.kind == Kind::Pool) {
            if self.pools.find(&change.key).is_none() && !self.idempotency.erase_pool(&change.key).await {
                tracing::error!(
                    pool = change.key,
                    "the calls of a deleted pool could not be erased; a restart tries again"
                );
            }
        }
        Ok(())
    }
}
