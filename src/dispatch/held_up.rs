//! Which sandboxes of a pool are held up by one long invocation.
//!
//! As many sandboxes as can be busy at once serve quick invocations fastest. One that is held up, waiting or computing, does
//! not count among those: the others would be too few.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::estimate::nanoseconds;

/// After so long an invocation holds its sandbox up.
pub(super) const LONG: Duration = Duration::from_millis(20);

/// No invocation runs.
const NONE: u64 = u64::MAX;

/// Since when a sandbox's invocation runs, in nanoseconds of the monotonic clock.
#[derive(Debug)]
pub(super) struct RunningSince(Arc<AtomicU64>);

impl RunningSince {
    /// Of a sandbox that no pool asks for.
    pub(super) fn unwatched() -> Self {
        Self(Arc::new(AtomicU64::new(NONE)))
    }

    /// An invocation begins.
    pub(super) fn begin(&self, now: Duration) {
        self.0.store(nanoseconds(now), Relaxed);
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.0.store(NONE, Relaxed);
    }
}

/// All sandboxes of a pool. Who serves a call asks for the number alone; it is counted anew when somebody has waited long, and
/// when a long invocation has ended.
#[derive(Debug, Default)]
pub(super) struct HeldUp {
    all: Mutex<Vec<Weak<AtomicU64>>>,
    count: AtomicUsize,
}

impl HeldUp {
    /// Watches another sandbox for as long as it keeps what this returns.
    pub(super) fn watch(&self) -> RunningSince {
        let since = RunningSince::unwatched();
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&since.0));
        since
    }

    /// How many were held up when they were counted.
    pub(super) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Counts again, at this time.
    pub(super) fn recount(&self, now: Duration) -> usize {
        let since_ns = nanoseconds(now.saturating_sub(LONG));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        all.retain(|sandbox| {
            let Some(running_since) = sandbox.upgrade() else { return false };
            count += usize::from(running_since.load(Relaxed) < since_ns);
            true
        });
        self.count.store(count, Relaxed);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_held_up_while_its_invocation_is_long() {
        let (held_up, at) = (HeldUp::default(), Duration::from_secs(1));
        let (one, other) = (held_up.watch(), held_up.watch());
        one.begin(at);
        assert_eq!(held_up.recount(at + LONG), 0);
        assert_eq!(held_up.recount(at + LONG * 2), 1);
        other.begin(at);
        assert_eq!(held_up.recount(at + LONG * 2), 2);
        one.end();
        assert_eq!(held_up.recount(at + LONG * 2), 1);
        drop(other);
        assert_eq!(held_up.count(), 1);
        assert_eq!(held_up.recount(at + LONG * 2), 0);
    }
}
