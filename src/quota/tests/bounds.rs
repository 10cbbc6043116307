//! What is remembered, and for how long.

use super::*;

#[test]
fn state_is_capped_and_what_is_beyond_shares() {
    let keys_max = 10 * SWEEPS;
    let (clock, quota) = quota(QuotaConfig { address_rate: rate(1, 2), keys_max, ..QuotaConfig::default() });
    let mut admitted = 0;
    for number in 0..100_000 {
        admitted += usize::from(from(&quota, number).is_ok());
    }
    let tracked = quota.tracked();
    assert!(tracked.keys <= keys_max, "{tracked:?}");
    assert_eq!(tracked.shared, 100_000 - tracked.keys as u64);
    // Beyond the cap a shard admits what one bucket holds, however many addresses there are.
    assert_eq!(admitted, tracked.keys + 2 * SWEEPS);
    // Whoever was there before keeps a bucket of its own.
    assert!(from(&quota, 0).is_ok());
    // A second and a half later those that took one token are full and forgotten; that of address 0, which took two, is
    // not.
    clock.advance(Duration::from_millis(1500));
    for _ in 0..SWEEPS {
        quota.sweep();
    }
    assert_eq!(quota.tracked().keys, 1);
    assert!(from(&quota, 0).is_ok());
    assert!(from(&quota, 0).is_err(), "its state outlived the sweep");
}

#[test]
fn one_sweep_looks_at_one_shard() {
    let (clock, quota) = quota(QuotaConfig { address_rate: rate(1, 1), ..QuotaConfig::default() });
    let keys = 64 * SWEEPS;
    for number in 0..keys {
        from(&quota, u32::try_from(number).unwrap()).unwrap();
    }
    clock.advance(Duration::from_secs(2));
    let mut before = quota.tracked().keys;
    for _ in 0..SWEEPS {
        quota.sweep();
        let after = quota.tracked().keys;
        // The hash spreads 64 keys a shard evenly enough that none has four times that.
        assert!(before - after < 256, "{before} {after}");
        before = after;
    }
    assert_eq!(before, 0);
}

#[test]
fn a_million_addresses_and_identities_in_a_minute_stay_within_200_mib() {
    const MIB: usize = 1 << 20;
    let each = |name: &str, by| Rule {
        name: name.into(),
        by,
        class: None,
        rate: Rate { tokens: at_least_one(10), per: Duration::from_secs(60), burst: at_least_one(10) },
        only: Vec::new(),
    };
    // More limits than there is room for: by each a million keys.
    let rules = vec![
        each("address", By::Address),
        each("identity", By::Identity),
        each("more", By::Identity),
        each("most", By::Identity),
    ];
    let config = QuotaConfig { caller_rate: Some(rate(10, 1_000)), rules, ..QuotaConfig::default() };
    let bytes_max = config.bytes_max;
    assert!(bytes_max < 200 * MIB);
    let (clock, quota) = quota(config);
    let mut most = 0;
    for number in 0..1_000_000_u32 {
        let _ = from(&quota, number);
        let _ = by(&quota, &caller(Principal::Root, Some(&format!("us-east-1:{number}"))));
        if number % 1000 == 0 {
            most = most.max(quota.tracked().bytes);
        }
    }
    let full = quota.tracked();
    assert!(full.bytes.max(most) <= bytes_max, "{full:?} {most}");
    assert!(full.keys > 2_000_000 && full.shared > 0, "{full:?}");
    // Who comes when there is no room is limited all the same: by the bucket that its shard has for all of them.
    let late = |number: u32| from(&quota, 10_000_000 + number);
    assert!((0..2_000_000).any(|number| late(number).is_err()));
    // And what is full again is forgotten, memory and all.
    clock.advance(Duration::from_secs(120));
    (0..SWEEPS).for_each(|_| quota.sweep());
    let left = quota.tracked();
    assert_eq!(left.keys, 0);
    assert!(left.bytes < MIB, "{left:?}");
}
