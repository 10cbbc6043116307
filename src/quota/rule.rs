//! What limits there are: rules of the configuration, and those that are always there.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// A rate with its burst: a bucket of `burst` tokens into which `tokens` come in each `per`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Requests in each `per`, in the long run.
    pub tokens: NonZeroU32,
    /// In what time.
    pub per: Duration,
    /// Requests at once after a rest.
    pub burst: NonZeroU32,
}

/// The longest time in which a bucket may fill up: 30 days.
pub const FULL_AFTER_MAX: Duration = Duration::from_secs(30 * 86_400);

impl Rate {
    /// So many a second.
    pub const fn per_second(tokens: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { tokens, per: Duration::from_secs(1), burst }
    }

    /// A rate a second whose burst is one second's worth.
    pub const fn flat(tokens: NonZeroU32) -> Self {
        Self::per_second(tokens, tokens)
    }

    /// How long one token takes to come, in nanoseconds.
    pub fn interval_nanos(self) -> u64 {
        let per = u64::try_from(self.per.as_nanos()).unwrap_or(u64::MAX);
        (per / u64::from(self.tokens.get())).max(1)
    }

    /// How long an empty bucket takes to fill up.
    pub fn full_after(self) -> Duration {
        Duration::from_nanos(self.interval_nanos().saturating_mul(u64::from(self.burst.get())))
    }

    /// As governor has it. Who lets a bucket take longer than [`FULL_AFTER_MAX`] to fill gets as many tokens as come in that
    /// time: its arithmetic is in 64 bits.
    pub(super) fn governor(self) -> governor::Quota {
        let interval = self.interval_nanos();
        let most = u64::try_from(FULL_AFTER_MAX.as_nanos()).unwrap_or(u64::MAX) / interval;
        let most = NonZeroU32::new(u32::try_from(most).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        let quota = governor::Quota::with_period(Duration::from_nanos(interval));
        let quota = quota.unwrap_or(governor::Quota::per_second(NonZeroU32::MIN));
        quota.allow_burst(self.burst.min(most))
    }
}

/// What a limit is kept for each of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum By {
    /// A source address: IPv4, or an IPv6 /64.
    Address,
    /// An identity, or the principal of a caller without one.
    Identity,
    /// An account that owns functions.
    Account,
    /// A function.
    Function,
    /// An identity pool.
    Pool,
    /// An app, by the package name that it claims to be.
    App,
}

impl By {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// Those that a rule of the configuration may be by.
    pub const OF_RULES: [Self; 5] = [Self::Function, Self::Pool, Self::Identity, Self::App, Self::Address];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Identity => "identity",
            Self::Account => "account",
            Self::Function => "function",
            Self::Pool => "pool",
            Self::App => "app",
        }
    }
}

/// What a request is, as far as limits differ by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// A new guest.
    Guests,
    /// An exchange of logins, tokens or credentials for others: what the data plane has beside Invoke.
    Exchange,
    /// A call of a function.
    Invoke,
    /// Everything on the management door.
    Management,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Guests, Self::Exchange, Self::Invoke, Self::Management];

    /// A bit of its own.
    pub(super) fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guests => "guests",
            Self::Exchange => "exchange",
            Self::Invoke => "invoke",
            Self::Management => "management",
        }
    }
}

/// A limit that the configuration adds (`limits.rules`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its name, which refusals show.
    pub name: Arc<str>,
    /// What it is kept for each of.
    pub by: By,
    /// The requests that it counts; `None` for all that have what it is by.
    pub class: Option<Class>,
    /// How often.
    pub rate: Rate,
    /// The functions, pools or apps that it is for, by name; empty for all.
    pub only: Vec<Arc<str>>,
}

impl Rule {
    /// Whether requests of this class can have what a rule is by.
    pub fn fits(by: By, class: Class) -> bool {
        match by {
            By::Address => true,
            By::Identity => class != Class::Guests,
            By::Function | By::App => class == Class::Invoke,
            By::Pool => class != Class::Management,
            By::Account => false,
        }
    }

    /// Whether it counts requests of this class.
    pub(super) fn counts(&self, class: Class) -> bool {
        Self::fits(self.by, class) && self.class.is_none_or(|own| own == class)
    }
}

/// The most rules that a configuration may have: each call looks at those that concern it.
pub const RULES_MAX: usize = 64;

/// What may be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuotaConfig {
    /// Executions of an account's functions at the same time (`limits.account_concurrency`).
    pub account_concurrency: u32,
    /// Invocations of an account's functions a second, with a burst of the same (`limits.account_rate`).
    pub account_rate: NonZeroU32,
    /// Executions of an account that no function may reserve (`limits.unreserved_minimum`).
    pub unreserved_minimum: u32,
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
    /// Further limits (`limits.rules`).
    pub rules: Vec<Rule>,
    /// The most keys that each limit remembers at a time. Those beyond share the buckets of their shards, so that inventing
    /// keys neither costs memory nor evades a limit.
    pub keys_max: usize,
    /// The most bytes that the tables of all limits together may have; a limit whose table cannot grow is full.
    pub bytes_max: usize,
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for QuotaConfig {
    fn default() -> Self {
        let rate = |tokens, burst| Rate::per_second(at_least_one(tokens), at_least_one(burst));
        Self {
            account_concurrency: 100,
            account_rate: at_least_one(1000),
            unreserved_minimum: 10,
            address_rate: rate(2000, 4000),
            guest_address_rate: rate(50, 5_000),
            guest_pool_rate: rate(500, 50_000),
            caller_rate: None,
            merge_hook_rate: at_least_one(10),
            rules: Vec::new(),
            keys_max: 1_000_000,
            bytes_max: 192 << 20,
        }
    }
}
