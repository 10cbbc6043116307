//! A store that fails when it is told to, before what it is asked is done or after.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;

use crate::{
    base::{AccountId, Timestamp},
    store::{
        StoreError,
        identity::{IdentityRecord, IdentityStore, Login, OpenIdKeyRecord, PoolRecord, Written},
        sqlite::SqliteStore,
    },
};

const NEVER: usize = usize::MAX;

/// What every failure here is.
pub(super) fn failure() -> StoreError {
    StoreError::Packages("the test's store failed, as it was told to".to_owned())
}

/// When the store fails: counts down, two for each question, one before it is done and one after.
#[derive(Clone)]
pub(super) struct Flaky(Arc<AtomicUsize>);

impl Default for Flaky {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(NEVER)))
    }
}

impl Flaky {
    /// Has it fail once, after so many moments.
    pub(super) fn fail_after(&self, moments: usize) {
        self.0.store(moments, Ordering::Relaxed);
    }

    /// Has it work again.
    pub(super) fn work(&self) {
        self.0.store(NEVER, Ordering::Relaxed);
    }

    /// This store, when it works.
    pub(super) fn over(&self, store: SqliteStore) -> Arc<dyn IdentityStore> {
        Arc::new(FlakyStore { flaky: self.clone(), store })
    }

    fn moment(&self) -> Result<(), StoreError> {
        let left = self.0.load(Ordering::Relaxed);
        if left == NEVER {
            return Ok(());
        }
        self.0.store(left.checked_sub(1).unwrap_or(NEVER), Ordering::Relaxed);
        if left == 0 { Err(failure()) } else { Ok(()) }
    }
}

struct FlakyStore {
    flaky: Flaky,
    store: SqliteStore,
}

impl FlakyStore {
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.flaky.moment()?;
        let answer = question.await?;
        self.flaky.moment()?;
        Ok(answer)
    }
}

#[async_trait]
impl IdentityStore for FlakyStore {
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
        self.store.sweep(limit).await
    }

    async fn sweep_merged(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.sweep_merged(limit).await
    }

    async fn touch(&self, guest: &str, now: Timestamp) -> Result<Written, StoreError> {
        self.ask(self.store.touch(guest, now)).await
    }

    async fn sweep_guests(&self, used_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store.sweep_guests(used_before, limit).await
    }

    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError> {
        self.ask(self.store.identity(id)).await
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
        self.ask(self.store.owners(pool_id, logins)).await
    }

    async fn add_identity(
        &self,
        pool_id: &str,
        id: &str,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.ask(self.store.add_identity(pool_id, id, logins, now)).await
    }

    async fn link(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.ask(self.store.link(seen, logins, now)).await
    }

    async fn unlink(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.ask(self.store.unlink(seen, logins, now)).await
    }

    async fn merge(
        &self,
        from: &IdentityRecord,
        into: &IdentityRecord,
        new: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.ask(self.store.merge(from, into, new, now)).await
    }

    async fn delete_identity(&self, id: &str) -> Result<bool, StoreError> {
        self.ask(self.store.delete_identity(id)).await
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
