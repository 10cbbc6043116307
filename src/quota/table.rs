//! All limits as they are at one moment, in the order in which a call meets them. A change makes another table over the same
//! buckets.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use super::{
    account::Reserve,
    account_rate::AccountRate,
    buckets::{Buckets, Room, SHARDS},
    key::{BuildPass, Key, Keys},
    limit::{Limit, Terms},
    overrides::{
        ACCOUNT_CONCURRENCY, ACCOUNT_RATE, ADDRESS_RATE, CALLER_RATE, FUNCTION_RATE, GUEST_ADDRESS_RATE,
        GUEST_POOL_RATE, MERGE_HOOK_RATE, Override, POOL_RATE, RESERVED_CONCURRENCY, RESERVED_RATE, Target,
        Value,
    },
    rule::{By, Class, QuotaConfig, Rate, Rule},
    throttled::Reason,
};
use crate::base::{AccountId, clock::SharedClock};

/// Requests a second that go with one reserved execution, as on AWS.
pub const RATE_PER_RESERVED: u32 = 10;

type Step = Box<[Arc<Limit>]>;

/// The limits.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) config: QuotaConfig,
    pub(super) overrides: Vec<Override>,
    /// By address: first those of every request, then by class those of its own.
    pub(super) address: Step,
    pub(super) address_of: [Step; Class::ALL.len()],
    /// By identity and app, by class.
    pub(super) caller: [Step; Class::ALL.len()],
    /// By pool and identity, where the caller shows who they are without a signature.
    pub(super) exchange: Step,
    /// Of new guests.
    pub(super) guests: Step,
    /// By function and pool, of calls.
    pub(super) target: Step,
    /// Of calls of functions without a reservation.
    pub(super) account_rate: AccountRate,
    /// Of calls of those with one, by function.
    pub(super) reserved_rate: Arc<Limit>,
    pub(super) merge_hook: Arc<Limit>,
    pub(super) is_by_app: bool,
    accounts: HashMap<AccountId, OfAccount>,
    reserves: HashMap<Key, Reserve, BuildPass>,
    all: Vec<Arc<Limit>>,
    next_sweep: AtomicUsize,
}

/// What is not as for every account.
#[derive(Clone, Copy, Debug, Default)]
struct OfAccount {
    concurrency: Option<u32>,
    reserved: u32,
}

/// What a table is made over.
pub(super) struct Ground<'a> {
    pub(super) keys: &'a Keys,
    pub(super) room: &'a Arc<Room>,
    pub(super) clock: &'a SharedClock,
    pub(super) earlier: Option<&'a Table>,
    pub(super) now_nanos: u64,
}

