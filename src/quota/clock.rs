//! Our clock in governor's terms.

use std::{
    cell::Cell,
    ops::Add,
    sync::atomic::{AtomicBool, Ordering},
};

use governor::{
    clock::{Clock, Reference},
    nanos::Nanos,
};

use crate::base::clock::SharedClock;

/// Nanoseconds since the clock's origin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Moment(u64);

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, later: Nanos) -> Self {
        Self(self.0.saturating_add(later.as_u64()))
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        Nanos::new(self.0.saturating_sub(earlier.0))
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.as_u64()).unwrap_or(self.0))
    }
}

thread_local! {
    /// The time of the question that this thread is asking just now.
    static ASKED_AT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Asks limits as at `nanos`: all limits of one question are asked at the same moment, which is read off the clock once.
pub(super) fn at<T>(nanos: u64, ask: impl FnOnce() -> T) -> T {
    struct Asked;
    impl Drop for Asked {
        fn drop(&mut self) {
            ASKED_AT.set(None);
        }
    }
    let _asked = Asked;
    ASKED_AT.set(Some(nanos));
    ask()
}

/// A clock for governor. A limiter counts from the time at which it was made, so it is made while this clock still
/// stands at its origin: then its state means the same to every limiter over the same clock, and outlives a change of
/// the limit.
#[derive(Debug)]
pub(super) struct Monotonic {
    clock: SharedClock,
    running: AtomicBool,
}

impl Monotonic {
    /// Stands at the origin until it is started.
    pub(super) fn at_origin(clock: &SharedClock) -> Self {
        Self { clock: clock.clone(), running: AtomicBool::new(false) }
    }

    /// Shows the real time from now on.
    pub(super) fn start(&self) {
        self.running.store(true, Ordering::Relaxed);
    }

    /// Nanoseconds since the origin.
    fn nanos(&self) -> u64 {
        if let Some(nanos) = ASKED_AT.get() {
            return nanos;
        }
        u64::try_from(self.clock.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Clock for Monotonic {
    type Instant = Moment;

    fn now(&self) -> Moment {
        if self.running.load(Ordering::Relaxed) { Moment(self.nanos()) } else { Moment(0) }
    }
}
