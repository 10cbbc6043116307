//! Limits that change while they are used.

use super::*;

fn over(quota: &Quota, number: u32) -> Duration {
    refusal(from(quota, number)).2
}

#[test]
fn another_rate_forgets_nothing_that_was_used() {
    let (clock, quota) = quota(QuotaConfig { address_rate: rate(10, 100), ..QuotaConfig::default() });
    let change = |address_rate| quota.reconfigure(QuotaConfig { address_rate, ..quota.config() });
    for _ in 0..80 {
        from(&quota, 1).unwrap();
    }
    // Slower: twenty are left all the same, and the next comes in ten seconds.
    change(Rate { per: Duration::from_secs(100), ..rate(10, 100) });
    for _ in 0..20 {
        from(&quota, 1).unwrap();
    }
    assert_eq!(over(&quota, 1), Duration::from_secs(10));
    // Faster, and half a token was there already.
    clock.advance(Duration::from_secs(5));
    change(rate(1, 100));
    assert_eq!(over(&quota, 1), Duration::from_millis(500));
    // A larger bucket has at once what it is larger by.
    change(rate(1, 110));
    for _ in 0..10 {
        from(&quota, 1).unwrap();
    }
    assert_eq!(over(&quota, 1), Duration::from_millis(500));
    // A smaller one is empty: nobody waits for what was used beyond it.
    change(rate(1, 5));
    assert_eq!(over(&quota, 1), Duration::from_secs(1));
    // What changes elsewhere changes nothing here.
    quota.reconfigure(QuotaConfig { account_concurrency: 7, ..quota.config() });
    assert_eq!(over(&quota, 1), Duration::from_secs(1));
    from(&quota, 2).unwrap();
}

#[test]
fn rules_come_and_go() {
    let (_, quota) = quota(QuotaConfig::default());
    let rule = Rule { name: "each".into(), by: By::Address, class: None, rate: rate(1, 1), only: Vec::new() };
    from(&quota, 1).unwrap();
    quota.reconfigure(QuotaConfig { rules: vec![rule.clone()], ..quota.config() });
    from(&quota, 1).unwrap();
    assert_eq!(refusal(from(&quota, 1)).1, "each");
    // Another rule beside it does not give it back what was used.
    let other = Rule { name: "other".into(), ..rule.clone() };
    quota.reconfigure(QuotaConfig { rules: vec![other, rule], ..quota.config() });
    assert_eq!(refusal(from(&quota, 1)).1, "each");
    let keys = quota.tracked().keys;
    quota.reconfigure(QuotaConfig { rules: Vec::new(), ..quota.config() });
    from(&quota, 1).unwrap();
    assert!(quota.tracked().keys < keys, "a rule that went took its buckets along");
}

#[test]
fn single_accounts_functions_and_pools_have_limits_of_their_own() {
    let rules =
        vec![Rule { name: "each".into(), by: By::Function, class: None, rate: rate(1, 2), only: Vec::new() }];
    let (clock, quota) =
        quota(QuotaConfig { rules, account_rate: at_least_one(1000), ..QuotaConfig::default() });
    let put =
        |target, limit: &str, value| Override { account: account(1), target, limit: limit.into(), value };
    let ask = |number, function, pool| {
        let call = Call { pool: Some(pool), ..call(number, function) };
        quota.admit(&call).map(drop).map_err(|over| over.over.name.to_string())
    };
    assert_eq!((ask(1, "a", "p"), ask(1, "a", "p")), (Ok(()), Ok(())));
    assert_eq!(ask(1, "a", "p"), Err("each".to_owned()));
    let lifted = put(Target::Function("a".into()), "each", Value::Rate(rate(1, 4)));
    quota.put_overrides(vec![lifted.clone()]);
    // It has used two of four now; others have what they had.
    assert_eq!((ask(1, "a", "p"), ask(1, "a", "p")), (Ok(()), Ok(())));
    assert_eq!(ask(1, "a", "p"), Err("each".to_owned()));
    assert_eq!((ask(2, "a", "p"), ask(2, "a", "p")), (Ok(()), Ok(())));
    assert_eq!(ask(2, "a", "p"), Err("each".to_owned()));
    quota.put_overrides(vec![
        lifted,
        put(Target::Account, ACCOUNT_RATE, Value::Rate(rate(1, 1))),
        put(Target::Pool("q".into()), "pool_rate", Value::Rate(rate(1, 1))),
    ]);
    clock.advance(Duration::from_secs(10));
    assert_eq!((ask(1, "b", "p"), ask(1, "c", "p")), (Ok(()), Err("account_rate".to_owned())));
    assert_eq!((ask(2, "d", "q"), ask(3, "d", "q")), (Ok(()), Err("pool_rate".to_owned())));
    quota.put_overrides(Vec::new());
    assert_eq!((ask(1, "c", "p"), ask(3, "d", "q")), (Ok(()), Ok(())));
}

#[test]
fn an_override_must_be_of_a_limit_that_there_is() {
    let (_, quota) = quota(QuotaConfig::default());
    let check = |target: Target, limit, value| quota.check_override(&target, limit, &value);
    let (of_rate, of_count) = (Value::Rate(rate(1, 1)), Value::Concurrency(1));
    let function = || Target::Function("f".into());
    for (target, limit, value) in [
        (Target::Account, "account_rate", of_rate),
        (Target::Account, "account_concurrency", of_count),
        (function(), "function_rate", of_rate),
        (function(), "reserved_concurrency", of_count),
        (Target::Pool("p".into()), "pool_rate", of_rate),
        (Target::Pool("p".into()), "guest_pool_rate", of_rate),
    ] {
        assert_eq!(check(target, limit, value), Ok(()), "{limit}");
    }
    for (target, limit, value, word) in [
        (Target::Account, "account_rate", of_count, "takes a Rate"),
        (Target::Account, "account_concurrency", of_rate, "takes a Concurrency"),
        (function(), "account_rate", of_rate, "no limit account_rate is by function"),
        (function(), "reserved_rate", of_rate, "there are: function_rate, reserved_concurrency"),
        (Target::Pool("p".into()), "pool_rate", of_count, "takes a Rate"),
        (
            Target::Pool("p".into()),
            "reserved_concurrency",
            of_count,
            "no limit reserved_concurrency is by pool",
        ),
    ] {
        let why = check(target, limit, value).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
}
