//! Random policies and requests: the fast evaluator and the slow one must say the same.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use super::{
    super::{By, Decision, Document, Kind, Request, decide},
    Asking, Context, Held,
    reference::{Question, Verdict, judge},
};

pub(super) const ACTIONS: [&str; 10] = [
    "*",
    "*:*",
    "lambda:*",
    "lambda:InvokeFunction",
    "LAMBDA:invokefunction",
    "lambda:Invoke*",
    "lambda:?nvoke*n",
    "*:Get*",
    "s3:GetObject",
    "lambda:GetFunction",
];
pub(super) const ASKED_ACTIONS: [&str; 4] =
    ["lambda:InvokeFunction", "lambda:GetFunction", "s3:GetObject", "Lambda:INVOKEfunction"];

pub(super) const RESOURCES: [&str; 16] = [
    "*",
    "arn:aws:lambda",
    "arn:aws:lambda:*",
    "arn:aws:lambda:us-*-1",
    "arn:aws:lambda:us-east-1:1:function:a",
    "arn:aws:lambda:*:*:function:*",
    "arn:aws:lambda:us-east-1:1:function:a*",
    "arn:aws:lambda:us-east-1:1:function:?:*",
    "arn:aws:lambda:us-east-1:1:function:*b",
    "arn:aws:lambda:us-*:b",
    "arn:*:lambda:*:1:*:a:?",
    "arn:aws:lambda:us-east-1:1:function:${aws:username}",
    "arn:aws:lambda:us-east-1:1:*${aws:username, 'b'}",
    "arn:aws:lambda:us-east-1:1:function:${aws:PrincipalTag/Team}*",
    "arn:aws:lambda:us-east-1:1:function:${cognito-identity.amazonaws.com:amr}",
    "arn:aws:s3:::a/${*}",
];
pub(super) const ASKED_RESOURCES: [&str; 7] = [
    "arn:aws:lambda:us-east-1:1:function:a",
    "arn:aws:lambda:us-east-1:1:function:a:b",
    "arn:aws:lambda:us-east-1:1:function:ab",
    "arn:aws:lambda:eu-west-1:1:function:b",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/b",
    "*",
];

const KEYS: [&str; 6] = [
    "aws:username",
    "AWS:PrincipalTag/team",
    "aws:SourceArn",
    "cognito-identity.amazonaws.com:amr",
    "aws:CurrentTime",
    "aws:SourceIp",
];
/// What the last two keys hold most of the time.
const HELD_TIMES: [&str; 5] =
    ["2024-01-01T00:00:00Z", "1704067200", "2024-01-01T01:30+01:00", "2023-12-31T23:59:59.5Z", "2024-02-29"];
const HELD_ADDRESSES: [&str; 5] =
    ["203.0.113.7", "203.0.114.7", "2001:db8::7", "::ffff:203.0.113.7", "1.2.3"];
const TIMES: [&str; 6] =
    ["2024", "2024-01-01", "1704067200.25", "2024-01-01T00:30Z", "2024-01-01T02:00:00+02:00", "2024-02"];
const RANGES: [&str; 6] =
    ["203.0.113.0/24", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32", "2001:db8::8", "203.0.112.0/22"];
const BINARIES: [&str; 4] = ["YQ==", "YWI=", "", "Kg=="];
const HELD: [&str; 15] = [
    "a",
    "A",
    "b",
    "ab",
    "a:b",
    "*",
    "",
    "true",
    "False",
    "1",
    "1.0",
    "-2",
    "10",
    "arn:aws:sns:us-east-1:1:a",
    "arn:aws:sns:us-east-1:1:a:b",
];
const TEXTS: [&str; 16] = [
    "a",
    "A",
    "b",
    "a*",
    "?",
    "*",
    "*b",
    "",
    "1",
    "${aws:username}",
    "${aws:username, 'a'}",
    "${aws:principaltag/TEAM}*",
    "x${*}",
    "${*}",
    "arn:aws:sns:*:1:a*",
    "arn:aws:sns:us-east-1:1:${aws:username}",
];

/// An operator, the keys that it is put to, and the values that it takes.
type Asks = (String, &'static [&'static str], &'static [&'static str]);

