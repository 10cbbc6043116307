//! Limits against a model, under threads, and in what they cost.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use proptest::prelude::*;

use super::*;
use crate::base::{
    CallerIdentity, Timestamp,
    clock::{MockClock, SystemClock},
};

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second: at_least_one(per_second), burst: at_least_one(burst) }
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
    let first = quota.admit(account(1)).unwrap();
    let second = quota.admit(account(1)).unwrap();
    assert_eq!(first.account(), account(1));
    let throttled = quota.admit(account(1)).unwrap_err();
    assert_eq!(throttled.reason.as_str(), "ConcurrentInvocationLimitExceeded");
    assert_eq!(
        (throttled.limit.as_str(), throttled.retry_after),
        ("account_concurrency", Duration::from_secs(1))
    );
    let _other = quota.admit(account(2)).unwrap();
    assert_eq!(quota.running_by_account(), vec![(account(1), 2), (account(2), 1)]);
    drop(second);
    assert_eq!(quota.running(account(1)), 1);
    let _third = quota.admit(account(1)).unwrap();
    assert_eq!(quota.running(account(3)), 0);
}

#[test]
fn an_account_starts_so_many_a_second() {
    let config = QuotaConfig { account_rate: at_least_one(10), ..QuotaConfig::default() };
    let (clock, quota) = quota(config);
    for _ in 0..10 {
        drop(quota.admit(account(1)).unwrap());
    }
    let throttled = quota.admit(account(1)).unwrap_err();
    assert_eq!(throttled.reason.as_str(), "FunctionInvocationRateLimitExceeded");
    assert_eq!(
        (throttled.limit.as_str(), throttled.retry_after),
        ("account_rate", Duration::from_millis(100))
    );
    assert_eq!(quota.running(account(1)), 0, "a refusal keeps no slot");
    drop(quota.admit(account(2)).unwrap());
    clock.advance(Duration::from_millis(99));
    assert_eq!(quota.admit(account(1)).unwrap_err().retry_after, Duration::from_millis(1));
    clock.advance(Duration::from_millis(1));
    drop(quota.admit(account(1)).unwrap());
    assert!(quota.admit(account(1)).is_err());
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
    let held = quota.admit(account(1)).unwrap();
    for _ in 0..10_000 {
        let refused = quota.admit(account(1)).unwrap_err();
        assert_eq!(refused.reason, Reason::ConcurrentInvocationLimitExceeded);
    }
    drop(held);
    // The rate had five tokens and lost one.
    for _ in 0..4 {
        drop(quota.admit(account(1)).unwrap());
    }
    for _ in 0..10_000 {
        assert_eq!(quota.admit(account(1)).unwrap_err().reason, Reason::FunctionInvocationRateLimitExceeded);
        assert_eq!(quota.running(account(1)), 0);
    }
    for _ in 0..3 {
        quota.address(address(1)).unwrap();
    }
    for _ in 0..10_000 {
        let refused = quota.address(address(1)).unwrap_err();
        assert_eq!(
            (refused.reason, refused.retry_after),
            (Reason::CallerRateLimitExceeded, Duration::from_secs(1))
        );
        assert_eq!(refused.limit, "address_rate");
    }
    for _ in 0..4 {
        quota.caller(&caller(Principal::Root, None)).unwrap();
    }
    assert_eq!(quota.caller(&caller(Principal::Root, None)).unwrap_err().limit, "caller_rate");
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
        assert_eq!(quota.caller(&one).is_ok(), fresh, "{one:?}");
    }
    let other_account = Caller { account: account(7), ..caller(Principal::Root, None) };
    assert!(quota.caller(&other_account).is_ok());
}

#[test]
fn new_guests_are_limited_by_address_and_by_pool() {
    let (clock, quota) = quota(QuotaConfig {
        guest_address_rate: rate(1, 2),
        guest_pool_rate: rate(1, 3),
        ..QuotaConfig::default()
    });
    let limit = |number, pool| quota.guest(address(number), pool).map_err(|throttled| throttled.limit);
    assert_eq!((limit(1, "a"), limit(1, "a")), (Ok(()), Ok(())));
    for _ in 0..100 {
        assert_eq!(limit(1, "a"), Err("guest_address_rate".to_owned()));
    }
    // One address that asks too often takes nothing of the pool's.
    assert_eq!(limit(2, "a"), Ok(()));
    assert_eq!(limit(2, "a"), Err("guest_pool_rate".to_owned()));
    assert_eq!(limit(3, "b"), Ok(()));
    clock.advance(Duration::from_secs(1));
    assert_eq!((limit(1, "a"), limit(3, "a")), (Ok(()), Err("guest_pool_rate".to_owned())));
}

