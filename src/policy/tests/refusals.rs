//! What is refused when a policy is put: the vectors in `policies/refusals.json`, and limits that need long texts.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Document, Kind, ParseError, TEXT_BYTES_MAX};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    id: String,
    kind: String,
    /// A policy that is JSON, or …
    policy: Option<Value>,
    /// … a text that need not be.
    text: Option<String>,
    /// The whole message begins with this: statement, Sid and element.
    at: String,
    /// And has this in it.
    says: String,
}

#[test]
fn every_refusal_names_the_place_and_the_reason() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/refusals.json");
    let refusals: Vec<Refusal> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(refusals.len() >= 60, "only {} refusals were found", refusals.len());
    let mut failures = Vec::new();
    for refusal in refusals {
        let kind = match refusal.kind.as_str() {
            "identity" => Kind::Identity,
            "trust" => Kind::Trust,
            "resource" => Kind::Resource,
            other => panic!("{}: no kind {other}", refusal.id),
        };
        let text = refusal.text.or_else(|| refusal.policy.map(|policy| policy.to_string())).unwrap();
        match Document::parse(&text, kind) {
            Ok(_) => failures.push(format!("{} is accepted", refusal.id)),
            Err(error) => {
                let message = error.to_string();
                let sentence = message.ends_with('.') && !message.contains("..");
                if !message.starts_with(&refusal.at) || !message.contains(&refusal.says) || !sentence {
                    failures.push(format!("{}: {message}", refusal.id));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A policy of a given size without white space.
fn of_size(kind: Kind, size: usize) -> String {
    let policy = |filler: usize| {
        let id = "x".repeat(filler);
        match kind {
            Kind::Identity | Kind::Managed | Kind::Session => {
                json!({ "Id": id, "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } })
            }
            Kind::Trust => {
                json!({ "Id": id, "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*" } })
            }
            Kind::Resource => {
                json!({ "Id": id, "Statement": { "Effect": "Deny", "Action": "*", "Principal": "*", "Resource": "*" } })
            }
        }
        .to_string()
    };
    policy(size - policy(0).len())
}

#[test]
fn a_policy_may_have_so_many_characters_without_white_space() {
    let limits =
        [(Kind::Identity, 10_240), (Kind::Managed, 6_144), (Kind::Session, 2_048), (Kind::Trust, 2_048)];
    for (kind, limit) in limits {
        let full = of_size(kind, limit);
        assert_eq!(Document::parse(&full, kind).unwrap().size(), limit);
        let spacious = full.replacen('{', &format!("{{{}", " \n".repeat(20_000)), 1);
        assert_eq!(Document::parse(&spacious, kind).unwrap().size(), limit);
        match Document::parse(&of_size(kind, limit + 1), kind) {
            Err(ParseError::TooLong { size, limit: named, .. }) => {
                assert_eq!((size, named), (limit + 1, limit))
            }
            other => panic!("{other:?}"),
        }
    }
    let endless =
        of_size(Kind::Identity, 10_240).replacen('{', &format!("{{{}", " ".repeat(TEXT_BYTES_MAX)), 1);
    assert!(matches!(Document::parse(&endless, Kind::Identity), Err(ParseError::TooLong { .. })));
}

#[test]
fn the_policy_of_a_resource_may_have_so_many_bytes() {
    assert_eq!(Document::parse(&of_size(Kind::Resource, 20_480), Kind::Resource).unwrap().size(), 20_480);
    let error = Document::parse(&of_size(Kind::Resource, 20_481), Kind::Resource).unwrap_err();
    assert_eq!(error.to_string(), "The policy has 20481 bytes; the limit for a resource's policy is 20480.");
    // White space counts, and so does every byte of a character.
    let spacious = of_size(Kind::Resource, 20_480).replacen('{', "{ ", 1);
    assert!(Document::parse(&spacious, Kind::Resource).is_err());
    let accented = of_size(Kind::Resource, 20_480).replacen('x', "é", 1);
    assert!(Document::parse(&accented, Kind::Resource).is_err());
}

#[test]
fn no_prefix_of_a_policy_is_a_policy_and_none_panics() {
    let text = super::super::defaults::trust_guest("us-east-1:11111111-2222-3333-4444-555555555555");
    let text = text.trim_end();
    assert!(Document::parse(text, Kind::Trust).is_ok());
    for end in 0..text.len() {
        assert!(Document::parse(&text[..end], Kind::Trust).is_err(), "{}", &text[..end]);
    }
}
