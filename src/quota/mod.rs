//! How often: rates and concurrency, each refusal with its reason and the time to come back.
//!
//! Rates are governor's (GCRA: a bucket of `burst` tokens that refills at `per_second`); concurrency is counted. Three
//! questions in the order of a request's way: [`Quota::address`] before any cryptography, [`Quota::caller`] when the
//! caller is known, [`Quota::admit`] when the function is, charged to the account that owns it. Whoever is admitted
//! holds an [`Admission`], which nothing else can make and which gives the slot back when it is dropped. A refusal takes
//! no token and keeps no slot, whichever bucket refused.
//!
//! State is bounded: keys are remembered up to [`QuotaConfig::keys_max`] and forgotten by [`Quota::sweep`] when their
//! bucket is full again. What AWS does on refusal: 429 with one of the Lambda API's `ThrottleReason`s.

mod account;
mod address;
mod buckets;
mod clock;
mod shards;
#[cfg(test)]
mod tests;

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use account::Account;
pub use account::Admission;
use address::Prefix;
use buckets::KeyedLimiter;
use shards::Shards;

use crate::base::{AccountId, Caller, Principal, clock::SharedClock};

/// A rate with its burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a rest.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate whose burst is one second's worth.
    pub const fn flat(per_second: NonZeroU32) -> Self {
        Self { per_second, burst: per_second }
    }

    /// As governor has it.
    fn governor(self) -> governor::Quota {
        governor::Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

/// What may be had.
#[derive(Clone, Debug)]
pub struct QuotaConfig {
    /// Executions of an account's functions at the same time (`limits.account_concurrency`).
    pub account_concurrency: u32,
    /// Invocations of an account's functions a second, with a burst of the same (`limits.account_rate`).
    pub account_rate: NonZeroU32,
    /// Requests of one source address: an IPv4 address or an IPv6 /64 (`limits.address_rate`).
    pub address_rate: Rate,
    /// New guests of one source address (`limits.guest_address_rate`).
    pub guest_address_rate: Rate,
    /// New guests of one identity pool (`limits.guest_pool_rate`).
    pub guest_pool_rate: Rate,
    /// Requests of one identity or principal; `None` for no limit (`limits.caller_rate`).
    pub caller_rate: Option<Rate>,
    /// Questions to one identity pool's merge hook (`identity.merge_hook_rate`).
    pub merge_hook_rate: NonZeroU32,
    /// The most addresses, callers and pools, each, that are remembered at a time. Those beyond share the buckets of
    /// their shards, so that inventing keys neither costs memory nor evades a limit. At most about 70 bytes each.
    pub keys_max: usize,
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            account_concurrency: 100,
            account_rate: at_least_one(1000),
            address_rate: Rate { per_second: at_least_one(2000), burst: at_least_one(4000) },
            guest_address_rate: Rate { per_second: at_least_one(50), burst: at_least_one(5_000) },
            guest_pool_rate: Rate { per_second: at_least_one(500), burst: at_least_one(50_000) },
            caller_rate: None,
            merge_hook_rate: at_least_one(10),
            keys_max: 1_000_000,
        }
    }
}

/// Why a request is throttled: the Lambda API's `ThrottleReason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// All of the account's concurrent executions are in use.
    ConcurrentInvocationLimitExceeded,
    /// The account's invocations a second are used up. (The reason with `Reserved` in its name is for functions that
    /// have a share of their own.)
    FunctionInvocationRateLimitExceeded,
    /// The caller's own rate, or its address's, is used up.
    CallerRateLimitExceeded,
}

impl Reason {
    /// The name as the API has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::FunctionInvocationRateLimitExceeded => "FunctionInvocationRateLimitExceeded",
            Self::CallerRateLimitExceeded => "CallerRateLimitExceeded",
        }
    }
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Rate Exceeded.")]
pub struct Throttled {
    /// Which kind of limit, in AWS's words.
    pub reason: Reason,
    /// Which of our limits, by its name in configuration: the value of `x-callgate-limit`.
    pub limit: String,
    /// When it may be tried again with success. For concurrency nobody knows; it says one second.
    pub retry_after: Duration,
}

impl Throttled {
    fn new(reason: Reason, limit: &str, retry_after: Duration) -> Self {
        Self { reason, limit: limit.to_owned(), retry_after }
    }
}

/// What is remembered, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tracked {
    /// Addresses with a bucket of their own.
    pub addresses: usize,
    /// Callers with a bucket of their own.
    pub callers: usize,
    /// Requests since the start that had to share a bucket because [`QuotaConfig::keys_max`] was reached.
    pub shared: u64,
}

/// All limits and what is used of them.
#[derive(Debug)]
pub struct Quota {
    config: QuotaConfig,
    clock: SharedClock,
    addresses: KeyedLimiter<Prefix>,
    guest_addresses: KeyedLimiter<Prefix>,
    guest_pools: KeyedLimiter<Box<str>>,
    callers: Option<KeyedLimiter<CallerKey>>,
    merge_hooks: KeyedLimiter<Arc<str>>,
    caller_hashers: [RandomState; 2],
    /// As many as there are accounts: an account comes in when a function of it is first called.
    accounts: Shards<AccountId, Arc<Account>>,
}

/// 128 bits of keyed hash stand for a caller: a fixed size, and no two callers share one but by an accident of one in
/// 10²⁶ with a million callers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct CallerKey([u64; 2]);