#[test]
fn without_a_caller_rate_nothing_is_counted() {
    let (_, quota) = quota(QuotaConfig::default());
    for _ in 0..10_000 {
        quota.caller(&caller(Principal::Root, None)).unwrap();
    }
    assert_eq!(quota.tracked().callers, 0);
}

#[test]
fn state_is_capped_and_what_is_beyond_shares() {
    let keys_max = 10 * SWEEPS;
    let (clock, quota) = quota(QuotaConfig { address_rate: rate(1, 2), keys_max, ..QuotaConfig::default() });
    let mut admitted = 0;
    for number in 0..100_000 {
        admitted += usize::from(quota.address(address(number)).is_ok());
    }
    let tracked = quota.tracked();
    assert!(tracked.addresses <= keys_max, "{tracked:?}");
    assert_eq!(tracked.shared, 100_000 - tracked.addresses as u64);
    // Beyond the cap a shard admits what one bucket holds, however many addresses there are.
    assert_eq!(admitted, tracked.addresses + 2 * SWEEPS);
    // Whoever was there before keeps a bucket of its own.
    assert!(quota.address(address(0)).is_ok());
    // A second and a half later those that took one token are full and forgotten; that of address 0, which took two, is
    // not.
    clock.advance(Duration::from_millis(1500));
    for _ in 0..SWEEPS {
        quota.sweep();
    }
    assert_eq!(quota.tracked().addresses, 1);
    assert!(quota.address(address(0)).is_ok());
    assert!(quota.address(address(0)).is_err(), "its state outlived the sweep");
}

#[test]
fn one_sweep_looks_at_one_shard() {
    let (clock, quota) = quota(QuotaConfig { address_rate: rate(1, 1), ..QuotaConfig::default() });
    let keys = 64 * SWEEPS;
    for number in 0..keys {
        quota.address(address(u32::try_from(number).unwrap())).unwrap();
    }
    clock.advance(Duration::from_secs(2));
    let mut before = quota.tracked().addresses;
    for _ in 0..SWEEPS {
        quota.sweep();
        let after = quota.tracked().addresses;
        // The hash spreads 64 keys a shard evenly enough that none has four times that.
        assert!(before - after < 256, "{before} {after}");
        before = after;
    }
    assert_eq!(before, 0);
}

/// A bucket by its definition: it holds up to `burst` tokens of a second's worth each, and refills all the time. Exact
/// in nanosecond tokens.
struct Model {
    interval_nanos: u128,
    capacity_nanos: u128,
    level_nanos: u128,
    at: Duration,
}

impl Model {
    fn new(rate: Rate) -> Self {
        let interval_nanos = 1_000_000_000 / u128::from(rate.per_second.get());
        let capacity_nanos = interval_nanos * u128::from(rate.burst.get());
        Self { interval_nanos, capacity_nanos, level_nanos: capacity_nanos, at: Duration::ZERO }
    }

    /// Takes a token, or says how long to wait for one.
    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let refilled = self.level_nanos + (now - self.at).as_nanos();
        (self.level_nanos, self.at) = (refilled.min(self.capacity_nanos), now);
        match self.level_nanos.checked_sub(self.interval_nanos) {
            Some(rest) => {
                self.level_nanos = rest;
                Ok(())
            }
            None => Err(Duration::from_nanos((self.interval_nanos - self.level_nanos).try_into().unwrap())),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Address(u32),
    Admit(u32),
    Finish(usize),
    Advance(u64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u32).prop_map(Step::Address),
        4 => (0..2_u32).prop_map(Step::Admit),
        2 => (0..8_usize).prop_map(Step::Finish),
        3 => (0..400_000_000_u64).prop_map(Step::Advance),
        1 => Just(Step::Sweep),
    ]
}

