//! How often an account's functions are called: the one rate that every call is asked for beside its address's, so its bucket is
//! found without looking a key up.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use governor::{nanos::Nanos, state::StateStore};

use super::{
    account::Account,
    buckets::{replace, rescaled},
    limit::{Bucket, Gate},
    overrides::ACCOUNT_RATE,
    rule::Rate,
    throttled::{Reason, Throttled},
};
use crate::base::{AccountId, clock::SharedClock};

/// The state lies in the account itself.
#[derive(Debug)]
pub(super) struct InAccount;

impl StateStore for InAccount {
    type Key = Arc<Account>;

    fn measure_and_replace<T, F, E>(&self, account: &Arc<Account>, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        replace(&account.full_again, decide)
    }
}

// Governor asks for these of every key; nothing looks an account up by them.

impl Hash for Account {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Account {}

/// The rate of every account, and those that single ones have instead.
#[derive(Debug)]
pub(super) struct AccountRate {
    name: Arc<str>,
    general: Gate<InAccount>,
    single: HashMap<AccountId, Gate<InAccount>>,
}

impl AccountRate {
    pub(super) fn new(general: Rate, single: Vec<(AccountId, Rate)>, clock: &SharedClock) -> Self {
        let gate = |rate| Gate::new(rate, InAccount, clock);
        let single = single.into_iter().map(|(account, rate)| (account, gate(rate))).collect();
        Self { name: ACCOUNT_RATE.into(), general: gate(general), single }
    }

    fn gate(&self, account: AccountId) -> &Gate<InAccount> {
        let single = if self.single.is_empty() { None } else { self.single.get(&account) };
        single.unwrap_or(&self.general)
    }

    /// Lays these rates over what an account has used of earlier ones.
    pub(super) fn take_over(&self, earlier: &Self, id: AccountId, account: &Account, now_nanos: u64) {
        let (before, after) = (earlier.gate(id).rate, self.gate(id).rate);
        if before != after {
            let renew = |full_again| Some(rescaled(full_again, now_nanos, before, after));
            let _ = account.full_again.fetch_update(Ordering::AcqRel, Ordering::Acquire, renew);
        }
    }
}

/// One account's bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfAccount<'a> {
    pub(super) rate: &'a AccountRate,
    pub(super) id: AccountId,
    pub(super) account: &'a Arc<Account>,
}

impl Bucket for OfAccount<'_> {
    fn wait(self, now_nanos: u64) -> Duration {
        self.rate.gate(self.id).wait(self.account.full_again.load(Ordering::Acquire), now_nanos)
    }

    fn refusal(self, wait: Duration) -> Throttled {
        let reason = Reason::FunctionInvocationRateLimitExceeded;
        self.rate.gate(self.id).refusal(&self.rate.name, reason, wait)
    }

    fn take(self) -> Result<(), Throttled> {
        self.rate.gate(self.id).take(self.account).map_err(|wait| self.refusal(wait))
    }

    fn refund(self) {
        let interval = self.rate.gate(self.id).rate.interval_nanos();
        let back = |full_again: u64| Some(full_again.saturating_sub(interval));
        let _ = self.account.full_again.fetch_update(Ordering::AcqRel, Ordering::Acquire, back);
    }
}
