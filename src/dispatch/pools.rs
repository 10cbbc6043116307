//! Every function's pool, and what they share: room for sandboxes and what starts them.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

use super::{
    DispatchError, END_MAX, Full,
    cancel::Tally,
    past::Former,
    pool::Pool,
    prewarm::Prewarmed,
    start::{StartFailure, Starter, too_many_starts},
    turns::{Busy, Turn, Turns},
    worker::Worker,
};
use crate::{
    base::{AccountId, ColdStart, clock::SharedClock},
    functions::{Function, Target},
    quota::Share,
};

/// How many sandboxes there may be, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// In all.
    pub sandboxes_max: u64,
    /// Of one function.
    pub function_sandboxes_max: usize,
    /// Calls of one function that may wait for a sandbox.
    pub line_max: usize,
    /// Threads that serve.
    pub threads: usize,
    /// Processors that sandboxes run on.
    pub processors: usize,
    /// Up to so many of one function are started without asking whether it pays: as many as can be busy at once.
    pub busy_sandboxes: usize,
    /// After so long without a call a sandbox is ended.
    pub idle: Duration,
    /// How many sandboxes that are nobody's yet are kept ready, at the least and at the most, for each Node.js.
    pub prewarmed_min: usize,
    /// See there.
    pub prewarmed_max: usize,
    /// How long an invocation that is told to stop may take for it before it is killed with its sandbox.
    pub cancel_grace: Duration,
    /// Whether the machine is short of memory.
    pub is_memory_short: fn() -> bool,
}

/// Who takes longer than that to make a sandbox, loading much or waiting for something, lets others begin meanwhile.
const TURN_MAX: Duration = Duration::from_secs(1);
/// What a start takes, until one has been measured.
const START_COST: Duration = Duration::from_millis(60);

type ByName = HashMap<Arc<str>, Arc<Pool>>;

/// All pools.
pub struct Pools {
    pub(super) options: Options,
    pub(super) starter: Starter,
    pub(super) clock: SharedClock,
    pools: RwLock<HashMap<AccountId, ByName>>,
    former: Mutex<Former>,
    turns: Arc<Turns>,
    pub(super) prewarmed: Prewarmed,
    pub(super) tally: Tally,
    alive: AtomicU64,
    start_cost_us: AtomicU64,
    left: Notify,
    closed: AtomicBool,
}

/// Room for one sandbox; given back unless kept.
pub struct Room(Option<Arc<Pools>>);

impl Room {
    /// The sandbox is there: [`Pools::leave`] gives its room back.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(pools) = &self.0 {
            pools.leave();
        }
    }
}

impl Pools {
    /// No pools yet.
    pub fn new(options: Options, starter: Starter, clock: SharedClock) -> Arc<Self> {
        let turns = Turns::new(starter.spawner.at_once(), starter.spawner.waiting_max());
        Arc::new(Self {
            options,
            starter,
            clock,
            pools: RwLock::default(),
            former: Mutex::default(),
            turns,
            prewarmed: Prewarmed::default(),
            tally: Tally::default(),
            alive: AtomicU64::new(0),
            start_cost_us: AtomicU64::new(u64::try_from(START_COST.as_micros()).unwrap_or(u64::MAX)),
            left: Notify::new(),
            closed: AtomicBool::new(false),
        })
    }

    /// Sandboxes alive, those being started included.
    pub fn alive(&self) -> u64 {
        self.alive.load(Ordering::Acquire)
    }

