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

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new((BURST, Instant::now())))
    }
}

impl Rate {
    /// Takes a token, if there is one.
    pub(super) fn take(&self) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = bucket.0 + now.duration_since(bucket.1).as_secs_f64() * PER_SECOND;
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

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_served_and_then_so_many_a_second() {
        let rate = Rate::default();
        let taken = || std::iter::from_fn(|| rate.take().then_some(())).count();
        assert_eq!(taken(), 200);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(), 100);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(taken(), 200);
    }
}
