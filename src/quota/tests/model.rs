//! Random calls against buckets and counters by their definitions, exactly.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// A bucket by its definition: it holds up to `burst` tokens, and refills all the time. Exact in nanoseconds of refilling.
struct Model {
    interval_nanos: u128,
    capacity_nanos: u128,
    level_nanos: u128,
    at: Duration,
}

impl Model {
    fn new(rate: Rate) -> Self {
        let interval_nanos = u128::from(rate.interval_nanos());
        let capacity_nanos = interval_nanos * u128::from(rate.burst.get());
        Self { interval_nanos, capacity_nanos, level_nanos: capacity_nanos, at: Duration::ZERO }
    }

    fn refill(&mut self, now: Duration) {
        let refilled = self.level_nanos + (now - self.at).as_nanos();
        (self.level_nanos, self.at) = (refilled.min(self.capacity_nanos), now);
    }

    /// How long to wait for a token; nothing if there is one.
    fn wait(&mut self, now: Duration) -> Duration {
        self.refill(now);
        let wait = self.interval_nanos.saturating_sub(self.level_nanos);
        Duration::from_nanos(wait.try_into().unwrap())
    }

    fn take(&mut self) {
        self.level_nanos -= self.interval_nanos;
    }

    /// Takes on another rate: as many tokens stay used as were used.
    fn renew(&mut self, rate: Rate, now: Duration) {
        self.refill(now);
        let used = self.capacity_nanos - self.level_nanos;
        let fresh = Self::new(rate);
        let used = (used * fresh.interval_nanos / self.interval_nanos).min(fresh.capacity_nanos);
        *self = Self { level_nanos: fresh.capacity_nanos - used, at: now, ..fresh };
    }
}

/// Takes of all of these or of none; the error is the longest wait.
fn take_all(models: &mut [&mut Model], now: Duration) -> Result<(), Duration> {
    let longest = models.iter_mut().map(|model| model.wait(now)).max().unwrap_or_default();
    if longest > Duration::ZERO {
        return Err(longest);
    }
    models.iter_mut().for_each(|model| model.take());
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Address(u32),
    Guest(u32, u32),
    Admit(u32, u32),
    Finish(usize),
    Advance(u64),
    Sweep,
    Reconfigure((u32, u32), (u32, u32)),
}

fn step() -> impl Strategy<Value = Step> {
    let rate = || (1..20_u32, 1..6_u32);
    prop_oneof![
        4 => (0..3_u32).prop_map(Step::Address),
        4 => (0..2_u32, 0..2_u32).prop_map(|(address, pool)| Step::Guest(address, pool)),
        6 => (0..2_u32, 0..2_u32).prop_map(|(account, function)| Step::Admit(account, function)),
        2 => (0..8_usize).prop_map(Step::Finish),
        3 => (0..400_000_000_u64).prop_map(Step::Advance),
        1 => Just(Step::Sweep),
        1 => (rate(), rate()).prop_map(|(address, function)| Step::Reconfigure(address, function)),
    ]
}

fn function_rule(rate: Rate) -> Rule {
    Rule { name: "each".into(), by: By::Function, class: None, rate, only: Vec::new() }
}