    /// The pool of a function's present generation. One of an earlier generation is retired.
    pub(super) fn of(self: &Arc<Self>, target: &Target) -> Result<Arc<Pool>, DispatchError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(DispatchError::ShuttingDown);
        }
        let function = &target.function;
        let is_present = |pool: &&Arc<Pool>| pool.generation() == &*function.generation;
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        let found = pools.get(&function.account).and_then(|named| named.get(&*function.pool));
        if let Some(pool) = found.filter(is_present) {
            return Ok(pool.clone());
        }
        drop(pools);
        Ok(self.make(target))
    }

    fn make(self: &Arc<Self>, target: &Target) -> Arc<Pool> {
        let function = &target.function;
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let named = pools.entry(function.account).or_default();
        // Another request may have made it between the two locks.
        if let Some(pool) =
            named.get(&*function.pool).filter(|pool| pool.generation() == &*function.generation)
        {
            return pool.clone();
        }
        let past = self.former().of(function, named.contains_key(&*function.pool));
        let pool = Pool::new(target.clone(), self.clone(), past);
        let earlier = named.insert(function.pool.clone(), pool.clone());
        drop(pools);
        if let Some(earlier) = earlier {
            earlier.retire();
        }
        pool
    }

    fn former(&self) -> MutexGuard<'_, Former> {
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self) -> Vec<Arc<Pool>> {
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.values().flat_map(HashMap::values).cloned().collect()
    }

    /// Turns that are taken.
    pub(super) fn being_made(&self) -> usize {
        self.turns.taken()
    }

    /// Waits for the turn of a function for a caller, or for one in which nobody needs it, to make a sandbox.
    pub(super) async fn turn(&self, wanted: Option<(&Arc<str>, Share)>) -> Result<Turn, StartFailure> {
        let turn = self.turns.take(wanted).await;
        turn.map_err(|Busy| StartFailure::Saturated(too_many_starts(&self.starter.spawner)))
    }

    /// Why there is no room for another sandbox.
    pub(super) fn no_room(&self) -> Full {
        Full {
            limit: "sandbox.sandboxes_max",
            most: self.options.sandboxes_max,
            why: "as many sandboxes run as there may be",
        }
    }

    /// Starts a sandbox for the function of this pool, for which a call of this share waits.
    pub(super) async fn start(
        self: &Arc<Self>,
        pool: &Pool,
        cause: ColdStart,
        share: Share,
    ) -> Result<(Worker, Room), StartFailure> {
        let turn = self.turn(Some((&pool.target.function.arn, share))).await?;
        let mut making = pin!(self.make_sandbox(pool, cause));
        let started = match timeout(TURN_MAX, &mut making).await {
            Ok(started) => started,
            Err(_) => {
                drop(turn);
                return making.await;
            }
        };
        drop(turn);
        // Only now: the boot of another would have slowed this one down.
        self.refill(self.starter.nodes.of(&pool.target.function.runtime));
        started
    }

    /// One that is ready, where there is one and it will do, or else a new one.
    async fn make_sandbox(
        self: &Arc<Self>,
        pool: &Pool,
        cause: ColdStart,
    ) -> Result<(Worker, Room), StartFailure> {
        let target = &pool.target;
        let began = self.clock.monotonic();
        let node = self.starter.nodes.of(&target.function.runtime);
        if self.starter.is_generic(&target.function) {
            self.prewarmed.wanted(node, began);
            while let Some((generic, room)) = self.prewarmed.take(node) {
                match self.starter.bind(generic, target, began, cause).await {
                    // It ended while it waited, and nobody had heard of it yet.
                    Err(StartFailure::System(why)) => tracing::warn!(why, "a ready sandbox was of no use"),
                    bound => return bound.map(|worker| (worker, room)),
                }
            }
        }
        let room = self.room(pool).ok_or_else(|| StartFailure::Saturated(self.no_room()))?;
        self.starter.start(target, cause).await.map(|worker| (worker, room))
    }

    /// Makes sandboxes ready for functions that nobody has called yet.
    pub(super) fn prewarm(self: &Arc<Self>) {
        self.refill(self.starter.nodes.default());
    }

    /// Calls in the lines of all pools.
    pub(super) fn waiting(&self) -> usize {
        self.each().iter().map(|pool| pool.waiting.load(Ordering::Relaxed)).sum()
    }

    /// Idle sandboxes in which everything stands still.
    pub(super) fn frozen(&self) -> usize {
        self.each().iter().map(|pool| pool.frozen()).sum()
    }

    /// Sandboxes that are nobody's yet.
    pub(super) fn prewarmed(&self) -> usize {
        self.prewarmed.ready()
    }

    /// Whether the gateway goes down.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends sandboxes that were idle for too long, and forgets pools without any. Where memory is short, those that are ready
    /// for nobody go, and then the coldest, one for each eight.
    pub(super) fn sweep(&self) {
        if (self.options.is_memory_short)() {
            self.prewarmed.clear();
            for _ in 0..self.alive().div_ceil(8) {
                if !self.evict_coldest() {
                    break;
                }
            }
        } else {
            let Options { prewarmed_min, prewarmed_max, .. } = self.options;
            self.prewarmed.trim(self.clock.monotonic(), prewarmed_min, prewarmed_max);
        }
        let since = self.clock.monotonic().saturating_sub(self.options.idle);
        let empty: Vec<_> = self.each().into_iter().filter(|pool| pool.expire(since)).collect();
        if empty.is_empty() {
            return;
        }
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        for named in pools.values_mut() {
            // A call may have come for it meanwhile, and then holds the pool itself.
            named.retain(|_, pool| {
                let stays =
                    !empty.iter().any(|empty| Arc::ptr_eq(empty, pool)) || Arc::strong_count(pool) > 2;
                if !stays {
                    self.former().remember(&pool.target.function, &pool.past);
                }
                stays
            });
        }
        pools.retain(|_, named| !named.is_empty());
    }

    /// Takes room for one more sandbox of this pool; where there is none, one that is nobody's, or the coldest idle one of any
    /// function, makes it. Who has half of all there may be already takes none away from others.
    fn room(self: &Arc<Self>, pool: &Pool) -> Option<Room> {
        for _ in 0..2 {
            if let Some(room) = self.free_room() {
                return Some(room);
            }
            let has_half = 2 * pool.others() as u64 >= self.options.sandboxes_max;
            if !self.prewarmed.give_up() && (has_half || !self.evict_coldest()) {
                return None;
            }
        }
        None
    }

    /// Takes room for one more sandbox, if there is any.
    pub(super) fn free_room(self: &Arc<Self>) -> Option<Room> {
        let taken = self.alive.fetch_update(Ordering::AcqRel, Ordering::Acquire, |alive| {
            (alive < self.options.sandboxes_max).then_some(alive + 1)
        });
        taken.is_ok().then(|| Room(Some(self.clone())))
    }

    fn evict_coldest(&self) -> bool {
        let coldest = self
            .each()
            .into_iter()
            .filter_map(|pool| Some((pool.coldest()?, pool)))
            .min_by_key(|(since, _)| *since);
        coldest.is_some_and(|(_, pool)| pool.evict())
    }

    /// A sandbox is gone.
    pub(super) fn leave(&self) {
        self.alive.fetch_sub(1, Ordering::AcqRel);
        self.left.notify_waiters();
    }

    /// What starting a sandbox takes, as measured.
    pub(super) fn start_cost(&self) -> Duration {
        Duration::from_micros(self.start_cost_us.load(Ordering::Relaxed))
    }

    /// Notes what a start took, into an average over about the last eight.
    pub(super) fn note_start(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.start_cost_us.load(Ordering::Relaxed);
        self.start_cost_us.store((before.saturating_mul(7).saturating_add(took)) / 8, Ordering::Relaxed);
    }

    /// Retires the pools of a function's versions, those that are no more.
    pub(super) fn retire(&self, account: AccountId, name: &str, is_there: &dyn Fn(&Function) -> bool) {
        let mut gone: Vec<Arc<Pool>> = Vec::new();
        let is_gone = |function: &Function| &*function.name == name && !is_there(function);
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = pools.get_mut(&account) {
            gone.extend(named.extract_if(|_, pool| is_gone(&pool.target.function)).map(|(_, pool)| pool));
        }
        let mut former = self.former();
        former.forget(account, name);
        for pool in &gone {
            former.forget(account, &pool.target.function.pool);
        }
        drop(former);
        drop(pools);
        for pool in gone {
            pool.retire();
        }
    }

    /// Takes no more invocations and waits until every sandbox is gone: idle ones now, running ones when they have answered,
    /// at the latest `within` this time.
    pub(super) async fn shutdown(&self, within: Duration) {
        self.closed.store(true, Ordering::Release);
        self.prewarmed.clear();
        if timeout(within, self.all_gone()).await.is_err() {
            let sandboxes = self.alive();
            tracing::warn!(sandboxes, "sandboxes were killed: their time to end was over");
        }
        self.starter.spawner.kill_all();
        if timeout(END_MAX, self.all_gone()).await.is_err() {
            tracing::error!(sandboxes = self.alive(), "sandboxes did not end when they were killed");
        }
        self.pools.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.starter.network.close();
        self.starter.spawner.finish().await;
    }

    async fn all_gone(&self) {
        loop {
            let left = self.left.notified();
            for pool in self.each() {
                pool.retire();
            }
            if self.alive() == 0 {
                return;
            }
            left.await;
        }
    }
}
