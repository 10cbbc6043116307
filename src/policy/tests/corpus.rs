//! The fixed corpus that the benchmark runs on: what it measures must be right, and of every kind.

use std::{collections::BTreeSet, path::Path};

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{Decision, Document, Kind, Request, decide},
    Context,
    reference::{Question, Verdict, judge},
};

#[derive(Deserialize)]
struct Asked {
    action: String,
    resource: String,
    keys: Context,
}

#[test]
fn the_corpus_is_decided_as_the_reference_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/corpus");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let requests: Vec<Asked> = serde_json::from_str(&read("requests.json")).unwrap();
    assert!(requests.len() >= 30);
    for count in [10, 100] {
        let text = read(&format!("{count}-statements.json"));
        let document = Document::parse(&text, Kind::Identity).unwrap();
        assert_eq!(document.statements(), count);
        let policy: Value = serde_json::from_str(&text).unwrap();
        let mut seen = BTreeSet::new();
        for Asked { action, resource, keys } in &requests {
            let verdict = match decide(&Request::new(action, resource, keys), [&document]) {
                Decision::Allow { .. } => Verdict::Allow,
                Decision::ExplicitDeny { .. } => Verdict::Deny,
                Decision::ImplicitDeny => Verdict::Neither,
            };
            let question = Question { action, resource, asking: None, context: keys };
            assert_eq!(
                verdict,
                judge(&question, std::slice::from_ref(&policy)),
                "{count}: {action} {resource}"
            );
            seen.insert(verdict);
        }
        assert_eq!(seen.len(), 3, "{count} statements: only {seen:?}");
    }
}
