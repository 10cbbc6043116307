//! Reserved concurrency.

use super::*;

fn reserve(function: &str, units: u32) -> Override {
    Override {
        account: account(1),
        target: Target::Function(function.into()),
        limit: RESERVED_CONCURRENCY.into(),
        value: Value::Concurrency(units),
    }
}

fn limits() -> (Arc<MockClock>, Quota) {
    quota(QuotaConfig { account_concurrency: 5, ..QuotaConfig::default() })
}

#[test]
fn a_function_has_what_is_reserved_for_it_and_no_more() {
    let (_, quota) = limits();
    quota.put_overrides(vec![reserve("own", 2)]);
    let own: Vec<_> = (0..2).map(|_| quota.admit(&call(1, "own")).unwrap()).collect();
    let over = quota.admit(&call(1, "own")).unwrap_err();
    assert_eq!(over.reason.as_str(), "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!((&*over.over.name, over.over.quota, over.over.window), ("reserved_concurrency", 2, None));
    // The others share what is left, also while it is idle.
    drop(own);
    let _others: Vec<_> = (0..3).map(|_| quota.admit(&call(1, "other")).unwrap()).collect();
    let over = quota.admit(&call(1, "other")).unwrap_err();
    assert_eq!(over.reason.as_str(), "ConcurrentInvocationLimitExceeded");
    assert_eq!(over.over.quota, 3);
    let _own = quota.admit(&call(1, "own")).unwrap();
    assert_eq!(quota.running(account(1)), 4);
    // Another account's function of that name has no part in it.
    let _elsewhere = quota.admit(&call(2, "own")).unwrap();
    assert_eq!((quota.concurrency(account(1)), quota.concurrency(account(2))), ((5, 3), (5, 5)));
}

#[test]
fn none_reserved_is_none_at_all() {
    let (_, quota) = limits();
    quota.put_overrides(vec![reserve("own", 0)]);
    let over = quota.admit(&call(1, "own")).unwrap_err();
    assert_eq!(over.reason, Reason::ReservedFunctionConcurrentInvocationLimitExceeded);
    quota.put_overrides(Vec::new());
    drop(quota.admit(&call(1, "own")).unwrap());
}

#[test]
fn ten_calls_a_second_go_with_each_unit() {
    let (clock, quota) = limits();
    quota.put_overrides(vec![reserve("own", 1)]);
    for _ in 0..10 {
        drop(quota.admit(&call(1, "own")).unwrap());
    }
    let over = quota.admit(&call(1, "own")).unwrap_err();
    assert_eq!(over.reason.as_str(), "ReservedFunctionInvocationRateLimitExceeded");
    assert_eq!((&*over.over.name, over.over.retry_after), ("reserved_rate", Duration::from_millis(100)));
    assert_eq!(quota.running(account(1)), 0);
    // Another unit, another ten; what was used stays used.
    quota.put_overrides(vec![reserve("own", 2)]);
    for _ in 0..10 {
        drop(quota.admit(&call(1, "own")).unwrap());
    }
    assert!(quota.admit(&call(1, "own")).is_err());
    clock.advance(Duration::from_secs(1));
    for _ in 0..20 {
        drop(quota.admit(&call(1, "own")).unwrap());
    }
}

#[test]
fn a_reserve_that_changes_never_lets_more_run_than_the_account_may() {
    let (_, quota) = limits();
    let mut running: Vec<_> = (0..5).map(|_| quota.admit(&call(1, "own")).unwrap()).collect();
    quota.put_overrides(vec![reserve("own", 2)]);
    // All five run on in slots that nobody had reserved.
    let over = quota.admit(&call(1, "own")).unwrap_err();
    assert_eq!(over.reason, Reason::ConcurrentInvocationLimitExceeded);
    drop(running.split_off(3));
    let own: Vec<_> = (0..2).map(|_| quota.admit(&call(1, "own")).unwrap()).collect();
    assert!(quota.admit(&call(1, "other")).is_err());
    // Taken away and put again, it knows which of its own still run.
    quota.put_overrides(vec![reserve("own", 1)]);
    drop(running);
    let over = quota.admit(&call(1, "own")).unwrap_err();
    assert_eq!(over.reason, Reason::ReservedFunctionConcurrentInvocationLimitExceeded);
    drop(own);
    drop(quota.admit(&call(1, "own")).unwrap());
    assert_eq!(quota.running(account(1)), 0);
}