impl Table {
    pub(super) fn new(config: QuotaConfig, overrides: Vec<Override>, ground: &Ground<'_>) -> Self {
        let Ground { keys, room, clock, earlier, now_nanos } = *ground;
        let mut accounts: HashMap<AccountId, OfAccount> = HashMap::new();
        let mut reserves: HashMap<Key, Reserve, BuildPass> = HashMap::default();
        for one in &overrides {
            match (&one.target, &*one.limit, one.value) {
                (Target::Account, ACCOUNT_CONCURRENCY, Value::Concurrency(most)) => {
                    accounts.entry(one.account).or_default().concurrency = Some(most);
                }
                (Target::Function(name), RESERVED_CONCURRENCY, Value::Concurrency(units)) => {
                    let of = accounts.entry(one.account).or_default();
                    of.reserved = of.reserved.saturating_add(units);
                    let key = keys.function(one.account, name);
                    let running = earlier.and_then(|earlier| earlier.reserves.get(&key));
                    let running =
                        running.map_or_else(Arc::<AtomicU32>::default, |before| before.running.clone());
                    reserves.insert(key, Reserve { units, running });
                }
                _ => {}
            }
        }
        let mut all: Vec<Arc<Limit>> = Vec::new();
        let mut make = |name: &Arc<str>, by: By, reason, rate, only| {
            let single = single(&overrides, name, by, keys);
            let terms = Terms { name: name.clone(), by, reason, rate, single, only };
            let before = earlier
                .into_iter()
                .flat_map(|earlier| &earlier.all)
                .find(|limit| limit.name == *name && limit.by == by);
            let limit = Arc::new(match before {
                Some(before) => before.renewed(terms, now_nanos, clock),
                None => Limit::new(terms, Buckets::new(config.keys_max, room), clock),
            });
            all.push(limit.clone());
            limit
        };
        let mut own = |name: &str, by, reason, rate| make(&name.into(), by, reason, rate, None);
        let (by_caller, by_function) =
            (Reason::CallerRateLimitExceeded, Reason::FunctionInvocationRateLimitExceeded);
        let address_rate = own(ADDRESS_RATE, By::Address, by_caller, Some(config.address_rate));
        let guest_address = own(GUEST_ADDRESS_RATE, By::Address, by_caller, Some(config.guest_address_rate));
        let guest_pool = own(GUEST_POOL_RATE, By::Pool, by_caller, Some(config.guest_pool_rate));
        let caller_rate = own(CALLER_RATE, By::Identity, by_caller, config.caller_rate);
        let function_rate = own(FUNCTION_RATE, By::Function, by_function, None);
        let pool_rate = own(POOL_RATE, By::Pool, by_function, None);
        let of_accounts = overrides.iter().filter_map(|one| match (&one.target, &*one.limit, one.value) {
            (Target::Account, ACCOUNT_RATE, Value::Rate(rate)) => Some((one.account, rate)),
            _ => None,
        });
        let account_rate = AccountRate::new(Rate::flat(config.account_rate), of_accounts.collect(), clock);
        let reserved = Reason::ReservedFunctionInvocationRateLimitExceeded;
        let reserved_rate = own(RESERVED_RATE, By::Function, reserved, None);
        let hook_rate = Rate::flat(config.merge_hook_rate);
        let merge_hook = own(MERGE_HOOK_RATE, By::Pool, by_caller, Some(hook_rate));
        let rules: Vec<(&Rule, Arc<Limit>)> = config
            .rules
            .iter()
            .map(|rule| {
                let reason = if matches!(rule.by, By::Function | By::Pool) { by_function } else { by_caller };
                (rule, make(&rule.name, rule.by, reason, Some(rule.rate), only(rule, keys)))
            })
            .collect();
        let step = |first: &[&Arc<Limit>], is_in: &dyn Fn(&Rule) -> bool| -> Step {
            let ruled = rules.iter().filter(|(rule, _)| is_in(rule)).map(|(_, limit)| limit);
            first.iter().copied().chain(ruled).cloned().collect()
        };
        // A limit that stands for nobody costs a call nothing.
        let set = |limit: &Arc<Limit>| limit.is_set();
        let callers: &[&Arc<Limit>] = if set(&caller_rate) { &[&caller_rate] } else { &[] };
        let targets: Vec<_> = [&function_rate, &pool_rate].into_iter().filter(|limit| set(limit)).collect();
        let pools: &[&Arc<Limit>] = if set(&pool_rate) { &[&pool_rate] } else { &[] };
        let is_of_caller = |rule: &Rule| matches!(rule.by, By::Identity | By::App);
        Self {
            address: step(&[&address_rate], &|rule| rule.by == By::Address && rule.class.is_none()),
            address_of: Class::ALL.map(|class| {
                // Those of new guests are asked when it is known that there is to be one.
                step(&[], &|rule| {
                    rule.by == By::Address && rule.class == Some(class) && class != Class::Guests
                })
            }),
            caller: Class::ALL.map(|class| step(callers, &|rule| is_of_caller(rule) && rule.counts(class))),
            exchange: step(pools, &|rule| {
                matches!(rule.by, By::Pool | By::Identity) && rule.counts(Class::Exchange)
            }),
            guests: step(&[&guest_address, &guest_pool], &|rule| match rule.by {
                By::Address => rule.class == Some(Class::Guests),
                _ => rule.counts(Class::Guests),
            }),
            target: step(&targets, &|rule| {
                matches!(rule.by, By::Function | By::Pool) && rule.counts(Class::Invoke)
            }),
            account_rate,
            reserved_rate,
            merge_hook,
            is_by_app: rules.iter().any(|(rule, _)| rule.by == By::App),
            accounts,
            reserves,
            all,
            next_sweep: AtomicUsize::new(0),
            config,
            overrides,
        }
    }