fn operator() -> impl Strategy<Value = Asks> {
    let texts = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
    ];
    let numbers = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
    let form = select(vec![
        ("", ""),
        ("", "IfExists"),
        ("ForAnyValue:", ""),
        ("ForAllValues:", ""),
        ("ForAnyValue:", "IfExists"),
        ("ForAllValues:", "IfExists"),
    ]);
    let named = prop_oneof![
        6 => select(texts.to_vec()).prop_map(|name| (name.to_owned(), &KEYS[..4], &TEXTS[..])),
        3 => select(numbers.to_vec())
            .prop_map(|name| (format!("Numeric{name}"), &KEYS[..4], &["1", "01.00", "2", "-2", "9.5"][..])),
        3 => select(numbers.to_vec()).prop_map(|name| (format!("Date{name}"), &KEYS[3..5], &TIMES[..])),
        2 => select(vec!["IpAddress", "NotIpAddress"])
            .prop_map(|name| (name.to_owned(), &KEYS[4..], &RANGES[..])),
        1 => Just(("BinaryEquals".to_owned(), &KEYS[..4], &BINARIES[..])),
        1 => Just(("Bool".to_owned(), &KEYS[..4], &["true", "false", "TRUE"][..])),
    ];
    prop_oneof![
        9 => (form, named).prop_map(|((prefix, suffix), (name, keys, values))| {
            (format!("{prefix}{name}{suffix}"), keys, values)
        }),
        1 => Just(("Null".to_owned(), &KEYS[..], &["true", "false"][..])),
    ]
}

pub(super) fn condition() -> impl Strategy<Value = Value> {
    let one = operator().prop_flat_map(|(operator, keys, values)| {
        (Just(operator), select(keys.to_vec()), subsequence(values.to_vec(), 0..=values.len().min(3)))
    });
    prop::collection::vec(one, 0..3).prop_map(|list| {
        let mut operators = Map::new();
        for (operator, key, values) in list {
            operators.insert(operator, json!({ key: values }));
        }
        Value::Object(operators)
    })
}

pub(super) fn some_of(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(from.to_vec(), 1..=3)
}

pub(super) fn effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("Allow"), 1 => Just("Deny")]
}

pub(super) fn identity_statement() -> impl Strategy<Value = Value> {
    let field = |name: &'static str, other: &'static str| prop_oneof![4 => Just(name), 1 => Just(other)];
    (
        effect(),
        field("Action", "NotAction"),
        some_of(&ACTIONS),
        field("Resource", "NotResource"),
        some_of(&RESOURCES),
        condition(),
    )
        .prop_map(|(effect, action, actions, resource, resources, condition)| {
            json!({ "Effect": effect, action: actions, resource: resources, "Condition": condition })
        })
}

fn trust_statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!("*"),
        json!({ "AWS": "*" }),
        json!({ "AWS": "111111111111" }),
        json!({ "AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:user/u"] }),
        json!({ "AWS": "arn:aws:iam::111111111111:role/r" }),
        json!({ "AWS": "arn:aws:sts::111111111111:assumed-role/r/s" }),
        json!({ "Federated": "cognito-identity.amazonaws.com", "Service": "sns.amazonaws.com" }),
    ]);
    let actions = some_of(&["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:*"]);
    (effect(), principal, actions, condition()).prop_map(|(effect, principal, actions, condition)| {
        json!({ "Effect": effect, "Principal": principal, "Action": actions, "Condition": condition })
    })
}

pub(super) fn policies(statement: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<Value>> {
    let version = prop_oneof![3 => Just("2012-10-17"), 1 => Just("2008-10-17")];
    let policy = (version, prop::collection::vec(statement, 1..4))
        .prop_map(|(version, statements)| json!({ "Version": version, "Statement": statements }));
    prop::collection::vec(policy, 1..3)
}

fn held(from: &'static [&'static str]) -> impl Strategy<Value = Held> {
    let one = select(from.to_vec()).prop_map(|value| Held::One(value.to_owned()));
    let many = subsequence(from.to_vec(), 0..3)
        .prop_map(|values| Held::Many(values.into_iter().map(str::to_owned).collect()));
    prop_oneof![3 => one, 1 => many]
}

pub(super) fn context() -> impl Strategy<Value = Context> {
    let texts = prop::collection::vec(prop::option::of(held(&HELD)), 4);
    let times = prop::option::of(prop_oneof![9 => held(&HELD_TIMES), 1 => held(&HELD)]);
    let addresses = prop::option::of(prop_oneof![9 => held(&HELD_ADDRESSES), 1 => held(&HELD)]);
    (texts, times, addresses).prop_map(|(mut all, times, addresses)| {
        all.extend([times, addresses]);
        let keys = KEYS.iter().map(|key| key.to_lowercase());
        Context(keys.zip(all).filter_map(|(key, held)| held.map(|held| (key, held))).collect())
    })
}

