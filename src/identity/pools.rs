//! The pools, held in memory.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;

use super::{IdentityError, Result, draw_id, identities::ATTEMPTS};
use crate::{
    base::{AccountId, Region, clock::SharedClock, rng::SharedRng},
    store::{
        Change, Feed, Follower, Kind, StoreError,
        identity::{IdentityStore, PoolRecord, PoolRoles, PoolSettings, Written},
    },
};

/// How many identities of a deleted pool one transaction removes, so that other writers are not kept waiting.
const SWEPT_AT_ONCE: u32 = 1000;

type ById = HashMap<String, Arc<PoolRecord>>;

/// Every pool.
pub struct Pools {
    store: Arc<dyn IdentityStore>,
    feed: Arc<Feed>,
    clock: SharedClock,
    rng: SharedRng,
    region: Region,
    by_id: ArcSwap<ById>,
}

/// A pool to be made.
#[derive(Clone, Debug)]
pub struct NewPool {
    /// Whose it is to be.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// How it is set.
    pub settings: PoolSettings,
}

/// Some of an account's pools, in the order of their ids.
#[derive(Clone, Debug)]
pub struct PoolPage {
    /// The pools.
    pub pools: Vec<Arc<PoolRecord>>,
    /// The last of them, if there are more.
    pub next: Option<String>,
}

impl Pools {
    /// Holds nothing until it is loaded: make it a follower of `feed`.
    pub fn new(
        store: Arc<dyn IdentityStore>,
        feed: Arc<Feed>,
        clock: SharedClock,
        rng: SharedRng,
        region: Region,
    ) -> Arc<Self> {
        Arc::new(Self { store, feed, clock, rng, region, by_id: ArcSwap::default() })
    }

    /// A pool of any account, as apps find it.
    pub fn find(&self, id: &str) -> Option<Arc<PoolRecord>> {
        self.by_id.load().get(id).cloned()
    }

    /// A pool of this account.
    pub fn get(&self, account: AccountId, id: &str) -> Result<Arc<PoolRecord>> {
        self.find(id)
            .filter(|pool| pool.account == account)
            .ok_or_else(|| IdentityError::PoolNotFound(id.to_owned()))
    }

    /// At most `limit` pools of this account after the pool `after`, which need not exist any more.
    pub fn list(&self, account: AccountId, after: Option<&str>, limit: usize) -> PoolPage {
        let by_id = self.by_id.load();
        let mut pools: Vec<_> = by_id
            .values()
            .filter(|pool| pool.account == account && after.is_none_or(|after| pool.id.as_str() > after))
            .cloned()
            .collect();
        pools.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let more = pools.len() > limit;
        pools.truncate(limit);
        let next = pools.last().filter(|_| more).map(|pool| pool.id.clone());
        PoolPage { pools, next }
    }

    /// Makes a pool.
    pub async fn create(&self, new: NewPool) -> Result<Arc<PoolRecord>> {
        let pool = PoolRecord {
            id: draw_id(&self.region, self.rng.as_ref()),
            account: new.account,
            name: new.name,
            settings: new.settings,
            roles: PoolRoles::default(),
            tag_maps: BTreeMap::new(),
            created: self.clock.now(),
            revision: 0,
        };
        self.store.add_pool(&pool).await?;
        self.feed.catch_up().await?;
        Ok(Arc::new(pool))
    }

    /// Changes a pool: `change` is given it as it is. Others' changes at the same moment are kept, as long as the two are not
    /// of the very same thing.
    pub async fn change(
        &self,
        account: AccountId,
        id: &str,
        change: impl Fn(&mut PoolRecord) -> Result<()> + Send + Sync,
    ) -> Result<Arc<PoolRecord>> {
        for _ in 0..ATTEMPTS {
            let mut pool = PoolRecord::clone(&*self.get(account, id)?);
            change(&mut pool)?;
            let written = self.store.replace_pool(&pool, self.clock.now()).await?;
            self.feed.catch_up().await?;
            if written == Written::Done {
                return self.get(account, id);
            }
        }
        Err(IdentityError::ConcurrentModification)
    }

    /// Replaces a pool's roles.
    pub async fn set_roles(&self, account: AccountId, id: &str, roles: &PoolRoles) -> Result<()> {
        self.change(account, id, |pool| {
            pool.roles = roles.clone();
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Deletes a pool. Its identities are dead when the first transaction is through; then their rows are removed.
    pub async fn delete(&self, account: AccountId, id: &str) -> Result<()> {
        if !self.store.delete_pool(account, id, self.clock.now()).await? {
            return Err(IdentityError::PoolNotFound(id.to_owned()));
        }
        self.feed.catch_up().await?;
        while self.store.sweep(SWEPT_AT_ONCE).await? > 0 {}
        Ok(())
    }

    /// Removes the rows of identities whose pool is gone, or who were merged into one that is gone. To be called at start: the
    /// gateway may have ended in between.
    pub async fn sweep(&self) -> Result<()> {
        while self.store.sweep(SWEPT_AT_ONCE).await? > 0 {}
        while self.store.sweep_merged(SWEPT_AT_ONCE).await? > 0 {}
        Ok(())
    }
}

#[async_trait]
impl Follower for Pools {
    async fn load(&self) -> std::result::Result<(), StoreError> {
        let pools = self.store.pools().await?;
        self.by_id.store(Arc::new(pools.into_iter().map(|pool| (pool.id.clone(), Arc::new(pool))).collect()));
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> std::result::Result<(), StoreError> {
        let mut by_id: Option<ById> = None;
        for change in changes.iter().filter(|change| change.kind == Kind::Pool) {
            let by_id = by_id.get_or_insert_with(|| ById::clone(&self.by_id.load()));
            match self.store.pool(&change.key).await? {
                Some(pool) => by_id.insert(change.key.clone(), Arc::new(pool)),
                None => by_id.remove(&change.key),
            };
        }
        if let Some(by_id) = by_id {
            self.by_id.store(Arc::new(by_id));
        }
        Ok(())
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").field("pools", &self.by_id.load().len()).finish_non_exhaustive()
    }
}
