//! How long an invocation takes by itself, of late.
//!
//! Reckoned from how long each was waited for, it would grow with the number of sandboxes that run, and there would never be
//! fewer of them. So now and then an invocation's own part is told apart ([`Effort`](super::effort::Effort)).

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use super::effort::Alone;

const UNKNOWN: u64 = u64::MAX;
/// So many in a row must have waited before that is taken for the function's way: one may have met with a hitch.
const WAITS: usize = 3;
/// How often an invocation's own part is told apart: it takes some system calls.
const EFFORT_EVERY: Duration = Duration::from_millis(5);

/// In whole nanoseconds.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What is known of a function's invocations. That several threads change it at once does no harm to an estimate.
#[derive(Debug)]
pub(super) struct Estimate {
    /// In nanoseconds; [`UNKNOWN`] until one has ended.
    service_ns: AtomicU64,
    /// How many in a row, of those told apart, waited for something of their own.
    waited: AtomicUsize,
    /// When an invocation's own part is to be told apart again, in nanoseconds of the monotonic clock.
    next_effort_ns: AtomicU64,
}

impl Default for Estimate {
    fn default() -> Self {
        Self {
            service_ns: AtomicU64::new(UNKNOWN),
            waited: AtomicUsize::new(0),
            next_effort_ns: AtomicU64::new(0),
        }
    }
}

impl Estimate {
    /// Whether invocations wait for something of their own, so that any number makes progress at once.
    pub(super) fn waits(&self) -> bool {
        self.waited.load(SeqCst) >= WAITS
    }

    /// How long the last of `waiting` calls is expected to wait for `running` sandboxes. Of those that compute, only as many
    /// make progress at once as there are processors. `None` while nothing is known.
    pub(super) fn expected(&self, waiting: usize, running: usize, processors: usize) -> Option<Duration> {
        let service_ns = self.service_ns.load(SeqCst);
        let at_once = if self.waits() { running } else { running.min(processors) };
        let rounds = u64::try_from(waiting.div_ceil(at_once.max(1))).unwrap_or(u64::MAX);
        (service_ns != UNKNOWN).then(|| Duration::from_nanos(service_ns.saturating_mul(rounds)))
    }

    /// Whether the own part of an invocation that begins `now` is to be told apart.
    pub(super) fn wants_effort(&self, now: Duration) -> bool {
        let now_ns = nanoseconds(now);
        let next_ns = self.next_effort_ns.load(SeqCst);
        let after_ns = now_ns.saturating_add(nanoseconds(EFFORT_EVERY));
        now_ns >= next_ns && self.next_effort_ns.compare_exchange(next_ns, after_ns, SeqCst, SeqCst).is_ok()
    }

    /// Notes that an invocation was waited for so long, and what it took by itself, where that was told apart.
    pub(super) fn note(&self, took: Duration, alone: Option<Alone>) {
        let took_ns = nanoseconds(took);
        let service_ns = self.service_ns.load(SeqCst);
        let sample_ns = match alone {
            // By itself it takes no longer than that.
            None => {
                return if took_ns < service_ns {
                    self.service_ns.store(took_ns, SeqCst)
                };
            }
            Some(Alone::Computed(time)) => nanoseconds(time).min(took_ns),
            Some(Alone::Waited) => took_ns,
        };
        if alone == Some(Alone::Waited) {
            self.waited.fetch_add(1, SeqCst);
        } else {
            self.waited.store(0, SeqCst);
        }
        let next_ns = if service_ns == UNKNOWN || sample_ns < service_ns {
            sample_ns
        } else {
            service_ns + (sample_ns - service_ns) / 4
        };
        self.service_ns.store(next_ns, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn what_computes_is_not_quicker_with_more_sandboxes_than_processors() {
        let estimate = Estimate::default();
        assert_eq!(estimate.expected(10, 4, 2), None);
        // Under load it was waited for a hundred times as long.
        estimate.note(ms(100), Some(Alone::Computed(ms(1))));
        assert_eq!(estimate.expected(10, 4, 2), Some(ms(5)));
        assert_eq!(estimate.expected(10, 1, 2), Some(ms(10)));
        estimate.note(ms(500), None);
        assert_eq!(estimate.expected(2, 2, 2), Some(ms(1)));
    }

    #[test]
    fn what_waits_is() {
        let estimate = Estimate::default();
        for _ in 0..WAITS {
            assert!(!estimate.waits());
            estimate.note(ms(100), Some(Alone::Waited));
        }
        assert!(estimate.waits());
        assert_eq!(estimate.expected(10, 5, 2), Some(ms(200)));
        estimate.note(ms(100), Some(Alone::Computed(ms(100))));
        assert!(!estimate.waits());
    }

    #[test]
    fn it_is_told_apart_once_in_a_while() {
        let estimate = Estimate::default();
        assert!(estimate.wants_effort(ms(1)));
        assert!(!estimate.wants_effort(ms(5)));
        assert!(estimate.wants_effort(ms(6)));
    }
}
