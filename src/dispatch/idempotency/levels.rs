//! What is kept and what was done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Idempotency, lock};

/// What is kept and what was done, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Levels {
    /// Calls that are kept in memory.
    pub sdk_entries: u64,
    /// Their bytes.
    pub sdk_bytes: u64,
    /// Calls with an `Idempotency-Key`.
    pub key_entries: u64,
    /// Their bytes.
    pub key_bytes: u64,
    /// Requests that were answered from what was kept, since the start.
    pub replayed: u64,
    /// Requests that waited for another's run.
    pub joined: u64,
    /// Answers that left memory before their time.
    pub evicted: u64,
    /// Requests refused because what came of their run is not known.
    pub unknown: u64,
    /// Requests refused because a store of keys was full.
    pub full: u64,
}

/// What was done since the start, as it is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) replayed: AtomicU64,
    pub(super) joined: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) full: AtomicU64,
    /// Runs that go on.
    pub(super) running: AtomicU64,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Idempotency {
    /// What is kept and what was done.
    pub fn levels(&self) -> Levels {
        let (memory, kept) = (lock(&self.memory).used(), lock(&self.kept).used());
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Levels {
            sdk_entries: memory.entries,
            sdk_bytes: memory.bytes,
            key_entries: kept.entries,
            key_bytes: kept.bytes,
            replayed: read(&self.counts.replayed),
            joined: read(&self.counts.joined),
            evicted: read(&self.counts.evicted),
            unknown: read(&self.counts.unknown),
            full: read(&self.counts.full),
        }
    }
}
