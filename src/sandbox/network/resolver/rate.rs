//! How fast a sandbox may ask.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Questions a second, on average.
const PER_SECOND: f64 = 100.0;
/// Questions at once after a rest.
const BURST: f64 = 200.0;

/// A bucket of tokens, one a question.
#[derive(Debug)]
pub(super) struct Rate(Mutex<(f64, Instant)>);

impl Rate {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new((BURST, now)))
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = bucket.0 + now.saturating_duration_since(bucket.1).as_secs_f64() * PER_SECOND;
        *bucket = (filled.min(BURST), now);
        let is_there = bucket.0 >= 1.0;
        if is_there {
            bucket.0 -= 1.0;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_served_and_then_so_many_a_second() {
        let start = Instant::now();
        let rate = Rate::new(start);
        let taken = |after| std::iter::from_fn(|| rate.take(start + after).then_some(())).count();
        assert_eq!(taken(Duration::ZERO), 200);
        assert_eq!(taken(Duration::from_secs(1)), 100);
        assert_eq!(taken(Duration::from_hours(1)), 200);
    }
}
