//! The rules in `docs/policies.md` are what they say they are: each is a policy, and the linter has nothing against it.

use super::super::{Kind, lint};

#[test]
fn every_rule_of_the_document_is_a_policy_without_findings() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut rules = 0;
    for part in text.split("<!-- policy: ").skip(1) {
        let (kind, rest) = part.split_once(" -->").unwrap();
        let kind = match kind {
            "identity" => Kind::Identity,
            "trust" => Kind::Trust,
            "resource" => Kind::Resource,
            other => panic!("no kind {other}"),
        };
        let (policy, _) = rest.split_once("```json").unwrap().1.split_once("```").unwrap();
        match lint(policy, kind, &[]) {
            Ok(findings) => assert_eq!(findings, [], "{policy}"),
            Err(error) => panic!("{policy}: {error}"),
        }
        rules += 1;
    }
    assert!(rules >= 10, "only {rules} rules were found");
}
