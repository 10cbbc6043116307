//! What a decision and a quota check cost: nanoseconds an operation, the median of many rounds with the interval that
//! holds the middle nine tenths of them. `cargo bench --bench policy`.

use std::{
    collections::BTreeMap,
    hint::black_box,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use callgate::{
    base::{AccountId, Caller, CallerIdentity, Principal, SystemClock},
    policy::{
        Document, Keys, Kind, NoKeys, OnResource, Request, Requester, Values, decide, permit, permit_on,
    },
    quota::{Call, Class, Quota, QuotaConfig, Rate},
};
use serde::Deserialize;

/// Rounds that are measured, after a tenth as many to warm up.
const ROUNDS: usize = 100;
/// Operations a round.
const OPERATIONS: u32 = 5_000;

#[derive(Deserialize)]
struct Asked {
    action: String,
    resource: String,
    keys: Context,
}

/// Keys by a sorted map, with their names in lower case.
#[derive(Deserialize)]
#[serde(transparent)]
struct Context(BTreeMap<String, String>);

impl Keys for Context {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        self.0.get(key).map(|value| Values::one(value))
    }
}

/// Measures and prints one line.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
#[expect(clippy::print_stdout, reason = "the output of a benchmark")]
fn measure(name: &str, operations: u32, mut operation: impl FnMut(u32)) {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + ROUNDS / 10 {
        let start = Instant::now();
        for number in 0..operations {
            operation(number);
        }
        let nanos = start.elapsed().as_secs_f64() * 1e9 / f64::from(operations);
        if round >= ROUNDS / 10 {
            rounds.push(nanos);
        }
    }
    rounds.sort_by(f64::total_cmp);
    let at = |share: usize| rounds.get(ROUNDS * share / 100).copied().unwrap_or(f64::NAN);
    println!("{name:<58} {:>8.1} ns  [{:.1}, {:.1}]", at(50), at(5), at(95));
}

fn policies() -> Result<(), Box<dyn std::error::Error>> {
    let mut requests: Vec<Asked> = serde_json::from_str(include_str!("../policies/corpus/requests.json"))?;
    for asked in &mut requests {
        asked.keys.0 = std::mem::take(&mut asked.keys.0)
            .into_iter()
            .map(|(key, value)| (key.to_lowercase(), value))
            .collect();
    }
    let corpora = [
        (10, include_str!("../policies/corpus/10-statements.json")),
        (100, include_str!("../policies/corpus/100-statements.json")),
    ];
    for (count, text) in corpora {
        let document = Document::parse(text, Kind::Identity)?;
        let mut asked = requests.iter().cycle();
        measure(
            &format!("decide, {count} statements, mean of {} requests", requests.len()),
            OPERATIONS,
            |_| {
                if let Some(asked) = asked.next() {
                    let request = Request::new(&asked.action, &asked.resource, &asked.keys);
                    black_box(decide(black_box(&request), [&document]));
                }
            },
        );
        let slowest = requests.iter().max_by_key(|asked| cost(&document, asked));
        if let Some(asked) = slowest {
            let request = Request::new(&asked.action, &asked.resource, &asked.keys);
            measure(&format!("decide, {count} statements, the slowest request"), OPERATIONS, |_| {
                black_box(decide(black_box(&request), [&document]));
            });
        }
    }
    let guest = Document::parse(callgate::policy::defaults::GUEST, Kind::Identity)?;
    let keys = Context(BTreeMap::from([("aws:resourcetag/callgate:allow".to_owned(), "guests".to_owned())]));
    let function = "arn:aws:lambda:us-east-1:000000000000:function:greet";
    let (caller, request) = (caller(), Request::new("lambda:InvokeFunction", function, &keys));
    measure("permit, the default policy for guests", OPERATIONS, |_| {
        let _ = black_box(permit(&caller, black_box(&request), [&guest], None));
    });
    resource_policies(&caller)?;
    // A thousand times slower than a decision, and done only when a policy is put.
    measure("parse and compile, 100 statements", OPERATIONS / 100, |_| {
        let _ = black_box(Document::parse(black_box(corpora[1].1), Kind::Identity));
    });
    Ok(())
}

