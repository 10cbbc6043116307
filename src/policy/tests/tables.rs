//! The decision tables in `policies/tables`, each row put to the fast evaluator and to the slow one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{Decision, Document, Kind, Request, decide, defaults},
    Asking, Context,
    reference::{Question, Verdict, judge},
};

/// A file of rows. Its schema is in `policies/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "source")]
    _source: String,
    #[serde(default)]
    kind: TableKind,
    #[serde(default)]
    policies: BTreeMap<String, Value>,
    #[serde(default)]
    request: Asked,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TableKind {
    #[default]
    Identity,
    Trust,
    Resource,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    why: String,
    policies: Vec<Value>,
    #[serde(default)]
    request: Asked,
    expected: Expected,
}

/// A request; what a row leaves out it takes from its table.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: Option<String>,
    resource: Option<String>,
    from: Option<Asking>,
    keys: Option<Context>,
}

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Deny,
    None,
}

/// The pool of the default trust policies in the tables.
const POOL: &str = "us-east-1:11111111-2222-3333-4444-555555555555";

/// A policy as a row gives it: by name, as a list of statements of version 2012-10-17, or in full.
fn policy(table: &Table, value: &Value) -> Value {
    match value {
        Value::String(name) => match (table.policies.get(name), name.as_str()) {
            (Some(policy), _) => policy_in_full(policy),
            (None, "default:guest") => serde_json::from_str(defaults::GUEST).unwrap(),
            (None, "default:signed-in") => serde_json::from_str(defaults::SIGNED_IN).unwrap(),
            (None, "default:trust-guest") => serde_json::from_str(&defaults::trust_guest(POOL)).unwrap(),
            (None, "default:trust-signed-in") => {
                serde_json::from_str(&defaults::trust_signed_in(POOL)).unwrap()
            }
            (None, other) => panic!("no policy is named {other}"),
        },
        other => policy_in_full(other),
    }
}

fn policy_in_full(value: &Value) -> Value {
    match value {
        Value::Array(statements) => json!({ "Version": "2012-10-17", "Statement": statements }),
        other => other.clone(),
    }
}

fn check(table: &Table, row: &Row) -> Result<(), String> {
    let base = &table.request;
    let action = row.request.action.as_ref().or(base.action.as_ref()).expect("an action");
    let resource = row.request.resource.as_ref().or(base.resource.as_ref()).expect("a resource");
    let asking = row.request.from.as_ref().or(base.from.as_ref());
    let context = row.request.keys.clone().or(base.keys.clone()).unwrap_or_default();
    let kind = match table.kind {
        TableKind::Identity => Kind::Identity,
        TableKind::Trust => Kind::Trust,
        TableKind::Resource => Kind::Resource,
    };
    let policies: Vec<Value> = row.policies.iter().map(|value| policy(table, value)).collect();
    let documents: Vec<Document> = policies
        .iter()
        .map(|policy| Document::parse(&policy.to_string(), kind).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let request = Request { action, resource, requester: asking.map(Asking::requester), keys: &context };
    let fast = match decide(&request, &documents) {
        Decision::Allow { .. } => Expected::Allow,
        Decision::ExplicitDeny { .. } => Expected::Deny,
        Decision::ImplicitDeny => Expected::None,
    };
    let slow = match judge(&Question { action, resource, asking, context: &context }, &policies) {
        Verdict::Allow => Expected::Allow,
        Verdict::Deny => Expected::Deny,
        Verdict::Neither => Expected::None,
    };
    if fast == row.expected && slow == row.expected {
        Ok(())
    } else {
        Err(format!("expected {:?}, decided {fast:?}, the reference says {slow:?}", row.expected))
    }
}

#[test]
fn every_row_of_the_tables_is_decided_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/tables");
    let (mut ids, mut failures) = (BTreeSet::new(), Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let table: Table = serde_json::from_str(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for row in &table.rows {
            assert!(ids.insert(format!("{name}/{}", row.id)), "{name}/{} is there twice", row.id);
            assert!(!row.why.is_empty(), "{name}/{} does not say why", row.id);
            if let Err(problem) = check(&table, row) {
                failures.push(format!("{name}/{} ({}): {problem}", row.id, row.why));
            }
        }
    }
    assert!(failures.is_empty(), "{} rows fail:\n{}", failures.len(), failures.join("\n"));
    // A table that is not found must not pass for one that is right.
    assert!(ids.len() >= 400, "only {} rows were found", ids.len());
}
