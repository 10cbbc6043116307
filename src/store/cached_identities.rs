//! Identities that were read of late, in memory, so that credentials of a known identity cost no read.
//!
//! Every write goes through here, and takes what it may have changed out of the cache when it is done. A read that began before
//! that puts nothing in: it compares the number of writes before and after, in the same turn in which the entry is changed.
//! (Only one process at a time serves a data directory, so nobody else writes.)

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use async_trait::async_trait;
use moka::{ops::compute::Op, sync::Cache};

use super::{
    StoreError,
    identity::{IdentityRecord, IdentityStore, Login, OpenIdKeyRecord, PoolRecord, Written},
};
use crate::base::{AccountId, Timestamp};

/// What an entry takes beside its texts, in bytes.
const ENTRY_BYTES: usize = 400;
/// What a login takes beside its texts.
const LOGIN_BYTES: usize = 64;

/// A store whose identities are read from memory where they are known.
pub struct CachedIdentities {
    store: Arc<dyn IdentityStore>,
    known: Cache<String, Arc<IdentityRecord>>,
    writes: AtomicU64,
}

fn bytes(_: &String, identity: &Arc<IdentityRecord>) -> u32 {
    let logins = identity.logins.iter().map(|login| LOGIN_BYTES + login.provider.len() + login.subject.len());
    u32::try_from(ENTRY_BYTES + logins.sum::<usize>()).unwrap_or(u32::MAX)
}

impl CachedIdentities {
    /// Keeps at most so many bytes.
    pub fn new(store: Arc<dyn IdentityStore>, bytes_max: u64) -> Self {
        let known = Cache::builder().max_capacity(bytes_max).weigher(bytes).build();
        Self { store, known, writes: AtomicU64::new(0) }
    }

    /// About how many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.known.weighted_size()
    }

    /// These have changed.
    fn forget<'i>(&self, ids: impl IntoIterator<Item = &'i str>) {
        for id in ids {
            self.known.entry(id.to_owned()).and_compute_with(|_| {
                self.writes.fetch_add(1, SeqCst);
                Op::Remove
            });
        }
    }

    /// Nobody knows which have changed.
    fn forget_all(&self) {
        self.writes.fetch_add(1, SeqCst);
        self.known.invalidate_all();
    }

    fn remember(&self, identity: &Arc<IdentityRecord>, writes_before: u64) {
        self.known.entry(identity.id.clone()).and_compute_with(|_| {
            if self.writes.load(SeqCst) == writes_before { Op::Put(identity.clone()) } else { Op::Nop }
        });
    }
}

#[async_trait]
impl IdentityStore for CachedIdentities {
    async fn pools(&self) -> Result<Vec<PoolRecord>, StoreError> {
        self.store.pools().await
    }

    async fn pool(&self, id: &str) -> Result<Option<PoolRecord>, StoreError> {
        self.store.pool(id).await
    }

    async fn add_pool(&self, pool: &PoolRecord) -> Result<(), StoreError> {
        self.store.add_pool(pool).await
    }

    async fn replace_pool(&self, pool: &PoolRecord, now: Timestamp) -> Result<Written, StoreError> {
        self.store.replace_pool(pool, now).await
    }

    async fn delete_pool(&self, account: AccountId, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.store.delete_pool(account, id, now).await
    }

    async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        let swept = self.store.sweep(limit).await;
        if !matches!(swept, Ok(0)) {
            self.forget_all();
        }
        swept
    }

    async fn sweep_merged(&self, limit: u32) -> Result<u64, StoreError> {
        let swept = self.store.sweep_merged(limit).await;
        if !matches!(swept, Ok(0)) {
            self.forget_all();
        }
        swept
    }

    async fn touch(&self, guest: &str, now: Timestamp) -> Result<Written, StoreError> {
        let written = self.store.touch(guest, now).await;
        self.forget([guest]);
        written
    }

    async fn sweep_guests(&self, used_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let swept = self.store.sweep_guests(used_before, limit).await;
        if !matches!(swept, Ok(0)) {
            self.forget_all();
        }
        swept
    }

    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError> {
        if let Some(known) = self.known.get(id) {
            return Ok(Some((*known).clone()));
        }
        let writes_before = self.writes.load(SeqCst);
        let read = self.store.identity(id).await?;
        if let Some(identity) = &read {
            self.remember(&Arc::new(identity.clone()), writes_before);
        }
        Ok(read)
    }

    async fn identities(
        &self,
        pool_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<IdentityRecord>, StoreError> {
        self.store.identities(pool_id, after, limit).await
    }

    async fn merged_into(&self, id: &str, since: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.store.merged_into(id, since, limit).await
    }

    async fn owners(&self, pool_id: &str, logins: &[Login]) -> Result<Vec<Option<String>>, StoreError> {
        if logins.is_empty() { Ok(Vec::new()) } else { self.store.owners(pool_id, logins).await }
    }

    async fn add_identity(
        &self,
        pool_id: &str,
        id: &str,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.store.add_identity(pool_id, id, logins, now).await
    }

    async fn link(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let written = self.store.link(seen, logins, now).await;
        self.forget([&*seen.id]);
        written
    }

    async fn unlink(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let written = self.store.unlink(seen, logins, now).await;
        self.forget([&*seen.id]);
        written
    }

    async fn merge(
        &self,
        from: &IdentityRecord,
        into: &IdentityRecord,
        new: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let written = self.store.merge(from, into, new, now).await;
        self.forget([&*from.id, &*into.id]);
        written
    }

    async fn delete_identity(&self, id: &str) -> Result<bool, StoreError> {
        let deleted = self.store.delete_identity(id).await;
        // What was merged into it is gone, too.
        self.forget_all();
        deleted
    }

    async fn open_id_keys(&self) -> Result<Vec<OpenIdKeyRecord>, StoreError> {
        self.store.open_id_keys().await
    }

    async fn add_open_id_key(
        &self,
        key: &OpenIdKeyRecord,
        newest: Option<&str>,
    ) -> Result<Written, StoreError> {
        self.store.add_open_id_key(key, newest).await
    }

    async fn remove_open_id_key(&self, id: &str) -> Result<(), StoreError> {
        self.store.remove_open_id_key(id).await
    }
}

impl std::fmt::Debug for CachedIdentities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedIdentities").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
