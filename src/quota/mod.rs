//! How often: rates and concurrency, each refusal with its reason and the time to come back.
//!
//! Rates are governor's (GCRA: a bucket of `burst` tokens that refills steadily); concurrency is counted. The questions come in
//! the order of a request's way: [`Quota::address`] before any cryptography, [`Quota::caller`] when the caller is known,
//! [`Quota::admit`] when the function is, charged to the account that owns it; and for what needs no signature
//! [`Quota::exchange`] and [`Quota::guest`]. Whoever is admitted holds an [`Admission`], which nothing else can make and which
//! gives the slot back when it is dropped. At each question all limits are asked before any is taken from: a refusal takes no
//! token and keeps no slot, whichever of them refused.
//!
//! What limits there are ([`table`]) can be changed at any time, by the configuration ([`Rule`]) and for single accounts,
//! functions and pools ([`Override`]); what was used stays used. State is bounded: each limit remembers keys up to
//! [`QuotaConfig::keys_max`], all of them together as many as fit into [`QuotaConfig::bytes_max`], and [`Quota::sweep`] forgets
//! those whose buckets are full again. What AWS does on refusal: 429 with one of the Lambda API's `ThrottleReason`s.

mod account;
mod account_rate;
mod address;
mod buckets;
mod clock;
mod key;
mod limit;
mod overrides;
mod rule;
mod share;
mod table;
#[cfg(test)]
mod tests;
mod throttled;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use arc_swap::ArcSwap;

use account::{Account, Slots, Taken};
use account_rate::OfAccount;
use buckets::Room;
use key::{Asked, Key, Keys};
use limit::{Limit, take_all};
use table::{Ground, Table};
pub use {
    account::Admission,
    address::Prefix,
    overrides::{
        ACCOUNT_CONCURRENCY, ACCOUNT_RATE, NAMES_TAKEN, Override, RESERVED_CONCURRENCY, Target, Value,
    },
    rule::{By, Class, FULL_AFTER_MAX, QuotaConfig, RULES_MAX, Rate, Rule},
    share::Share,
    table::RATE_PER_RESERVED,
    throttled::{Reason, Throttled},
};

use crate::base::{AccountId, Caller, OverLimit, clock::SharedClock};

/// What is remembered, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tracked {
    /// Buckets of their own, over all limits.
    pub keys: usize,
    /// Bytes of the tables they lie in.
    pub bytes: usize,
    /// Requests since the start that had to share a bucket because there was no room for one more.
    pub shared: u64,
}

/// A call that is to be admitted.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who owns the function.
    pub owner: AccountId,
    /// Its name.
    pub function: &'a str,
    /// The pool of the caller's identity.
    pub pool: Option<&'a str>,
    /// Whose share it is to use of what is scarce.
    pub share: Share,
}

/// All limits and what is used of them.
#[derive(Debug)]
pub struct Quota {
    state: ArcSwap<State>,
    /// Held by whoever makes another state.
    changing: Mutex<()>,
    /// Which classes of requests have limits by caller, as bits: most have none, and need not look.
    by_caller: AtomicU8,
    keys: Keys,
    room: Arc<Room>,
    clock: SharedClock,
}

/// What a call is held against.
#[derive(Debug)]
struct State {
    table: Arc<Table>,
    /// As many as there are accounts: an account comes in when a function of it is first called.
    accounts: HashMap<AccountId, Arc<Account>>,
}

impl Quota {
    /// Everything unused.
    pub fn new(config: QuotaConfig, clock: SharedClock) -> Self {
        let (keys, room) = (Keys::new(), Room::new(config.bytes_max));
        let ground = Ground { keys: &keys, room: &room, clock: &clock, earlier: None, now_nanos: 0 };
        let table = Arc::new(Table::new(config, Vec::new(), &ground));
        let by_caller = AtomicU8::new(table.classes_by_caller());
        let state = ArcSwap::from_pointee(State { table, accounts: HashMap::new() });
        Self { state, changing: Mutex::new(()), by_caller, keys, room, clock }
    }

    /// Lays another configuration over what is used.
    pub fn reconfigure(&self, config: QuotaConfig) {
        self.change(|table| (config, table.overrides.clone()));
    }

    /// Puts other limits of single accounts, functions and pools in the place of those there are.
    pub fn put_overrides(&self, overrides: Vec<Override>) {
        self.change(|table| (table.config.clone(), overrides));
    }