proptest! {
    #[test]
    fn limits_are_exactly_those_of_the_model(
        steps in prop::collection::vec(step(), 0..200),
        address_rate in (1..20_u32, 1..6_u32),
        function_rate in (1..20_u32, 1..6_u32),
        guest_rates in ((1..20_u32, 1..6_u32), (1..20_u32, 1..6_u32)),
        account_rate in 1..8_u32,
        concurrency in 0..4_u32,
        reserved in 0..3_u32,
    ) {
        let of = |(tokens, burst)| rate(tokens, burst);
        let mut config = QuotaConfig {
            account_concurrency: concurrency,
            account_rate: at_least_one(account_rate),
            address_rate: of(address_rate),
            guest_address_rate: of(guest_rates.0),
            guest_pool_rate: of(guest_rates.1),
            rules: vec![function_rule(of(function_rate))],
            ..QuotaConfig::default()
        };
        let (clock, quota) = quota(config.clone());
        // Function 1 of account 1 has a reserve.
        let reserve = Override {
            account: account(1),
            target: Target::Function("1".into()),
            limit: RESERVED_CONCURRENCY.into(),
            value: Value::Concurrency(reserved),
        };
        quota.put_overrides(vec![reserve]);
        let mut addresses: HashMap<u32, Model> = HashMap::new();
        let mut guest_addresses: HashMap<u32, Model> = HashMap::new();
        let mut guest_pools: HashMap<u32, Model> = HashMap::new();
        let mut functions: HashMap<(u32, u32), Model> = HashMap::new();
        let mut accounts: HashMap<u32, Model> = HashMap::new();
        let mut reserved_rate = Model::new(Rate::flat(at_least_one((reserved * RATE_PER_RESERVED).max(1))));
        let mut running: Vec<(u32, bool, Admission)> = Vec::new();
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Advance(nanos) => {
                    now += Duration::from_nanos(nanos);
                    clock.advance(Duration::from_nanos(nanos));
                }
                Step::Sweep => (0..SWEEPS).for_each(|_| quota.sweep()),
                Step::Reconfigure(address, function) => {
                    config.address_rate = of(address);
                    config.rules = vec![function_rule(of(function))];
                    quota.reconfigure(config.clone());
                    addresses.values_mut().for_each(|model| model.renew(of(address), now));
                    functions.values_mut().for_each(|model| model.renew(of(function), now));
                }
                Step::Finish(position) if position < running.len() => drop(running.swap_remove(position)),
                Step::Finish(_) => {}
                Step::Address(number) => {
                    let model = addresses.entry(number).or_insert_with(|| Model::new(config.address_rate));
                    let got = from(&quota, number).map_err(|throttled| throttled.over.retry_after);
                    prop_assert_eq!(got, take_all(&mut [model], now));
                }
                Step::Guest(number, pool) => {
                    let one = guest_addresses.entry(number);
                    let one = one.or_insert_with(|| Model::new(config.guest_address_rate));
                    let two = guest_pools.entry(pool).or_insert_with(|| Model::new(config.guest_pool_rate));
                    let got = quota.guest(address(number), &pool.to_string());
                    let got = got.map_err(|throttled| throttled.over.retry_after);
                    prop_assert_eq!(got, take_all(&mut [one, two], now));
                }
                Step::Admit(number, function) => {
                    let has_reserve = (number, function) == (1, 1);
                    let busy = |only: Option<bool>| {
                        let of = |one: &&(u32, bool, Admission)| {
                            one.0 == number && only.is_none_or(|only| one.1 == only)
                        };
                        u32::try_from(running.iter().filter(of).count()).unwrap()
                    };
                    let unreserved = concurrency.saturating_sub(if number == 1 { reserved } else { 0 });
                    let account = accounts.entry(number);
                    let account = account.or_insert_with(|| Model::new(Rate::flat(at_least_one(account_rate))));
                    let rates = functions.entry((number, function));
                    let rates = rates.or_insert_with(|| Model::new(config.rules[0].rate));
                    let second = Duration::from_secs(1);
                    let expected = if has_reserve && busy(Some(true)) >= reserved {
                        Err((Reason::ReservedFunctionConcurrentInvocationLimitExceeded, second))
                    } else if busy(None) >= concurrency || !has_reserve && busy(Some(false)) >= unreserved {
                        Err((Reason::ConcurrentInvocationLimitExceeded, second))
                    } else {
                        let (own, reason) = match has_reserve {
                            true => (&mut reserved_rate, Reason::ReservedFunctionInvocationRateLimitExceeded),
                            false => (account, Reason::FunctionInvocationRateLimitExceeded),
                        };
                        // Of two that refuse, the one that takes longer speaks; of equals the last.
                        let is_own = own.wait(now) > rates.wait(now);
                        let reason = if is_own { reason } else { Reason::FunctionInvocationRateLimitExceeded };
                        take_all(&mut [own, rates], now).map_err(|wait| (reason, wait))
                    };
                    match quota.admit(&call(number, &function.to_string())) {
                        Ok(admission) => {
                            prop_assert_eq!(expected, Ok(()));
                            running.push((number, has_reserve, admission));
                        }
                        Err(throttled) => {
                            prop_assert_eq!(expected, Err((throttled.reason, throttled.over.retry_after)));
                        }
                    }
                }
            }
            for number in 0..2 {
                let busy = running.iter().filter(|one| one.0 == number).count();
                prop_assert_eq!(quota.running(account(number)) as usize, busy);
            }
        }
    }
}
