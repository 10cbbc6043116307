//! The limits that single accounts, functions and pools have instead of the general ones, reserved concurrency among them:
//! kept by the store, in force from the answer on. What is used of them is [`Quota`]'s.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

pub use crate::quota::{ACCOUNT_CONCURRENCY, Override, RESERVED_CONCURRENCY, Rate, Target, Value};
use crate::{
    base::{AccountId, clock::SharedClock},
    quota::{FULL_AFTER_MAX, Quota},
    store::{
        Change, Feed, Follower, Kind, StoreError,
        limits::{LimitRecord, LimitStore, LimitTarget, LimitValue},
    },
};

/// How many there may be, over all accounts.
pub const LIMITS_MAX: usize = 10_000;

/// Why a limit was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// There is no such limit, or not in this form.
    #[error("{0}.")]
    Invalid(String),
    /// There is no such function or pool.
    #[error("{0} not found.")]
    NotFound(String),
    /// Others would be left with too little.
    #[error(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
         minimum value of [{minimum}]."
    )]
    Unreserved {
        /// What must be left.
        minimum: u32,
    },
    /// The account's functions have reserved more.
    #[error(
        "Functions of account {account} have reserved {reserved} executions, and {minimum} must be left: it cannot have fewer \
         than {}.",
        reserved + minimum
    )]
    Reserved {
        /// The account.
        account: AccountId,
        /// What its functions have reserved.
        reserved: u32,
        /// What must be left.
        minimum: u32,
    },
    /// There are as many as there may be.
    #[error("{LIMITS_MAX} limits are set already: delete some, or write a rule into the configuration.")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sets limits.
pub struct Limits {
    store: Arc<dyn LimitStore>,
    feed: Arc<Feed>,
    quota: Arc<Quota>,
    clock: SharedClock,
    /// Whoever changes limits reads, checks and commits behind this.
    writing: Mutex<()>,
}