fn asking() -> impl Strategy<Value = Asking> {
    let aws = |account: &str, arn: &str, role: Option<&str>| Asking::Aws {
        account: account.to_owned(),
        arn: arn.to_owned(),
        role: role.map(str::to_owned),
    };
    select(vec![
        aws("111111111111", "arn:aws:iam::111111111111:user/v", None),
        aws("222222222222", "arn:aws:iam::222222222222:user/u", None),
        aws(
            "111111111111",
            "arn:aws:sts::111111111111:assumed-role/r/s",
            Some("arn:aws:iam::111111111111:role/r"),
        ),
        Asking::Federated("cognito-identity.amazonaws.com".to_owned()),
        Asking::Service("sns.amazonaws.com".to_owned()),
    ])
}

/// A case: the kind of policies, the policies, and a request.
#[derive(Clone, Debug)]
struct Case {
    kind: Kind,
    policies: Vec<Value>,
    action: &'static str,
    resource: &'static str,
    asking: Option<Asking>,
    context: Context,
}

fn case() -> impl Strategy<Value = Case> {
    let identity = (
        policies(identity_statement()),
        select(ASKED_ACTIONS.to_vec()),
        select(ASKED_RESOURCES.to_vec()),
        prop::option::weighted(0.1, asking()),
        context(),
    )
        .prop_map(|(policies, action, resource, asking, context)| Case {
            kind: Kind::Identity,
            policies,
            action,
            resource,
            asking,
            context,
        });
    let trust_actions = select(vec!["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]);
    let trust =
        (policies(trust_statement()), trust_actions, prop::option::weighted(0.9, asking()), context())
            .prop_map(|(policies, action, asking, context)| Case {
                kind: Kind::Trust,
                policies,
                action,
                resource: "arn:aws:iam::111111111111:role/target",
                asking,
                context,
            });
    prop_oneof![3 => identity, 1 => trust]
}

/// Decides both ways; the error says how they differ.
fn compare(case: &Case) -> Result<Verdict, String> {
    let Case { kind, policies, action, resource, asking, context } = case;
    let documents: Vec<Document> = policies
        .iter()
        .map(|policy| Document::parse(&policy.to_string(), *kind).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let requester = asking.as_ref().map(Asking::requester);
    let decision = decide(&Request { action, resource, requester, keys: context }, &documents);
    let question = Question { action, resource, asking: asking.as_ref(), context };
    let (fast, by) = match decision {
        Decision::Allow { by } => (Verdict::Allow, Some(by)),
        Decision::ExplicitDeny { by } => (Verdict::Deny, Some(by)),
        Decision::ImplicitDeny => (Verdict::Neither, None),
    };
    let slow = judge(&question, policies);
    if fast != slow {
        return Err(format!("decided {fast:?}, the reference says {slow:?}"));
    }
    if let Some(By { document, statement }) = by {
        let alone = json!({
            "Version": policies[document]["Version"],
            "Statement": policies[document]["Statement"][statement],
        });
        let alone = judge(&question, &[alone]);
        if alone != fast {
            return Err(format!("decided {fast:?} by a statement that alone says {alone:?}"));
        }
    }
    Ok(fast)
}

/// Cases of each test.
pub(super) const CASES: u32 = 100_000;

#[test]
fn the_fast_evaluator_agrees_with_the_slow_one() {
    let mut config = ProptestConfig::default();
    // PROPTEST_CASES asks for more: what `make soak` does.
    config.cases = config.cases.max(CASES);
    let cases = config.cases;
    let counts = RefCell::new(BTreeMap::new());
    let outcome = TestRunner::new(config).run(&case(), |case| {
        let verdict = compare(&case).map_err(TestCaseError::fail)?;
        *counts.borrow_mut().entry(verdict).or_insert(0) += 1;
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Agreement on nothing but refusals would prove little.
    for verdict in [Verdict::Allow, Verdict::Deny, Verdict::Neither] {
        let count = counts.borrow().get(&verdict).copied().unwrap_or(0);
        assert!(count >= cases / 20, "only {count} of {cases} cases were {verdict:?}");
    }
}
