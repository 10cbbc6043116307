//! What one serving thread has of a pool: its idle sandboxes and its calls that wait.
//!
//! In a busy pool every thread goes on with what is its own and waits for nobody. It looks at another's shard, for a moment
//! and never holding its own, only to find a sandbox that it lacks or a call that has waited too long.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::{pool::Handed, shares::FairLine, worker::Worker};

/// A call in line.
#[derive(Debug)]
pub(super) struct Place {
    /// Since when, in nanoseconds of the monotonic clock.
    pub since_ns: u64,
    /// Where its sandbox goes.
    pub sender: oneshot::Sender<Handed>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The last one given back is the first to be taken: it is the warmest.
    #[expect(clippy::vec_box, reason = "a sandbox moves between pool and lease by its pointer")]
    pub idle: Vec<Box<Worker>>,
    /// First come, first served, but for those who have several places.
    pub line: FairLine<Place, 1>,
}

/// One thread's part of a pool.
#[derive(Debug)]
pub(super) struct Shard {
    state: Mutex<State>,
    /// Since when the first in line has waited; [`NOBODY`] where the line is empty. To be read without the lock.
    first_since_ns: AtomicU64,
    /// Sandboxes lent to calls of this thread.
    lent: AtomicUsize,
}

const NOBODY: u64 = u64::MAX;

impl Default for Shard {
    fn default() -> Self {
        Self { state: Mutex::default(), first_since_ns: AtomicU64::new(NOBODY), lent: AtomicUsize::new(0) }
    }
}

/// The lock on a shard's state. Letting go of it tells the other threads who is first in line.
pub(super) struct Locked<'s> {
    shard: &'s Shard,
    state: MutexGuard<'s, State>,
}

impl Shard {
    pub(super) fn lock(&self) -> Locked<'_> {
        Locked { shard: self, state: self.state.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// How long the first in line has waited at `now_ns`; `None` where the line is empty.
    pub(super) fn first_has_waited(&self, now_ns: u64) -> Option<Duration> {
        let since_ns = self.first_since_ns.load(Ordering::Relaxed);
        (since_ns != NOBODY).then(|| Duration::from_nanos(now_ns.saturating_sub(since_ns)))
    }

    /// Sandboxes lent to calls of this thread.
    pub(super) fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }

    /// One more is lent.
    pub(super) fn lend(&self) {
        self.lent.fetch_add(1, Ordering::Relaxed);
    }

    /// One has ended or is back.
    pub(super) fn returned(&self) {
        self.lent.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes the warmest idle sandbox.
    pub(super) fn take(&self) -> Option<Box<Worker>> {
        self.lock().idle.pop()
    }

    /// When its coldest idle sandbox was given back.
    pub(super) fn coldest(&self) -> Option<Duration> {
        self.lock().idle.first().map(|worker| worker.idle_since)
    }
}

impl std::ops::Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let first = self.state.line.front().map_or(NOBODY, |place| place.since_ns);
        if self.shard.first_since_ns.load(Ordering::Relaxed) != first {
            self.shard.first_since_ns.store(first, Ordering::Relaxed);
        }
    }
}
