//! The state of a limit's buckets: in shards, bounded, swept, and the same for whatever rate is laid over it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use governor::{nanos::Nanos, state::StateStore};

use super::{
    key::{BuildPass, Key},
    rule::Rate,
};

/// The number of shards of each limit.
pub(super) const SHARDS: usize = 64;

/// The state of a bucket: the time in nanoseconds at which it is full again; 0 if it was never used. What is used of it is
/// what is left until then.
type Cell = AtomicU64;
type Cells = HashMap<Key, Cell, BuildPass>;

/// Bytes that all tables together may have.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicUsize,
    max: AtomicUsize,
}

impl Room {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max: AtomicUsize::new(max) })
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> bool {
        let max = self.max.load(Ordering::Relaxed);
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A place in a table, and the byte that hashbrown keeps beside each.
const PLACE_BYTES: usize = size_of::<(Key, Cell)>() + 1;

/// What a table without holes takes: hashbrown has a power of two of places and fills seven in eight.
fn table_bytes(capacity: usize) -> usize {
    let places = match capacity {
        0 => 0,
        1..4 => 4,
        4..8 => 8,
        _ => (capacity * 8 / 7).next_power_of_two(),
    };
    places * PLACE_BYTES
}

/// The keys of one shard.
#[derive(Debug, Default)]
struct Shard {
    cells: Cells,
    /// What their table takes. The map does not say: places from which something was removed count as taken.
    bytes: usize,
}

impl Shard {
    /// How many keys its table has places for.
    fn places(&self) -> usize {
        self.bytes / PLACE_BYTES / 8 * 7
    }
}

/// The buckets of all keys of one limit.
#[derive(Debug)]
pub(super) struct Buckets {
    shards: Box<[RwLock<Shard>]>,
    /// One for each shard, for the keys that came when it was full.
    spare: Box<[Cell]>,
    room: Arc<Room>,
    keys_max_per_shard: usize,
    tracked: AtomicUsize,
    shared: AtomicU64,
}

/// What is left until a bucket is full, laid over another rate: as many tokens stay used as were used, but no more than there
/// are.
pub(super) fn rescaled(full_again: u64, now_nanos: u64, before: Rate, after: Rate) -> u64 {
    let (before, interval) = (u128::from(before.interval_nanos()), u128::from(after.interval_nanos()));
    let left = u128::from(full_again.saturating_sub(now_nanos));
    let left = (left * interval / before).min(interval * u128::from(after.burst.get()));
    now_nanos.saturating_add(u64::try_from(left).unwrap_or(u64::MAX))
}

/// Buckets as governor's limiters own them.
#[derive(Clone, Debug)]
pub(super) struct Shared(pub(super) Arc<Buckets>);

impl StateStore for Shared {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (buckets, key) = (&*self.0, *key);
        let position = key.shard(SHARDS);
        let read = buckets.read(position);
        if let Some(cell) = read.cells.get(&key) {
            return replace(cell, decide);
        }
        let is_full = read.cells.len() >= buckets.keys_max_per_shard;
        drop(read);
        if !is_full {
            let mut shard = buckets.write(position);
            if let Some(cell) = shard.cells.get(&key) {
                return replace(cell, decide);
            }
            if buckets.has_place(&mut shard) {
                let (result, full_again) = decide(None)?;
                shard.cells.insert(key, Cell::new(full_again.as_u64()));
                buckets.tracked.fetch_add(1, Ordering::Relaxed);
                return Ok(result);
            }
        }
        buckets.shared.fetch_add(1, Ordering::Relaxed);
        replace(&buckets.spare[position], decide)
    }
}

