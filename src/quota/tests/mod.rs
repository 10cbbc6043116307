//! Limits one by one, against a model, under threads, and in what they remember.

mod bounds;
mod changes;
mod model;
mod reserved;
mod rules;
mod threads;

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::base::{CallerIdentity, Principal, Timestamp, clock::MockClock};

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate::per_second(at_least_one(per_second), at_least_one(burst))
}

fn quota(config: QuotaConfig) -> (Arc<MockClock>, Quota) {
    let clock = MockClock::at(Timestamp::from_millis(1_435_752_000_000));
    let quota = Quota::new(config, clock.clone());
    (clock, quota)
}

fn account(number: u32) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number).into()
}

/// An invocation of a function of this account.
fn call(number: u32, function: &str) -> Call<'_> {
    Call { owner: account(number), function, pool: None, share: Share::NOBODY }
}

fn admit(quota: &Quota, number: u32) -> Result<Admission, Throttled> {
    quota.admit(&call(number, "greet"))
}

/// A request whose class is not known.
fn from(quota: &Quota, number: u32) -> Result<(), Throttled> {
    quota.address(address(number), None)
}

fn by(quota: &Quota, caller: &Caller) -> Result<(), Throttled> {
    quota.caller(caller, Class::Invoke, || None)
}

/// The limit that refuses, and for how long.
fn refusal<T: std::fmt::Debug>(result: Result<T, Throttled>) -> (Reason, String, Duration) {
    let Throttled { reason, over } = result.unwrap_err();
    (reason, over.name.to_string(), over.retry_after)
}

fn caller(principal: Principal, identity: Option<&str>) -> Caller {
    let identity = identity
        .map(|id| Arc::new(CallerIdentity { identity_id: id.to_owned(), ..CallerIdentity::default() }));
    Caller {
        account: AccountId::DEFAULT,
        principal,
        access_key_id: "AKIAEXAMPLE".into(),
        identity,
        session: None,
    }
}

fn session(role_id: &str, session: &str) -> Principal {
    Principal::AssumedRole { role: "app".into(), role_id: role_id.into(), session: session.into() }
}

#[test]
fn an_account_runs_so_many_at_a_time() {
    let (_, quota) = quota(QuotaConfig { account_concurrency: 2, ..QuotaConfig::default() });
    let first = admit(&quota, 1).unwrap();
    let second = admit(&quota, 1).unwrap();
    assert_eq!(first.account(), account(1));
    assert_eq!(
        refusal(admit(&quota, 1)),
        (Reason::ConcurrentInvocationLimitExceeded, "account_concurrency".to_owned(), Duration::from_secs(1))
    );
    let _other = admit(&quota, 2).unwrap();
    assert_eq!(quota.running_by_account(), vec![(account(1), 2), (account(2), 1)]);
    drop(second);
    assert_eq!(quota.running(account(1)), 1);
    let _third = admit(&quota, 1).unwrap();
    assert_eq!(quota.running(account(3)), 0);
}

#[test]
fn an_account_starts_so_many_a_second() {
    let (clock, quota) = quota(QuotaConfig { account_rate: at_least_one(10), ..QuotaConfig::default() });
    for _ in 0..10 {
        drop(admit(&quota, 1).unwrap());
    }
    let throttled = admit(&quota, 1).unwrap_err();
    assert_eq!(throttled.reason.as_str(), "FunctionInvocationRateLimitExceeded");
    assert_eq!(
        throttled.over,
        OverLimit {
            name: "account_rate".into(),
            quota: 10,
            window: Some(Duration::from_secs(1)),
            retry_after: Duration::from_millis(100)
        }
    );
    assert_eq!(quota.running(account(1)), 0, "a refusal keeps no slot");
    drop(admit(&quota, 2).unwrap());
    clock.advance(Duration::from_millis(99));
    assert_eq!(refusal(admit(&quota, 1)).2, Duration::from_millis(1));
    clock.advance(Duration::from_millis(1));
    drop(admit(&quota, 1).unwrap());
    assert!(admit(&quota, 1).is_err());
}

