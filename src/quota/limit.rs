//! One limit: its rate, the rates that single keys have instead, and the buckets below.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc, time::Duration};

use governor::{NotUntil, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::StateStore};

use super::{
    buckets::{Buckets, Shared},
    clock::{Moment, Monotonic},
    key::{BuildPass, Key},
    rule::{By, Rate},
    throttled::{Reason, Throttled},
};
use crate::base::{OverLimit, clock::SharedClock};

/// A limit with what is used of it.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) name: Arc<str>,
    pub(super) by: By,
    pub(super) reason: Reason,
    /// The keys that it is for; `None` for all.
    only: Option<Vec<Key>>,
    general: Option<Gate>,
    single: HashMap<Key, Gate, BuildPass>,
    pub(super) buckets: Arc<Buckets>,
}

/// A rate over buckets.
pub(super) struct Gate<S: StateStore = Shared> {
    pub(super) rate: Rate,
    limiter: RateLimiter<S::Key, S, Monotonic, NoOpMiddleware<Moment>>,
}

impl<S: StateStore> fmt::Debug for Gate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

impl<S: StateStore<Key: Hash + Eq + Clone>> Gate<S> {
    pub(super) fn new(rate: Rate, buckets: S, clock: &SharedClock) -> Self {
        let limiter = RateLimiter::new(rate.governor(), buckets, Monotonic::at_origin(clock));
        limiter.clock().start();
        Self { rate, limiter }
    }

    /// Takes a token; the error is how long to wait for one.
    pub(super) fn take(&self, key: &S::Key) -> Result<(), Duration> {
        self.limiter
            .check_key(key)
            .map_err(|not_until: NotUntil<Moment>| not_until.wait_time_from(self.limiter.clock().now()))
    }

    /// How long to wait for a token of a bucket that is full again then: until all that fit in but one are used at the most.
    pub(super) fn wait(&self, full_again: u64, now_nanos: u64) -> Duration {
        let others = u64::from(self.rate.burst.get() - 1).saturating_mul(self.rate.interval_nanos());
        Duration::from_nanos(full_again.saturating_sub(others).saturating_sub(now_nanos))
    }

    pub(super) fn refusal(&self, name: &Arc<str>, reason: Reason, retry_after: Duration) -> Throttled {
        Throttled {
            reason,
            over: OverLimit {
                name: name.clone(),
                quota: self.rate.burst.get().into(),
                window: Some(self.rate.full_after()),
                retry_after,
            },
        }
    }
}

/// What a limit is made of.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) name: Arc<str>,
    pub(super) by: By,
    pub(super) reason: Reason,
    /// The rate of every key; `None` where only single keys have one.
    pub(super) rate: Option<Rate>,
    /// The rates that single keys have instead.
    pub(super) single: Vec<(Key, Rate)>,
    /// The keys that it is for; `None` for all.
    pub(super) only: Option<Vec<Key>>,
}

impl Limit {
    /// With these terms over these buckets.
    pub(super) fn new(terms: Terms, buckets: Arc<Buckets>, clock: &SharedClock) -> Self {
        let Terms { name, by, reason, rate, single, only } = terms;
        let gate = |rate| Gate::new(rate, Shared(buckets.clone()), clock);
        let single = single.into_iter().map(|(key, rate)| (key, gate(rate))).collect();
        Self { name, by, reason, only, general: rate.map(gate), single, buckets }
    }

    /// The same buckets with other terms from `now_nanos` on.
    pub(super) fn renewed(&self, terms: Terms, now_nanos: u64, clock: &SharedClock) -> Self {
        let renewed = Self::new(terms, self.buckets.clone(), clock);
        let is_same = self.single.is_empty()
            && renewed.single.is_empty()
            && self.general.as_ref().map(|gate| gate.rate) == renewed.general.as_ref().map(|gate| gate.rate);
        if !is_same {
            self.buckets.rescale(now_nanos, |key| Some((self.gate(key)?.rate, renewed.gate(key)?.rate)));
        }
        renewed
    }