/// A function's own policy, as AddPermission makes it: many sources, and the last one is the caller's account.
fn resource_policies(caller: &Caller) -> Result<(), Box<dyn std::error::Error>> {
    let function = "arn:aws:lambda:us-east-1:000000000000:function:greet";
    let arn = caller.principal.arn(caller.account);
    for count in [1, 10, 80] {
        let sources = (1..count).map(|number| {
            serde_json::json!({ "Sid": format!("s{number}"), "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
                "Action": "lambda:InvokeFunction", "Resource": function,
                "Condition": { "ArnLike": { "AWS:SourceArn": format!("arn:aws:s3:::b{number}") } } })
        });
        let own = serde_json::json!({ "Sid": "own", "Effect": "Allow", "Principal": { "AWS": arn },
            "Action": "lambda:InvokeFunction", "Resource": function });
        let statements: Vec<_> = sources.chain([own]).collect();
        let text = serde_json::json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements })
            .to_string();
        let document = Document::parse(&text, Kind::Resource)?;
        let request = Request::new("lambda:InvokeFunction", function, &NoKeys);
        let requester = Requester::Aws { account: caller.account.as_str(), arn: &arn, role_arn: None };
        let on = OnResource { document: &document, requester };
        measure(&format!("permit, a resource policy of {count} statements"), OPERATIONS, |_| {
            let policies = std::iter::empty::<&Document>();
            let _ = black_box(permit_on(caller, black_box(&request), policies, None, Some(on)));
        });
    }
    Ok(())
}

/// The time of one request, roughly, to find the slowest.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn cost(document: &Document, asked: &Asked) -> std::time::Duration {
    let request = Request::new(&asked.action, &asked.resource, &asked.keys);
    let start = Instant::now();
    for _ in 0..OPERATIONS {
        black_box(decide(black_box(&request), [document]));
    }
    start.elapsed()
}

fn caller() -> Caller {
    Caller {
        account: AccountId::DEFAULT,
        principal: Principal::AssumedRole {
            role: "guests".into(),
            role_id: "AROAEXAMPLE".into(),
            session: "CognitoIdentityCredentials".into(),
        },
        access_key_id: "ASIAEXAMPLE".into(),
        identity: Some(Arc::new(CallerIdentity {
            identity_id: "us-east-1:11111111-2222-3333-4444-555555555555".to_owned(),
            ..CallerIdentity::default()
        })),
        session: None,
    }
}

fn quotas() {
    // Limits that are never reached, so that each check does all its work.
    let most = Rate::flat(std::num::NonZeroU32::MAX);
    let config = QuotaConfig {
        account_concurrency: 1_000,
        account_rate: most.tokens,
        address_rate: most,
        caller_rate: Some(most),
        guest_address_rate: most,
        guest_pool_rate: most,
        merge_hook_rate: most.tokens,
        ..QuotaConfig::default()
    };
    let quota = Quota::new(config, Arc::new(SystemClock::new()));
    let caller = caller();
    let admit = || {
        let share = quota.share(&caller, Ipv4Addr::LOCALHOST.into());
        let call = Call { owner: AccountId::DEFAULT, function: "echo", pool: None, share };
        quota.admit(&call)
    };
    let address = |number: u32| IpAddr::from(Ipv4Addr::from_bits(number));
    measure("quota by address, one of 5,000", OPERATIONS, |number| {
        let _ = black_box(quota.address(address(number), Some(Class::Invoke)));
    });
    measure("quota by caller", OPERATIONS, |_| {
        let _ = black_box(quota.caller(black_box(&caller), Class::Invoke, || None));
    });
    measure("quota of the account: slot and token, and back", OPERATIONS, |_| {
        let _ = black_box(admit());
    });
    measure("all quotas of a call", OPERATIONS, |number| {
        let _ = black_box(quota.address(address(number), Some(Class::Invoke)));
        let _ = black_box(quota.caller(black_box(&caller), Class::Invoke, || None));
        let _ = black_box(admit());
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    policies()?;
    quotas();
    Ok(())
}