impl Quota {
    /// Everything unused.
    pub fn new(config: QuotaConfig, clock: SharedClock) -> Self {
        Self {
            addresses: KeyedLimiter::new(config.address_rate.governor(), config.keys_max, &clock),
            guest_addresses: KeyedLimiter::new(config.guest_address_rate.governor(), config.keys_max, &clock),
            guest_pools: KeyedLimiter::new(config.guest_pool_rate.governor(), config.keys_max, &clock),
            callers: config
                .caller_rate
                .map(|rate| KeyedLimiter::new(rate.governor(), config.keys_max, &clock)),
            merge_hooks: KeyedLimiter::new(
                Rate::flat(config.merge_hook_rate).governor(),
                config.keys_max,
                &clock,
            ),
            caller_hashers: [RandomState::new(), RandomState::new()],
            accounts: Shards::new(),
            config,
            clock,
        }
    }

    /// Takes a token of the source address.
    pub fn address(&self, address: IpAddr) -> Result<(), Throttled> {
        self.addresses
            .take(&Prefix::of(address))
            .map_err(|wait| Throttled::new(Reason::CallerRateLimitExceeded, "address_rate", wait))
    }

    /// Takes a token for a new guest of this pool, which exists, from this address. The address comes first: one that makes too
    /// many leaves the pool's others theirs.
    pub fn guest(&self, address: IpAddr, pool_id: &str) -> Result<(), Throttled> {
        let over = |limit, wait| Throttled::new(Reason::CallerRateLimitExceeded, limit, wait);
        self.guest_addresses.take(&Prefix::of(address)).map_err(|wait| over("guest_address_rate", wait))?;
        self.guest_pools.take(&pool_id.into()).map_err(|wait| over("guest_pool_rate", wait))
    }

    /// Takes a token of the caller: of the identity, or of the user, role or root it acts as. A session's name, which
    /// clients choose, makes no difference.
    pub fn caller(&self, caller: &Caller) -> Result<(), Throttled> {
        let Some(limiter) = &self.callers else { return Ok(()) };
        limiter
            .take(&self.caller_key(caller))
            .map_err(|wait| Throttled::new(Reason::CallerRateLimitExceeded, "caller_rate", wait))
    }

    /// Takes a token of an identity pool's merge hook.
    pub fn merge_hook(&self, pool_id: &str) -> Result<(), Throttled> {
        self.merge_hooks
            .take(&pool_id.into())
            .map_err(|wait| Throttled::new(Reason::CallerRateLimitExceeded, "merge_hook_rate", wait))
    }

    fn caller_key(&self, caller: &Caller) -> CallerKey {
        let hash = |hasher: &RandomState| match (&caller.identity, &caller.principal) {
            (Some(identity), _) => hasher.hash_one((0_u8, "", &*identity.identity_id)),
            (None, Principal::AssumedRole { role_id, .. }) => {
                hasher.hash_one((1_u8, caller.account.as_str(), &**role_id))
            }
            (None, Principal::User { id, .. }) => hasher.hash_one((2_u8, caller.account.as_str(), &**id)),
            (None, Principal::Root) => hasher.hash_one((3_u8, caller.account.as_str(), "")),
        };
        CallerKey(self.caller_hashers.each_ref().map(hash))
    }

    /// Admits an invocation of a function of `owner`: one of the account's concurrent executions, held until the
    /// admission is dropped, and a token of its rate.
    pub fn admit(&self, owner: AccountId) -> Result<Admission, Throttled> {
        let account =
            self.accounts.get_or_insert_with(owner, || Account::new(self.config.account_rate, &self.clock));
        // The slot comes first because it can be given back: without a slot no token is taken, and without a token the
        // slot is free again when this returns.
        let Some(admission) = Admission::take(owner, &account, self.config.account_concurrency) else {
            return Err(Throttled::new(
                Reason::ConcurrentInvocationLimitExceeded,
                "account_concurrency",
                Duration::from_secs(1),
            ));
        };
        match account.take_token() {
            Ok(()) => Ok(admission),
            Err(wait) => {
                Err(Throttled::new(Reason::FunctionInvocationRateLimitExceeded, "account_rate", wait))
            }
        }
    }

    /// Forgets what is full again in the next shard of each keyed limit; called [`SWEEPS`] times it has been
    /// everywhere. A call holds one shard's lock for as long as it takes to look at its keys.
    pub fn sweep(&self) {
        self.addresses.sweep();
        self.guest_addresses.sweep();
        self.guest_pools.sweep();
        self.merge_hooks.sweep();
        if let Some(callers) = &self.callers {
            callers.sweep();
        }
    }

    /// The executions of an account's functions at this moment.
    pub fn running(&self, account: AccountId) -> u32 {
        self.accounts.get(&account).map_or(0, |account| account.running.load(Ordering::Relaxed))
    }

    /// The same for all accounts that ever had one.
    pub fn running_by_account(&self) -> Vec<(AccountId, u32)> {
        let mut all = Vec::new();
        self.accounts.for_each(|id, account| all.push((*id, account.running.load(Ordering::Relaxed))));
        all.sort_unstable();
        all
    }

    /// What is remembered at this moment.
    pub fn tracked(&self) -> Tracked {
        let callers = self.callers.as_ref();
        Tracked {
            addresses: self.addresses.tracked(),
            callers: callers.map_or(0, KeyedLimiter::tracked),
            shared: self.addresses.shared() + callers.map_or(0, KeyedLimiter::shared),
        }
    }
}

/// How many calls of [`Quota::sweep`] look at every key once.
pub const SWEEPS: usize = shards::COUNT;