/// Changes a cell if the decision says so and nobody else changed it meanwhile; else decides again.
pub(super) fn replace<T, E>(
    cell: &Cell,
    decide: impl Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
) -> Result<T, E> {
    let mut before = cell.load(Ordering::Acquire);
    loop {
        let (result, after) = decide((before != 0).then(|| Nanos::new(before)))?;
        match cell.compare_exchange_weak(before, after.as_u64(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(result),
            Err(changed) => before = changed,
        }
    }
}

impl Buckets {
    /// All full; at most `keys_max` keys, rounded up to a multiple of the shards, get one of their own, as long as there is
    /// room.
    pub(super) fn new(keys_max: usize, room: &Arc<Room>) -> Arc<Self> {
        Arc::new(Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            spare: (0..SHARDS).map(|_| Cell::new(0)).collect(),
            room: room.clone(),
            keys_max_per_shard: keys_max.div_ceil(SHARDS),
            tracked: AtomicUsize::new(0),
            shared: AtomicU64::new(0),
        })
    }

    // A panic while a lock is held leaves a map that is whole: nothing of ours runs half-way in a change of it.
    fn read(&self, position: usize) -> RwLockReadGuard<'_, Shard> {
        self.shards[position].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, position: usize) -> RwLockWriteGuard<'_, Shard> {
        self.shards[position].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more key may come in; the table grows for it if there is room.
    fn has_place(&self, shard: &mut Shard) -> bool {
        let Shard { cells, bytes } = shard;
        if cells.len() >= self.keys_max_per_shard {
            return false;
        }
        if cells.len() < cells.capacity() {
            return true;
        }
        // At most it doubles; where there are holes it may do without.
        let most = table_bytes(cells.len() + 1).max(2 * *bytes);
        if !self.room.take(most - *bytes) {
            return false;
        }
        cells.reserve(1);
        *bytes = table_bytes(cells.capacity());
        self.room.give(most - *bytes);
        true
    }

    /// When the bucket of a key is full again; 0 if it is.
    pub(super) fn full_again(&self, key: Key) -> u64 {
        let position = key.shard(SHARDS);
        let read = self.read(position);
        let is_full = read.cells.len() >= self.keys_max_per_shard;
        let spare = is_full.then(|| &self.spare[position]);
        read.cells.get(&key).or(spare).map_or(0, |cell| cell.load(Ordering::Acquire))
    }

    /// Gives a token back that was taken and came to nothing.
    pub(super) fn refund(&self, key: Key, interval_nanos: u64) {
        let position = key.shard(SHARDS);
        let read = self.read(position);
        // One that is not there shares the spare one if the shard is full; else it was swept, being full itself.
        let spare = (read.cells.len() >= self.keys_max_per_shard).then(|| &self.spare[position]);
        let Some(cell) = read.cells.get(&key).or(spare) else { return };
        let back = |full_again: u64| Some(full_again.saturating_sub(interval_nanos));
        let _ = cell.fetch_update(Ordering::AcqRel, Ordering::Acquire, back);
    }

    /// Forgets the keys of a shard whose buckets are full: they are as good as new ones.
    pub(super) fn sweep(&self, position: usize, now_nanos: u64) {
        let mut shard = self.write(position % SHARDS);
        let before = shard.cells.len();
        shard.cells.retain(|_, cell| *cell.get_mut() > now_nanos);
        let left = shard.cells.len();
        self.tracked.fetch_sub(before - left, Ordering::Relaxed);
        // After a flood the memory goes back; a margin keeps an even flow from moving the map at each sweep.
        if shard.places() > 4 * left.max(16) {
            let mut cells = Cells::with_capacity_and_hasher(2 * left, BuildPass::default());
            cells.extend(shard.cells.drain());
            let bytes = table_bytes(cells.capacity());
            self.room.give(shard.bytes - bytes);
            *shard = Shard { cells, bytes };
        }
    }

    /// Lays new rates over the buckets, where a key has another now.
    pub(super) fn rescale(&self, now_nanos: u64, rates: impl Fn(Key) -> Option<(Rate, Rate)>) {
        for position in 0..SHARDS {
            for (key, cell) in &mut self.write(position).cells {
                if let Some((before, after)) = rates(*key).filter(|(before, after)| before != after) {
                    let cell = cell.get_mut();
                    *cell = rescaled(*cell, now_nanos, before, after);
                }
            }
        }
    }

    /// The keys with a bucket of their own.
    pub(super) fn tracked(&self) -> usize {
        self.tracked.load(Ordering::Relaxed)
    }

    /// The requests that had to share a bucket.
    pub(super) fn shared(&self) -> u64 {
        self.shared.load(Ordering::Relaxed)
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        for shard in &mut self.shards {
            self.room.give(shard.get_mut().unwrap_or_else(PoisonError::into_inner).bytes);
        }
    }
}
