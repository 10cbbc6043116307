//! A rate for each key: governor's arithmetic over state of our own, which is capped and can be swept.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{
    NotUntil, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos, state::StateStore,
};

use super::{
    clock::{Moment, Monotonic},
    shards::{self, Shards},
};
use crate::base::clock::SharedClock;

/// The state of a bucket: the time in nanoseconds at which it is full again; 0 if it was never used.
type Cell = AtomicU64;

/// The buckets of all keys.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    cells: Shards<K, Cell>,
    /// One for each shard, for the keys that came when it was full.
    spare: Box<[Cell]>,
    keys_max_per_shard: usize,
    tracked: AtomicUsize,
    shared: AtomicU64,
    /// The shard to sweep next.
    next: AtomicUsize,
}

/// Buckets as governor's limiter owns them.
#[derive(Debug)]
struct Shared<K>(Arc<Buckets<K>>);

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let buckets = &*self.0;
        let position = buckets.cells.position(key);
        let Some(shard) = buckets.cells.at(position) else { return decide(None).map(|(result, _)| result) };
        if let Some(cell) = shard.read().get(key) {
            return replace(cell, decide);
        }
        let mut cells = shard.write();
        if let Some(cell) = cells.get(key) {
            return replace(cell, decide);
        }
        if cells.len() < buckets.keys_max_per_shard {
            let (result, full_again) = decide(None)?;
            cells.insert(key.clone(), Cell::new(full_again.as_u64()));
            buckets.tracked.fetch_add(1, Ordering::Relaxed);
            return Ok(result);
        }
        drop(cells);
        buckets.shared.fetch_add(1, Ordering::Relaxed);
        match buckets.spare.get(position) {
            Some(cell) => replace(cell, decide),
            None => decide(None).map(|(result, _)| result),
        }
    }
}

/// Changes a cell if the decision says so and nobody else changed it meanwhile; else decides again.
fn replace<T, E>(cell: &Cell, decide: impl Fn(Option<Nanos>) -> Result<(T, Nanos), E>) -> Result<T, E> {
    let mut before = cell.load(Ordering::Acquire);
    loop {
        let (result, after) = decide((before != 0).then(|| Nanos::new(before)))?;
        match cell.compare_exchange_weak(before, after.as_u64(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(result),
            Err(changed) => before = changed,
        }
    }
}

/// A rate for each key.
#[derive(Debug)]
pub(super) struct KeyedLimiter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Shared<K>, Monotonic, NoOpMiddleware<Moment>>,
    buckets: Arc<Buckets<K>>,
}

impl<K: Hash + Eq + Clone> KeyedLimiter<K> {
    /// All buckets full; at most `keys_max` keys, rounded up to a multiple of the shards, get one of their own.
    pub(super) fn new(quota: governor::Quota, keys_max: usize, clock: &SharedClock) -> Self {
        let buckets = Arc::new(Buckets {
            cells: Shards::new(),
            spare: (0..shards::COUNT).map(|_| Cell::new(0)).collect(),
            keys_max_per_shard: keys_max.div_ceil(shards::COUNT),
            tracked: AtomicUsize::new(0),
            shared: AtomicU64::new(0),
            next: AtomicUsize::new(0),
        });
        let limiter = RateLimiter::new(quota, Shared(buckets.clone()), Monotonic::at_origin(clock));
        limiter.clock().start();
        Self { limiter, buckets }
    }

    /// Takes a token; the error is how long to wait for one.
    pub(super) fn take(&self, key: &K) -> Result<(), Duration> {
        self.limiter
            .check_key(key)
            .map_err(|not_until: NotUntil<Moment>| not_until.wait_time_from(self.limiter.clock().now()))
    }

    /// Forgets the keys of the next shard whose buckets are full: they are as good as new ones.
    pub(super) fn sweep(&self) {
        let position = self.buckets.next.fetch_add(1, Ordering::Relaxed);
        let Some(shard) = self.buckets.cells.at(position) else { return };
        let now = self.limiter.clock().nanos();
        let mut cells = shard.write();
        let before = cells.len();
        cells.retain(|_, cell| *cell.get_mut() > now);
        self.buckets.tracked.fetch_sub(before - cells.len(), Ordering::Relaxed);
        // After a flood the memory goes back; a margin keeps an even flow from moving the map at each sweep.
        if cells.capacity() > 4 * cells.len().max(16) {
            let keep = 2 * cells.len();
            cells.shrink_to(keep);
        }
    }

    /// The keys with a bucket of their own.
    pub(super) fn tracked(&self) -> usize {
        self.buckets.tracked.load(Ordering::Relaxed)
    }

    /// The requests that had to share a bucket.
    pub(super) fn shared(&self) -> u64 {
        self.buckets.shared.load(Ordering::Relaxed)
    }
}