#[test]
fn refused_calls_leave_every_bucket_as_it_was() {
    let config = QuotaConfig {
        account_concurrency: 1,
        account_rate: at_least_one(5),
        address_rate: rate(1, 3),
        caller_rate: Some(rate(1, 4)),
        ..QuotaConfig::default()
    };
    let (_, quota) = quota(config);
    let held = admit(&quota, 1).unwrap();
    for _ in 0..10_000 {
        assert_eq!(refusal(admit(&quota, 1)).0, Reason::ConcurrentInvocationLimitExceeded);
    }
    drop(held);
    // The rate had five tokens and lost one.
    for _ in 0..4 {
        drop(admit(&quota, 1).unwrap());
    }
    for _ in 0..10_000 {
        assert_eq!(refusal(admit(&quota, 1)).0, Reason::FunctionInvocationRateLimitExceeded);
        assert_eq!(quota.running(account(1)), 0);
    }
    for _ in 0..3 {
        from(&quota, 1).unwrap();
    }
    let over = (Reason::CallerRateLimitExceeded, "address_rate".to_owned(), Duration::from_secs(1));
    for _ in 0..10_000 {
        assert_eq!(refusal(from(&quota, 1)), over);
    }
    let root = caller(Principal::Root, None);
    for _ in 0..4 {
        by(&quota, &root).unwrap();
    }
    assert_eq!(refusal(by(&quota, &root)).1, "caller_rate");
}

#[test]
fn callers_are_told_apart_by_what_they_cannot_choose() {
    let (_, quota) = quota(QuotaConfig { caller_rate: Some(rate(1, 1)), ..QuotaConfig::default() });
    let user = Principal::User { name: "anna".into(), id: "AIDA1".into(), path: "/".into() };
    for (one, fresh) in [
        (caller(Principal::Root, None), true),
        (caller(user.clone(), None), true),
        (caller(session("AROA1", "s1"), None), true),
        (caller(session("AROA1", "s2"), None), false),
        (caller(session("AROA2", "s1"), None), true),
        (caller(session("AROA1", "s1"), Some("us-east-1:1")), true),
        (caller(session("AROA2", "s2"), Some("us-east-1:1")), false),
        (caller(session("AROA1", "s1"), Some("us-east-1:2")), true),
        (caller(user, None), false),
    ] {
        assert_eq!(by(&quota, &one).is_ok(), fresh, "{one:?}");
    }
    let other_account = Caller { account: account(7), ..caller(Principal::Root, None) };
    assert!(by(&quota, &other_account).is_ok());
}

#[test]
fn new_guests_are_limited_by_address_and_by_pool() {
    let (clock, quota) = quota(QuotaConfig {
        guest_address_rate: rate(1, 2),
        guest_pool_rate: rate(1, 3),
        ..QuotaConfig::default()
    });
    let limit = |number, pool| {
        quota.guest(address(number), pool).map_err(|throttled| throttled.over.name.to_string())
    };
    assert_eq!((limit(1, "a"), limit(1, "a")), (Ok(()), Ok(())));
    for _ in 0..100 {
        assert_eq!(limit(1, "a"), Err("guest_address_rate".to_owned()));
    }
    // One address that asks too often takes nothing of the pool's.
    assert_eq!(limit(2, "a"), Ok(()));
    // And a pool that has none takes nothing of the address's.
    for _ in 0..100 {
        assert_eq!(limit(2, "a"), Err("guest_pool_rate".to_owned()));
    }
    assert_eq!(limit(2, "b"), Ok(()));
    assert_eq!(limit(3, "b"), Ok(()));
    clock.advance(Duration::from_secs(1));
    assert_eq!((limit(1, "a"), limit(3, "a")), (Ok(()), Err("guest_pool_rate".to_owned())));
}

#[test]
fn without_a_caller_rate_nothing_is_counted() {
    let (_, quota) = quota(QuotaConfig::default());
    for _ in 0..10_000 {
        by(&quota, &caller(Principal::Root, None)).unwrap();
    }
    assert_eq!(quota.tracked().keys, 0);
}

#[test]
fn guests_share_by_their_address_and_others_by_who_they_are() {
    let (_, quota) = quota(QuotaConfig::default());
    let identity = |id: &str, logins: &[&str]| {
        let logins = logins.iter().map(|login| (*login).to_owned()).collect();
        let identity = CallerIdentity { identity_id: id.to_owned(), logins, ..CallerIdentity::default() };
        Caller { identity: Some(Arc::new(identity)), ..caller(session("AROA1", "s"), None) }
    };
    let share = |caller: &Caller, at: &str| quota.share(caller, at.parse().unwrap());
    let (one, other) = (identity("r:1", &[]), identity("r:2", &[]));
    assert_eq!(share(&one, "2001:db8::1"), share(&other, "2001:db8::2"));
    assert_ne!(share(&one, "192.0.2.1"), share(&one, "192.0.2.2"));
    let (one, other) = (identity("r:1", &["idp"]), identity("r:2", &["idp"]));
    assert_eq!(share(&one, "192.0.2.1"), share(&one, "192.0.2.2"));
    assert_ne!(share(&one, "192.0.2.1"), share(&other, "192.0.2.1"));
}
