//! Rules of the configuration: what they are by, which requests they count, and what they leave alone.

use super::*;

fn rule(name: &str, by: By, class: Option<Class>, rate: Rate) -> Rule {
    Rule { name: name.into(), by, class, rate, only: Vec::new() }
}

fn ruled(rules: Vec<Rule>) -> (Arc<MockClock>, Quota) {
    quota(QuotaConfig { rules, ..QuotaConfig::default() })
}

#[test]
fn a_rule_by_address_counts_the_class_it_names() {
    let (_, quota) = ruled(vec![
        rule("all", By::Address, None, rate(1, 5)),
        rule("exchanges", By::Address, Some(Class::Exchange), rate(1, 2)),
    ]);
    let ask = |class| quota.address(address(1), class).map_err(|over| over.over.name.to_string());
    assert_eq!((ask(Some(Class::Exchange)), ask(Some(Class::Exchange))), (Ok(()), Ok(())));
    assert_eq!(ask(Some(Class::Exchange)), Err("exchanges".to_owned()));
    assert_eq!((ask(Some(Class::Invoke)), ask(Some(Class::Management)), ask(None)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(ask(Some(Class::Invoke)), Err("all".to_owned()));
    // What is told apart only by its body is asked for the rest then.
    assert_eq!(
        quota.address_of_class(address(1), Class::Exchange).unwrap_err().over.name,
        "exchanges".into()
    );
    quota.address_of_class(address(1), Class::Invoke).unwrap();
    // IPv6 by /64.
    for number in 0..5 {
        quota.address(format!("2001:db8::{number}").parse().unwrap(), None).unwrap();
    }
    assert!(quota.address("2001:db8::ffff".parse().unwrap(), None).is_err());
    quota.address("2001:db8:0:1::".parse().unwrap(), None).unwrap();
}

#[test]
fn a_rule_by_identity_counts_what_it_does_and_what_it_exchanges() {
    let (_, quota) = ruled(vec![rule("each", By::Identity, None, rate(1, 3))]);
    let one = caller(session("AROA1", "s"), Some("r:1"));
    by(&quota, &one).unwrap();
    quota.caller(&one, Class::Management, || None).unwrap();
    // The same identity, without a signature.
    quota.exchange("pool", Some("r:1")).unwrap();
    let over = (Reason::CallerRateLimitExceeded, "each".to_owned(), Duration::from_secs(1));
    assert_eq!(refusal(by(&quota, &one)), over);
    assert_eq!(refusal(quota.exchange("pool", Some("r:1"))), over);
    quota.exchange("pool", Some("r:2")).unwrap();
}

#[test]
fn rules_by_function_and_pool_count_after_policy() {
    let (_, quota) = ruled(vec![
        rule("function", By::Function, None, rate(1, 2)),
        rule("pool", By::Pool, Some(Class::Invoke), rate(1, 3)),
    ]);
    let ask = |function, pool| {
        let call = Call { pool: Some(pool), ..call(1, function) };
        quota.admit(&call).map(drop).map_err(|over| (over.reason.as_str(), over.over.name.to_string()))
    };
    assert_eq!((ask("a", "p"), ask("a", "p")), (Ok(()), Ok(())));
    let by_function = "FunctionInvocationRateLimitExceeded";
    for _ in 0..10_000 {
        assert_eq!(ask("a", "p"), Err((by_function, "function".to_owned())));
    }
    assert_eq!(ask("b", "p"), Ok(()), "those that were refused left the pool's bucket alone");
    for _ in 0..10_000 {
        assert_eq!(ask("c", "p"), Err((by_function, "pool".to_owned())));
    }
    assert_eq!((ask("c", "q"), ask("c", "q")), (Ok(()), Ok(())));
    // Who has no identity has no pool.
    drop(admit(&quota, 1).unwrap());
    // The pool's exchanges are of another class.
    quota.exchange("p", Some("r:1")).unwrap();
}

#[test]
fn a_rule_without_a_class_counts_guests_exchanges_and_calls_of_its_pool_together() {
    let (_, quota) = ruled(vec![rule("pool", By::Pool, None, rate(1, 3))]);
    quota.guest(address(1), "p").unwrap();
    quota.exchange("p", Some("r:1")).unwrap();
    drop(quota.admit(&Call { pool: Some("p"), ..call(1, "a") }).unwrap());
    assert_eq!(refusal(quota.guest(address(1), "p")).1, "pool");
}

#[test]
fn apps_are_limited_only_where_they_are_named() {
    let app = Rule { only: vec!["com.example.game".into()], ..rule("game", By::App, None, rate(1, 1)) };
    let (_, quota) = ruled(vec![app]);
    let root = caller(Principal::Root, None);
    let ask = |name: &str| quota.caller(&root, Class::Invoke, || Some(name.to_owned()));
    ask("com.example.game").unwrap();
    assert_eq!(refusal(ask("com.example.game")).1, "game");
    for _ in 0..100 {
        ask("com.example.other").unwrap();
    }
    by(&quota, &root).unwrap();
    assert_eq!(quota.tracked().keys, 1, "an app that nobody named has no bucket");
}

#[test]
fn a_rule_can_name_what_it_is_for() {
    let one = Rule {
        only: vec!["a".into(), "000000000007:function:b".into()],
        ..rule("some", By::Function, None, rate(1, 1))
    };
    let (_, quota) = ruled(vec![one]);
    let ask = |number, function| quota.admit(&call(number, function)).is_ok();
    // A name alone is a function of the first account.
    assert_eq!((ask(0, "a"), ask(0, "a")), (true, false));
    assert_eq!((ask(7, "b"), ask(7, "b")), (true, false));
    assert_eq!((ask(7, "a"), ask(7, "a"), ask(0, "b"), ask(0, "b")), (true, true, true, true));
}

#[test]
fn a_rate_can_be_slower_than_one_a_second() {
    let daily = Rate { tokens: at_least_one(24), per: Duration::from_secs(86_400), burst: at_least_one(2) };
    let (clock, quota) = ruled(vec![rule("daily", By::Address, Some(Class::Guests), daily)]);
    quota.guest(address(1), "p").unwrap();
    quota.guest(address(1), "p").unwrap();
    let over = quota.guest(address(1), "p").unwrap_err().over;
    assert_eq!((over.retry_seconds(), over.window_seconds()), (3600, Some(7200)));
    clock.advance(Duration::from_secs(3600));
    quota.guest(address(1), "p").unwrap();
}
