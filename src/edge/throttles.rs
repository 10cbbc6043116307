//! The refusals over limits of a while, in memory: a client's request id is all that the operator needs to learn which limit it
//! was and whose.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    base::{Caller, OverLimit, RequestId, Timestamp},
    quota::Quota,
};

/// How many are remembered of each limit; the oldest is forgotten first. A flood over one limit leaves those of the others.
const OF_LIMIT_MAX: usize = 256;
/// Of how many limits; names beyond them are not remembered.
const LIMITS_MAX: usize = 128;

/// A refusal over a limit.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// The request's id.
    pub request_id: RequestId,
    /// When.
    pub at: Timestamp,
    /// What was asked.
    pub operation: &'static str,
    /// From where.
    pub source: IpAddr,
    /// By whom, where that was known by then.
    pub caller: Option<Arc<Caller>>,
    /// Of which function, where that was known by then.
    pub function: Option<Arc<str>>,
    /// The limit.
    pub over: OverLimit,
}

/// Those that are remembered.
#[derive(Debug, Default)]
pub struct Throttles(Mutex<HashMap<Arc<str>, VecDeque<Throttle>>>);

impl Throttles {
    /// Remembers one.
    pub fn note(&self, throttle: Throttle) {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if limits.len() >= LIMITS_MAX && !limits.contains_key(&throttle.over.name) {
            return;
        }
        let ring = limits.entry(throttle.over.name.clone()).or_default();
        if ring.len() >= OF_LIMIT_MAX {
            ring.pop_front();
        }
        ring.push_back(throttle);
    }

    fn find(&self, request_id: &str) -> Option<Throttle> {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = limits.values().flatten();
        all.find(|throttle| throttle.request_id.to_string() == request_id).cloned()
    }

    /// Explains the refusal of a request; `None` if it is not remembered.
    pub fn explain(&self, request_id: &str, quota: &Quota) -> Option<Value> {
        let Throttle { at, operation, source, caller, function, over, .. } = self.find(request_id)?;
        let principal = caller.as_ref().map(|caller| caller.principal.arn(caller.account));
        let identity = caller.as_ref().and_then(|caller| caller.identity.as_ref());
        Some(json!({
            "Decision": "Throttled",
            "RequestId": request_id,
            "At": at.iso8601_millis(),
            "Operation": operation,
            "SourceAddress": source.to_string(),
            "Principal": principal,
            "IdentityId": identity.map(|identity| &identity.identity_id),
            "Function": function,
            "Limit": &*over.name,
            "By": quota.by(&over.name).map(|by| by.as_str()),
            "Quota": over.quota,
            "WindowSeconds": over.window_seconds(),
            "RetryAfterSeconds": over.retry_seconds(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{clock::MockClock, rng::SeededRng},
        quota::QuotaConfig,
    };

    fn throttle(rng: &SeededRng, limit: &str) -> Throttle {
        Throttle {
            request_id: RequestId::draw(rng),
            at: Timestamp::from_seconds(1_435_752_000),
            operation: "Invoke",
            source: [192, 0, 2, 1].into(),
            caller: None,
            function: Some("greet".into()),
            over: OverLimit::at_once(limit, 7),
        }
    }

    #[test]
    fn a_refusal_is_explained_by_its_id_and_a_flood_hides_no_others() {
        let (rng, throttles) = (SeededRng::new(1), Throttles::default());
        let quota = Quota::new(QuotaConfig::default(), MockClock::at(Timestamp::from_seconds(1)));
        let one = throttle(&rng, "account_rate");
        throttles.note(one.clone());
        for _ in 0..2 * OF_LIMIT_MAX {
            throttles.note(throttle(&rng, "address_rate"));
        }
        for number in 0..2 * LIMITS_MAX {
            throttles.note(throttle(&rng, &format!("limit{number}")));
        }
        let told = throttles.explain(&one.request_id.to_string(), &quota).unwrap();
        assert_eq!((&told["Limit"], &told["By"]), (&json!("account_rate"), &json!("account")));
        assert_eq!((&told["Function"], &told["Quota"]), (&json!("greet"), &json!(7)));
        assert_eq!(throttles.explain("another", &quota), None);
        let limits = throttles.0.lock().unwrap();
        assert_eq!(limits.len(), LIMITS_MAX);
        assert_eq!(limits["address_rate"].len(), OF_LIMIT_MAX);
    }
}