    fn change(&self, to: impl FnOnce(&Table) -> (QuotaConfig, Vec<Override>)) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state.load_full();
        let earlier = &before.table;
        let (config, overrides) = to(earlier);
        self.room.set_max(config.bytes_max);
        let ground = Ground {
            keys: &self.keys,
            room: &self.room,
            clock: &self.clock,
            earlier: Some(earlier),
            now_nanos: self.now_nanos(),
        };
        let table = Arc::new(Table::new(config, overrides, &ground));
        for (id, account) in &before.accounts {
            table.account_rate.take_over(&earlier.account_rate, *id, account, ground.now_nanos);
        }
        // Whoever looks meanwhile looks once too often, and not once too seldom.
        self.by_caller.fetch_or(table.classes_by_caller(), Ordering::AcqRel);
        let by_caller = table.classes_by_caller();
        self.state.store(Arc::new(State { table, accounts: before.accounts.clone() }));
        self.by_caller.store(by_caller, Ordering::Release);
    }

    /// An account that is not known yet.
    fn add_account(&self, id: AccountId) -> Arc<Account> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state.load_full();
        let mut accounts = before.accounts.clone();
        let account = accounts.entry(id).or_default().clone();
        self.state.store(Arc::new(State { table: before.table.clone(), accounts }));
        account
    }

    fn now_nanos(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The configuration in force.
    pub fn config(&self) -> QuotaConfig {
        self.state.load().table.config.clone()
    }

    /// The limits of single accounts, functions and pools in force.
    pub fn overrides(&self) -> Vec<Override> {
        self.state.load().table.overrides.clone()
    }

    /// What the limit of this name is kept for each of.
    pub fn by(&self, limit: &str) -> Option<By> {
        match limit {
            ACCOUNT_CONCURRENCY | ACCOUNT_RATE => Some(By::Account),
            RESERVED_CONCURRENCY => Some(By::Function),
            _ => self.state.load().table.each().find(|own| &*own.name == limit).map(|own| own.by),
        }
    }

    /// Whether there is a limit of this name that such a target can have another value of; the error says what there is.
    pub fn check_override(&self, target: &Target, limit: &str, value: &Value) -> Result<(), String> {
        let table = &self.state.load().table;
        let (by, counts) = match target {
            Target::Account => (By::Account, ACCOUNT_CONCURRENCY),
            Target::Function(_) => (By::Function, RESERVED_CONCURRENCY),
            Target::Pool(_) => (By::Pool, ""),
        };
        let is_rate = limit != overrides::RESERVED_RATE && table.has(limit, by);
        match value {
            Value::Concurrency(_) if limit == counts => Ok(()),
            Value::Rate(_) if is_rate => Ok(()),
            Value::Rate(_) if limit == counts => Err(format!("{limit} takes a Concurrency, not a rate")),
            Value::Concurrency(_) if is_rate => Err(format!("{limit} takes a Rate, not a concurrency")),
            _ => {
                let mut names: Vec<&str> =
                    table.each().filter(|own| own.by == by).map(|own| &*own.name).collect();
                names.retain(|name| *name != overrides::RESERVED_RATE);
                names.extend((by == By::Account).then_some(ACCOUNT_RATE));
                names.extend(Some(counts).filter(|name| !name.is_empty()));
                Err(format!("no limit {limit} is by {}; there are: {}", by.as_str(), names.join(", ")))
            }
        }
    }

    /// The buckets that a question meets.
    fn buckets<'a>(
        &'a self,
        asked: &'a Asked<'_>,
        limits: impl Iterator<Item = &'a Arc<Limit>> + Clone,
    ) -> impl Iterator<Item = (&'a Limit, Key)> + Clone {
        limits.filter_map(|limit| {
            let key = asked.key(&self.keys, limit.by)?;
            limit.concerns(key).then_some((&**limit, key))
        })
    }

    fn take<'a>(
        &'a self,
        asked: &'a Asked<'_>,
        limits: impl Iterator<Item = &'a Arc<Limit>> + Clone,
    ) -> Result<(), Throttled> {
        let mut buckets = self.buckets(asked, limits).peekable();
        if buckets.peek().is_none() {
            return Ok(());
        }
        let now_nanos = self.now_nanos();
        clock::at(now_nanos, || take_all(now_nanos, None::<OfAccount<'_>>, buckets))
    }

    /// Takes a token of the source address; `class` is the request's, where its head says it.
    pub fn address(&self, address: IpAddr, class: Option<Class>) -> Result<(), Throttled> {
        let table = &self.state.load().table;
        let asked = Asked { address: Some(address), ..Asked::default() };
        let own: &[Arc<Limit>] = class.map_or(&[], |class| &table.address_of[class as usize]);
        self.take(&asked, table.address.iter().chain(own))
    }

    /// Takes what is left to take where the class became known only after [`Self::address`].
    pub fn address_of_class(&self, address: IpAddr, class: Class) -> Result<(), Throttled> {
        let table = &self.state.load().table;
        let asked = Asked { address: Some(address), ..Asked::default() };
        self.take(&asked, table.address_of[class as usize].iter())
    }

    /// Takes a token for a new guest of this pool, which exists, from this address.
    pub fn guest(&self, address: IpAddr, pool_id: &str) -> Result<(), Throttled> {
        let asked = Asked { address: Some(address), pool: Some(pool_id), ..Asked::default() };
        self.take(&asked, self.state.load().table.guests.iter())
    }

    /// Takes a token for an exchange in this pool by this identity, if it is known, which has shown who it is.
    pub fn exchange(&self, pool_id: &str, identity_id: Option<&str>) -> Result<(), Throttled> {
        let asked = Asked { pool: Some(pool_id), identity: identity_id, ..Asked::default() };
        self.take(&asked, self.state.load().table.exchange.iter())
    }

    /// Takes a token of the caller: of the identity, or of the user, role or root it acts as, and of the app that it claims to
    /// be. What that is is asked only where there is a limit by app.
    pub fn caller(
        &self,
        caller: &Caller,
        class: Class,
        app: impl FnOnce() -> Option<String>,
    ) -> Result<(), Throttled> {
        if self.by_caller.load(Ordering::Acquire) & class.bit() == 0 {
            return Ok(());
        }
        let table = &self.state.load().table;
        let app = if table.is_by_app { app() } else { None };
        let asked = Asked { caller: Some(caller), app: app.as_deref(), ..Asked::default() };
        self.take(&asked, table.caller[class as usize].iter())
    }

    /// Takes a token of an identity pool's merge hook.
    pub fn merge_hook(&self, pool_id: &str) -> Result<(), Throttled> {
        let asked = Asked { pool: Some(pool_id), ..Asked::default() };
        self.take(&asked, std::iter::once(&self.state.load().table.merge_hook))
    }

    /// Whose share a call uses of what is scarce: its identity's; guests, whom anybody can invent, share by their address.
    pub fn share(&self, caller: &Caller, source: IpAddr) -> Share {
        let is_guest = caller.identity.as_ref().is_some_and(|identity| !identity.signed_in());
        Share::of(if is_guest { self.keys.address(source) } else { self.keys.caller(caller) })
    }

    /// Admits an invocation: one of the account's concurrent executions, or of those that are reserved for the function, held
    /// until the admission is dropped; and a token of each rate.
    pub fn admit(&self, call: &Call<'_>) -> Result<Admission, Throttled> {
        let Call { owner, function, pool, share } = *call;
        let state = self.state.load();
        let table = &*state.table;
        let asked = Asked { account: Some(owner), function: Some(function), pool, ..Asked::default() };
        let account = state.accounts.get(&owner).cloned();
        let account = account.unwrap_or_else(|| self.add_account(owner));
        let reserve = table.reserve(|| asked.key(&self.keys, By::Function));
        let (all, unreserved) = table.concurrency(owner);
        // The slot comes first because it can be given back: without a slot no token is taken, and without a token the
        // slot is free again when this returns.
        let admission =
            Admission::take(owner, share, &account, Slots { all, unreserved, reserve }).map_err(|taken| {
                match (taken, reserve) {
                    (Taken::Reserved, Some(reserve)) => Throttled {
                        reason: Reason::ReservedFunctionConcurrentInvocationLimitExceeded,
                        over: OverLimit::at_once(RESERVED_CONCURRENCY, reserve.units.into()),
                    },
                    _ => Throttled {
                        reason: Reason::ConcurrentInvocationLimitExceeded,
                        over: OverLimit::at_once(ACCOUNT_CONCURRENCY, unreserved.into()),
                    },
                }
            })?;
        let of_account = OfAccount { rate: &table.account_rate, id: owner, account: &account };
        let of_account = reserve.is_none().then_some(of_account);
        let own = reserve.map(|_| &table.reserved_rate);
        let buckets = self.buckets(&asked, own.into_iter().chain(&table.target));
        let now_nanos = self.now_nanos();
        clock::at(now_nanos, || take_all(now_nanos, of_account, buckets))?;
        Ok(admission)
    }

    /// Forgets what is full again in the next shard of each limit; called [`SWEEPS`] times it has been everywhere. A call
    /// holds one shard's lock for as long as it takes to look at its keys.
    pub fn sweep(&self) {
        self.state.load().table.sweep(self.now_nanos());
    }

    /// The executions of an account's functions at this moment.
    pub fn running(&self, account: AccountId) -> u32 {
        self.state.load().accounts.get(&account).map_or(0, |account| account.running())
    }

    /// The same for all accounts that ever had one.
    pub fn running_by_account(&self) -> Vec<(AccountId, u32)> {
        let state = self.state.load();
        let mut all: Vec<_> = state.accounts.iter().map(|(id, account)| (*id, account.running())).collect();
        all.sort_unstable();
        all
    }

    /// An account's executions at a time: all, and those that no function has reserved.
    pub fn concurrency(&self, account: AccountId) -> (u32, u32) {
        self.state.load().table.concurrency(account)
    }

    /// What is remembered at this moment.
    pub fn tracked(&self) -> Tracked {
        let table = &self.state.load().table;
        Tracked {
            keys: table.each().map(|limit| limit.buckets.tracked()).sum(),
            bytes: self.room.used(),
            shared: table.each().map(|limit| limit.buckets.shared()).sum(),
        }
    }
}

/// How many calls of [`Quota::sweep`] look at every key once.
pub const SWEEPS: usize = buckets::SHARDS;