    fn gate(&self, key: Key) -> Option<&Gate> {
        if !self.single.is_empty()
            && let Some(gate) = self.single.get(&key)
        {
            return Some(gate);
        }
        self.general.as_ref()
    }

    /// Whether it stands for anybody.
    pub(super) fn is_set(&self) -> bool {
        self.general.is_some() || !self.single.is_empty()
    }

    /// Whether it has something to say of this key.
    pub(super) fn concerns(&self, key: Key) -> bool {
        (self.general.is_some() || self.single.contains_key(&key))
            && self.only.as_ref().is_none_or(|only| only.contains(&key))
    }

    fn refusal(&self, gate: &Gate, wait: Duration) -> Throttled {
        gate.refusal(&self.name, self.reason, wait)
    }
}

/// One bucket of a limit, as a question meets it.
pub(super) trait Bucket: Copy {
    /// How long to wait for a token.
    fn wait(self, now_nanos: u64) -> Duration;
    /// The refusal of whoever has to wait so long.
    fn refusal(self, wait: Duration) -> Throttled;
    /// Takes a token.
    fn take(self) -> Result<(), Throttled>;
    /// Gives a token back that was taken and came to nothing.
    fn refund(self);
}

impl Bucket for (&Limit, Key) {
    fn wait(self, now_nanos: u64) -> Duration {
        let (limit, key) = self;
        limit.gate(key).map_or(Duration::ZERO, |gate| gate.wait(limit.buckets.full_again(key), now_nanos))
    }

    fn refusal(self, wait: Duration) -> Throttled {
        let (limit, key) = self;
        match limit.gate(key) {
            Some(gate) => limit.refusal(gate, wait),
            None => Throttled { reason: limit.reason, over: OverLimit::at_once(limit.name.clone(), 0) },
        }
    }

    fn take(self) -> Result<(), Throttled> {
        let (limit, key) = self;
        let Some(gate) = limit.gate(key) else { return Ok(()) };
        gate.take(&key).map_err(|wait| limit.refusal(gate, wait))
    }

    fn refund(self) {
        let (limit, key) = self;
        if let Some(gate) = limit.gate(key) {
            limit.buckets.refund(key, gate.rate.interval_nanos());
        }
    }
}

/// Takes a token of each of these limits, or none at all: all are asked before any is taken from. Where several refuse, the
/// one that takes longest is named, so that whoever comes back then is not sent away by another.
///
/// `first` is asked beside them, if there is one.
pub(super) fn take_all<F: Bucket, B: Bucket>(
    now_nanos: u64,
    first: Option<F>,
    buckets: impl Iterator<Item = B> + Clone,
) -> Result<(), Throttled> {
    let mut each = buckets.clone();
    match (first, each.next(), each.next()) {
        (None, None, _) => return Ok(()),
        (Some(only), None, _) => return only.take(),
        (None, Some(only), None) => return only.take(),
        _ => {}
    }
    let waits = buckets.clone().map(|bucket| (bucket.wait(now_nanos), Some(bucket)));
    let of_first = first.map(|first| (first.wait(now_nanos), None));
    let longest = of_first.into_iter().chain(waits).max_by_key(|(wait, _)| *wait);
    match longest {
        Some((wait, Some(bucket))) if !wait.is_zero() => return Err(bucket.refusal(wait)),
        Some((wait, None)) if !wait.is_zero() => {
            return first.map_or(Ok(()), |first| Err(first.refusal(wait)));
        }
        _ => {}
    }
    if let Some(first) = first {
        first.take()?;
    }
    for (taken, bucket) in buckets.clone().enumerate() {
        if let Err(refusal) = bucket.take() {
            // Somebody else had the last one meanwhile.
            buckets.take(taken).for_each(Bucket::refund);
            if let Some(first) = first {
                first.refund();
            }
            return Err(refusal);
        }
    }
    Ok(())
}