    /// An account's executions at a time: all, and those that no function has reserved.
    pub(super) fn concurrency(&self, account: AccountId) -> (u32, u32) {
        let of = if self.accounts.is_empty() { None } else { self.accounts.get(&account) };
        let of = of.copied().unwrap_or_default();
        let all = of.concurrency.unwrap_or(self.config.account_concurrency);
        (all, all.saturating_sub(of.reserved))
    }

    /// What is reserved for the function with this key. The key is computed only where anything is reserved.
    pub(super) fn reserve(&self, key: impl FnOnce() -> Option<Key>) -> Option<&Reserve> {
        if self.reserves.is_empty() { None } else { self.reserves.get(&key()?) }
    }

    /// Which classes have limits by caller, as bits.
    pub(super) fn classes_by_caller(&self) -> u8 {
        let some = Class::ALL.into_iter().filter(|class| !self.caller[*class as usize].is_empty());
        some.map(Class::bit).sum()
    }

    /// Whether a limit of this name is by this.
    pub(super) fn has(&self, name: &str, by: By) -> bool {
        (name, by) == (ACCOUNT_RATE, By::Account)
            || self.all.iter().any(|limit| &*limit.name == name && limit.by == by)
    }

    /// Forgets what is full again in the next shard of each limit.
    pub(super) fn sweep(&self, now_nanos: u64) {
        let position = self.next_sweep.fetch_add(1, Ordering::Relaxed) % SHARDS;
        for limit in &self.all {
            limit.buckets.sweep(position, now_nanos);
        }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Limit> {
        self.all.iter().map(|limit| &**limit)
    }
}

/// The rate that goes with what is reserved for a function.
fn reserved_rate(units: u32) -> Option<Rate> {
    NonZeroU32::new(units.saturating_mul(RATE_PER_RESERVED)).map(Rate::flat)
}

/// The rates that single keys have of a limit.
fn single(overrides: &[Override], name: &str, by: By, keys: &Keys) -> Vec<(Key, Rate)> {
    let of = |one: &Override| {
        let key = match (&one.target, by) {
            (Target::Function(function), By::Function) => keys.function(one.account, function),
            (Target::Pool(pool), By::Pool) => keys.pool(pool),
            _ => return None,
        };
        match one.value {
            Value::Rate(rate) if &*one.limit == name => Some((key, rate)),
            Value::Concurrency(units) if name == RESERVED_RATE && &*one.limit == RESERVED_CONCURRENCY => {
                Some((key, reserved_rate(units)?))
            }
            _ => None,
        }
    };
    overrides.iter().filter_map(of).collect()
}

/// The keys that a rule is for. A function of another account than the first is named as `123456789012:function:greet`.
fn only(rule: &Rule, keys: &Keys) -> Option<Vec<Key>> {
    let key = |name: &Arc<str>| match rule.by {
        By::Function => match name.split_once(":function:") {
            Some((account, name)) => keys.function(account.parse().ok()?, name).into(),
            None => keys.function(AccountId::DEFAULT, name).into(),
        },
        By::Pool => Some(keys.pool(name)),
        By::App => Some(keys.app(name)),
        By::Address | By::Identity | By::Account => None,
    };
    (!rule.only.is_empty()).then(|| rule.only.iter().filter_map(key).collect())
}
