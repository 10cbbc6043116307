//! The parser against texts that nobody meant: policies of the tables with pieces cut out, doubled, swapped and put in. It
//! must refuse or accept, and what it accepts must be decidable; nothing may panic or take long.

use std::{cell::RefCell, path::Path};

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};
use serde_json::Value;

use super::super::{Document, Kind, NoKeys, Request, Requester, decide, explain, lint};

/// What is put in: everything that has a meaning in JSON or in a policy.
const TOKENS: [&str; 56] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "null",
    "true",
    "1e9",
    "-1.5",
    "0",
    " ",
    "\n",
    "*",
    "?",
    "${",
    "}",
    "${*}",
    "${aws:username}",
    "${aws:username, 'x'}",
    "'",
    "arn:aws:lambda:*:*:function:*",
    "arn:",
    "::::::",
    "Version",
    "2012-10-17",
    "2008-10-17",
    "Statement",
    "Sid",
    "Effect",
    "Allow",
    "Deny",
    "Principal",
    "NotPrincipal",
    "AWS",
    "Service",
    "Federated",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "StringLike",
    "ForAllValues:",
    "ForAnyValue:",
    "IfExists",
    "Null",
    "DateLessThan",
    "IpAddress",
    "BinaryEquals",
    "é",
    "\u{202e}",
    "\u{10ffff}",
];

#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, usize),
    Put(Index, Index),
    Copy(Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), 0_usize..40).prop_map(|(at, length)| Edit::Cut(at, length)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, token)| Edit::Put(at, token)),
        (any::<Index>(), any::<Index>(), 0_usize..80)
            .prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
    ]
}

/// Edits whole characters, so that the text stays UTF-8: bytes that are not never reach the parser.
fn apply(text: &str, edits: &[Edit]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for edit in edits {
        let size = characters.len() + 1;
        let end = |at: usize, length: usize| (at + length).min(size - 1);
        match edit {
            Edit::Cut(at, length) => {
                let at = at.index(size);
                characters.drain(at..end(at, *length));
            }
            Edit::Put(at, token) => {
                let at = at.index(size);
                characters.splice(at..at, TOKENS[token.index(TOKENS.len())].chars());
            }
            Edit::Copy(from, to, length) => {
                let (from, to) = (from.index(size), to.index(size));
                let copied = characters[from..end(from, *length)].to_vec();
                characters.splice(to..to, copied);
            }
        }
    }
    characters.into_iter().collect()
}

/// Every policy in the tables and among the refusals.
fn seeds() -> Vec<String> {
    fn collect(value: &Value, seeds: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if members.contains_key("Effect") {
                    seeds.push(format!(r#"{{"Version":"2012-10-17","Statement":[{value}]}}"#));
                } else if members.contains_key("Statement") {
                    seeds.push(value.to_string());
                }
                members.values().for_each(|member| collect(member, seeds));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, seeds)),
            _ => {}
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut seeds = Vec::new();
    let tables = std::fs::read_dir(folder.join("tables")).unwrap().map(|entry| entry.unwrap().path());
    for file in tables.chain([folder.join("refusals.json"), folder.join("access.json")]) {
        let text = std::fs::read_to_string(file).unwrap();
        collect(&serde_json::from_str(&text).unwrap(), &mut seeds);
    }
    seeds.sort();
    seeds.dedup();
    seeds
}

#[test]
fn no_text_makes_the_parser_or_the_evaluator_panic() {
    let seeds = seeds();
    assert!(seeds.len() > 300, "only {} policies were found", seeds.len());
    let mut config = ProptestConfig::default();
    config.cases = config.cases.max(20_000);
    let cases = config.cases;
    let accepted = RefCell::new(0);
    let strategy = (any::<Index>(), vec(edit(), 0..4));
    let outcome = TestRunner::new(config).run(&strategy, |(seed, edits)| {
        let text = apply(&seeds[seed.index(seeds.len())], &edits);
        for kind in [Kind::Identity, Kind::Trust, Kind::Resource] {
            let document = match Document::parse(&text, kind) {
                Ok(document) => document,
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    continue;
                }
            };
            *accepted.borrow_mut() += 1;
            let request = Request {
                requester: Some(Requester::Service("sns.amazonaws.com")),
                ..Request::new(
                    "lambda:InvokeFunction",
                    "arn:aws:lambda:us-east-1:000000000000:function:greet",
                    &NoKeys,
                )
            };
            let _ = decide(&request, [&document]);
            prop_assert_eq!(explain(&request, [&document]).len(), document.statements());
            prop_assert!(lint(&text, kind, &[]).is_ok());
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let accepted = accepted.into_inner();
    // Texts that are all refused at the first brace would prove little.
    assert!(accepted >= cases / 20, "only {accepted} of {cases} texts were policies");
}
