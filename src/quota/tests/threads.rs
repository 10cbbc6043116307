//! Limits under threads and the machine's clock.

use std::{
    net::Ipv6Addr,
    sync::{
        Barrier,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use super::*;
use crate::base::clock::SystemClock;

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
    // Two of the five are one function's own.
    let reserve = |units| Override {
        account: account(1),
        target: Target::Function("own".into()),
        limit: RESERVED_CONCURRENCY.into(),
        value: Value::Concurrency(units),
    };
    quota.put_overrides(vec![reserve(2)]);
    let counts = || [AtomicU32::new(0), AtomicU32::new(0)];
    let (inside, most, admitted, passed) = (counts(), counts(), counts(), AtomicUsize::new(0));
    let most_of_all = AtomicU32::new(0);
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (quota, inside, most, admitted, passed) = (&quota, &inside, &most, &admitted, &passed);
            let (start, most_of_all) = (&start, &most_of_all);
            scope.spawn(move || {
                start.wait();
                for turn in 0..CALLS {
                    if from(quota, 1).is_ok() {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                    let which = (thread + turn) % 2;
                    let name = if which == 0 { "own" } else { "other" };
                    if let Ok(admission) = quota.admit(&call(1, name)) {
                        let now = inside[which].fetch_add(1, Ordering::SeqCst) + 1;
                        most[which].fetch_max(now, Ordering::SeqCst);
                        let all = inside.iter().map(|count| count.load(Ordering::SeqCst)).sum();
                        most_of_all.fetch_max(all, Ordering::SeqCst);
                        admitted[which].fetch_add(1, Ordering::Relaxed);
                        std::thread::yield_now();
                        inside[which].fetch_sub(1, Ordering::SeqCst);
                        drop(admission);
                    }
                    // Changes of other limits meanwhile change nothing for these.
                    if thread == 0 && turn % 1000 == 0 {
                        quota.reconfigure(quota.config());
                    }
                }
            });
        }
    });
    let [own, other] = most.map(AtomicU32::into_inner);
    assert!(own <= 2 && other <= LIMIT - 2, "{own} {other}");
    // Two counters that are read one after the other can be ahead of what there was at once by what changed between.
    assert!(most_of_all.into_inner() <= LIMIT + 1);
    // The clock stands, so a bucket gives what it holds and no more, to all threads together.
    assert_eq!(passed.into_inner(), 1_000);
    let [own, other] = admitted.map(AtomicU32::into_inner);
    assert!(own <= 2 * RATE_PER_RESERVED, "{own}");
    assert!(other <= 10_000, "{other}");
    assert_eq!(quota.running(account(1)), 0);
}

#[test]
fn threads_that_are_refused_by_one_bucket_leave_the_other_whole() {
    const THREADS: usize = 8;
    let (_, quota) = quota(QuotaConfig {
        guest_address_rate: rate(1, 1_000_000),
        guest_pool_rate: rate(1, 100),
        ..QuotaConfig::default()
    });
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    passed.fetch_add(usize::from(quota.guest(address(1), "a").is_ok()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 100);
    // The address has lost those hundred and not one more: ten pools have a hundred each for what is left but the last.
    let left: usize =
        (0..9_999).map(|pool| usize::from(quota.guest(address(1), &format!("{pool}")).is_ok())).sum();
    assert_eq!(left, 9_999);
}

#[test]
fn the_machines_clock_refills_too() {
    let clock = Arc::new(SystemClock::new());
    let quota =
        Quota::new(QuotaConfig { address_rate: rate(1_000_000, 1), ..QuotaConfig::default() }, clock.clone());
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    quota.address(v6, None).unwrap();
    let (origin, mut refilled) = (crate::base::Clock::monotonic(&*clock), false);
    // A token comes every microsecond; ten seconds are more than any machine needs.
    while !refilled && crate::base::Clock::monotonic(&*clock) - origin < Duration::from_secs(10) {
        refilled = quota.address(v6, None).is_ok();
    }
    assert!(refilled);
}