proptest! {
    #[test]
    fn limits_are_exactly_those_of_the_model(
        steps in prop::collection::vec(step(), 0..200),
        address_rate in (1..20_u32, 1..6_u32),
        account_rate in 1..8_u32,
        concurrency in 0..4_u32,
    ) {
        let address_rate = rate(address_rate.0, address_rate.1);
        let (clock, quota) = quota(QuotaConfig {
            account_concurrency: concurrency,
            account_rate: at_least_one(account_rate),
            address_rate,
            ..QuotaConfig::default()
        });
        let mut addresses: HashMap<u32, Model> = HashMap::new();
        let mut accounts: HashMap<u32, (Model, u32)> = HashMap::new();
        let mut running: Vec<(u32, Admission)> = Vec::new();
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Advance(nanos) => {
                    now += Duration::from_nanos(nanos);
                    clock.advance(Duration::from_nanos(nanos));
                }
                Step::Sweep => (0..SWEEPS).for_each(|_| quota.sweep()),
                Step::Finish(position) if position < running.len() => {
                    let (number, admission) = running.swap_remove(position);
                    drop(admission);
                    accounts.get_mut(&number).unwrap().1 -= 1;
                }
                Step::Finish(_) => {}
                Step::Address(number) => {
                    let model = addresses.entry(number).or_insert_with(|| Model::new(address_rate));
                    let got = quota.address(address(number)).map_err(|throttled| throttled.retry_after);
                    prop_assert_eq!(got, model.take(now));
                }
                Step::Admit(number) => {
                    let fresh = || (Model::new(Rate::flat(at_least_one(account_rate))), 0);
                    let (model, busy) = accounts.entry(number).or_insert_with(fresh);
                    let expected = if *busy >= concurrency {
                        Err((Reason::ConcurrentInvocationLimitExceeded, Duration::from_secs(1)))
                    } else {
                        model.take(now).map_err(|wait| (Reason::FunctionInvocationRateLimitExceeded, wait))
                    };
                    match quota.admit(account(number)) {
                        Ok(admission) => {
                            prop_assert_eq!(expected, Ok(()));
                            *busy += 1;
                            running.push((number, admission));
                        }
                        Err(throttled) => {
                            prop_assert_eq!(expected, Err((throttled.reason, throttled.retry_after)));
                        }
                    }
                }
            }
            for (number, (_, busy)) in &accounts {
                prop_assert_eq!(quota.running(account(*number)), *busy);
            }
        }
    }
}

#[test]
fn threads_together_never_exceed_a_limit() {
    const THREADS: usize = 8;
    const CALLS: usize = 20_000;
    const LIMIT: u32 = 5;
    let (_, quota) = quota(QuotaConfig {
        account_concurrency: LIMIT,
        account_rate: at_least_one(10_000),
        address_rate: rate(1, 1_000),
        ..QuotaConfig::default()
    });
    let (inside, most, admitted, passed) =
        (AtomicU32::new(0), AtomicU32::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..CALLS {
                    if quota.address(address(1)).is_ok() {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Ok(admission) = quota.admit(account(1)) {
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        admitted.fetch_add(1, Ordering::Relaxed);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(admission);
                    }
                }
            });
        }
    });
    assert!(most.into_inner() <= LIMIT);
    // The clock stands, so a bucket gives what it holds and no more, to all threads together.
    assert_eq!(passed.into_inner(), 1_000);
    let admitted = admitted.into_inner();
    assert!(admitted <= 10_000, "{admitted}");
    assert_eq!(quota.running(account(1)), 0);
    assert_eq!(quota.tracked().addresses, 1);
}

#[test]
fn the_machines_clock_refills_too() {
    let clock = Arc::new(SystemClock::new());
    let quota =
        Quota::new(QuotaConfig { address_rate: rate(1_000_000, 1), ..QuotaConfig::default() }, clock.clone());
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    quota.address(v6).unwrap();
    let (origin, mut refilled) = (crate::base::Clock::monotonic(&*clock), false);
    // A token comes every microsecond; ten seconds are more than any machine needs.
    while !refilled && crate::base::Clock::monotonic(&*clock) - origin < Duration::from_secs(10) {
        refilled = quota.address(v6).is_ok();
    }
    assert!(refilled);
}