impl Limits {
    /// Sets none until it is loaded: make it a follower of `feed`.
    pub fn new(
        store: Arc<dyn LimitStore>,
        feed: Arc<Feed>,
        quota: Arc<Quota>,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self { store, feed, quota, clock, writing: Mutex::new(()) })
    }

    /// Sets a limit, in the place of the one that there is.
    pub async fn put(&self, limit: Override) -> Result<(), LimitError> {
        let _writing = self.writing.lock().await;
        self.quota.check_override(&limit.target, &limit.limit, &limit.value).map_err(LimitError::Invalid)?;
        if let Value::Rate(rate) = limit.value
            && rate.full_after() > FULL_AFTER_MAX
        {
            let days = FULL_AFTER_MAX.as_secs() / 86_400;
            let why = format!("the burst takes more than {days} days to come back: choose a smaller one");
            return Err(LimitError::Invalid(why));
        }
        self.check_concurrency(&limit)?;
        let is_new = self.value(limit.account, &limit.target, &limit.limit).is_none();
        if is_new && self.quota.overrides().len() >= LIMITS_MAX {
            return Err(LimitError::Full);
        }
        if !self.store.put_limit(&record(&limit), self.clock.now()).await? {
            return Err(LimitError::NotFound(shown(&limit.target)));
        }
        self.feed.catch_up().await?;
        tracing::info!(?limit, "a limit was set");
        Ok(())
    }

    /// Has the general limit hold again; false if there was no other.
    pub async fn delete(&self, account: AccountId, target: &Target, limit: &str) -> Result<bool, LimitError> {
        let _writing = self.writing.lock().await;
        let deleted = self.store.delete_limit(account, &stored(target), limit, self.clock.now()).await?;
        self.feed.catch_up().await?;
        if deleted {
            tracing::info!(%account, ?target, limit, "a limit was taken back");
        }
        Ok(deleted)
    }

    /// What is set in an account, in order.
    pub fn list(&self, account: AccountId) -> Vec<Override> {
        let mut all = self.quota.overrides();
        all.retain(|one| one.account == account);
        all
    }

    /// What is reserved for a function of its account's executions at a time.
    pub fn reserved(&self, account: AccountId, function: &str) -> Option<u32> {
        match self.value(account, &Target::Function(function.into()), RESERVED_CONCURRENCY) {
            Some(Value::Concurrency(units)) => Some(units),
            _ => None,
        }
    }

    /// An account's executions at a time: all, and those that no function has reserved.
    pub fn concurrency(&self, account: AccountId) -> (u32, u32) {
        self.quota.concurrency(account)
    }

    fn value(&self, account: AccountId, target: &Target, limit: &str) -> Option<Value> {
        let all = self.quota.overrides();
        let is_it = |one: &&Override| one.account == account && one.target == *target && &*one.limit == limit;
        all.iter().find(is_it).map(|one| one.value)
    }

    /// That what is reserved leaves something for the others.
    fn check_concurrency(&self, limit: &Override) -> Result<(), LimitError> {
        let (all, unreserved) = self.quota.concurrency(limit.account);
        let minimum = self.quota.config().unreserved_minimum;
        match (&*limit.limit, &limit.target, limit.value) {
            (RESERVED_CONCURRENCY, Target::Function(name), Value::Concurrency(units)) => {
                let before = self.reserved(limit.account, name).unwrap_or_default();
                let left = unreserved.saturating_add(before).checked_sub(units);
                // Less than before is never too much; an account that has little may at least turn functions off.
                if units > before && left.is_none_or(|left| left < minimum) {
                    return Err(LimitError::Unreserved { minimum });
                }
            }
            (ACCOUNT_CONCURRENCY, Target::Account, Value::Concurrency(most)) => {
                let reserved = all - unreserved;
                if reserved > 0 && most < reserved.saturating_add(minimum) {
                    return Err(LimitError::Reserved { account: limit.account, reserved, minimum });
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn read(&self) -> Result<(), StoreError> {
        let records = self.store.limits().await?;
        self.quota.put_overrides(records.into_iter().map(read).collect());
        Ok(())
    }
}

#[async_trait]
impl Follower for Limits {
    async fn load(&self) -> Result<(), StoreError> {
        self.read().await
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let held = self.quota.overrides();
        let concerns = |change: &Change| {
            let is_target = |one: &Override| match &one.target {
                Target::Account => false,
                Target::Function(name) => {
                    change.kind == Kind::Function && change.account == one.account && *change.key == **name
                }
                Target::Pool(id) => change.kind == Kind::Pool && *change.key == **id,
            };
            // With a function or pool that is gone its limits are.
            change.kind == Kind::Limit || held.iter().any(is_target)
        };
        if changes.iter().any(concerns) { self.read().await } else { Ok(()) }
    }
}

fn stored(target: &Target) -> LimitTarget {
    match target {
        Target::Account => LimitTarget::Account,
        Target::Function(name) => LimitTarget::Function(name.to_string()),
        Target::Pool(id) => LimitTarget::Pool(id.to_string()),
    }
}

fn shown(target: &Target) -> String {
    match target {
        Target::Account => "The account".to_owned(),
        Target::Function(name) => format!("Function '{name}'"),
        Target::Pool(id) => format!("IdentityPool '{id}'"),
    }
}

fn record(limit: &Override) -> LimitRecord {
    let value = match limit.value {
        Value::Concurrency(most) => LimitValue::Concurrency(most),
        Value::Rate(rate) => LimitValue::Rate {
            tokens: rate.tokens.get(),
            per_seconds: u32::try_from(rate.per.as_secs()).unwrap_or(u32::MAX),
            burst: rate.burst.get(),
        },
    };
    LimitRecord {
        account: limit.account,
        target: stored(&limit.target),
        limit: limit.limit.to_string(),
        value,
    }
}

fn read(record: LimitRecord) -> Override {
    let target = match record.target {
        LimitTarget::Account => Target::Account,
        LimitTarget::Function(name) => Target::Function(name.into()),
        LimitTarget::Pool(id) => Target::Pool(id.into()),
    };
    let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    let value = match record.value {
        LimitValue::Concurrency(most) => Value::Concurrency(most),
        LimitValue::Rate { tokens, per_seconds, burst } => Value::Rate(Rate {
            tokens: positive(tokens),
            per: Duration::from_secs(per_seconds.max(1).into()),
            burst: positive(burst),
        }),
    };
    Override { account: record.account, target, limit: record.limit.into(), value }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
