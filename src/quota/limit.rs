//! One limit: its rate, the rates that single keys have instead, and the buckets below.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use governor::{NotUntil, RateLimiter, clock::Clock, middleware::NoOpMiddleware};

use super::{
    buckets::{Buckets, Probe, Shared},
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
struct Gate {
    rate: Rate,
    limiter: RateLimiter<Probe, Shared, Monotonic, NoOpMiddleware<Moment>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

impl Gate {
    fn new(rate: Rate, buckets: &Arc<Buckets>, clock: &SharedClock) -> Self {
        let limiter = RateLimiter::new(rate.governor(), Shared(buckets.clone()), Monotonic::at_origin(clock));
        limiter.clock().start();
        Self { rate, limiter }
    }

    /// Asks for a token, or takes it; the error is how long to wait for one.
    fn ask(&self, key: Key, takes: bool) -> Result<(), Duration> {
        self.limiter
            .check_key(&Probe { key, takes })
            .map_err(|not_until: NotUntil<Moment>| not_until.wait_time_from(self.limiter.clock().now()))
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
        let gate = |rate| Gate::new(rate, &buckets, clock);
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
            self.buckets.rescale(now_nanos, |key| {
                let (before, after) = (self.gate(key)?.rate, renewed.gate(key)?.rate);
                (before != after)
                    .then(|| (before.interval_nanos(), after.interval_nanos(), after.burst.get()))
            });
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

    /// Asks whether there is a token, without taking it.
    pub(super) fn peek(&self, key: Key) -> Result<(), Throttled> {
        self.ask(key, false)
    }

    /// Takes a token.
    pub(super) fn take(&self, key: Key) -> Result<(), Throttled> {
        self.ask(key, true)
    }

    fn ask(&self, key: Key, takes: bool) -> Result<(), Throttled> {
        let Some(gate) = self.gate(key) else { return Ok(()) };
        gate.ask(key, takes).map_err(|wait| Throttled {
            reason: self.reason,
            over: OverLimit {
                name: self.name.clone(),
                quota: gate.rate.burst.get().into(),
                window: Some(gate.rate.full_after()),
                retry_after: wait,
            },
        })
    }

    /// Gives a token back that was taken and came to nothing.
    pub(super) fn refund(&self, key: Key) {
        if let Some(gate) = self.gate(key) {
            self.buckets.refund(key, gate.rate.interval_nanos());
        }
    }
}

/// Takes a token of each of these limits, or none at all: all are asked before any is taken from. Where several refuse, the
/// one that takes longest is named, so that whoever comes back then is not sent away by another.
pub(super) fn take_all<'l>(asked: impl Iterator<Item = (&'l Limit, Key)> + Clone) -> Result<(), Throttled> {
    let mut each = asked.clone();
    let Some((first, key)) = each.next() else { return Ok(()) };
    if each.next().is_none() {
        return first.take(key);
    }
    let refusals = asked.clone().filter_map(|(limit, key)| limit.peek(key).err());
    if let Some(longest) = refusals.max_by_key(|refusal| refusal.over.retry_after) {
        return Err(longest);
    }
    for (taken, (limit, key)) in asked.clone().enumerate() {
        if let Err(refusal) = limit.take(key) {
            // Somebody else had the last one meanwhile.
            asked.take(taken).for_each(|(limit, key)| limit.refund(key));
            return Err(refusal);
        }
    }
    Ok(())
}
