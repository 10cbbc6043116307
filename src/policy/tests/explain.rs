//! Explanations agree with decisions, and name what did not fit.

use serde_json::json;

use super::{
    super::{Document, Kind, Mismatch, Request, Requester, explain},
    Context,
};

const GREET: &str = "arn:aws:lambda:us-east-1:000000000000:function:greet";

fn document(statements: &serde_json::Value, kind: Kind) -> Document {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    Document::parse(&policy.to_string(), kind).unwrap()
}

#[test]
fn what_does_not_fit_is_named() {
    let policy = document(
        &json!([
            { "Sid": "Fits", "Effect": "Allow", "Action": "lambda:*", "Resource": "*" },
            { "Effect": "Deny", "Action": "lambda:Get*", "Resource": "arn:aws:lambda:*:*:function:other" },
            { "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": GREET,
              "Condition": { "StringLike": { "aws:PrincipalTag/Team": ["blue*", "red"] }, "Bool": { "aws:SecureTransport": true } } },
        ]),
        Kind::Identity,
    );
    let keys: Context = serde_json::from_value(json!({ "aws:PrincipalTag/team": "green" })).unwrap();
    let explained = explain(&Request::new("lambda:invokeFunction", GREET, &keys), [&policy]);
    let [fits, other, nearly] = explained.as_slice() else { panic!("{explained:?}") };
    assert!(fits.matches());
    assert_eq!((fits.sid.as_deref(), fits.effect, fits.statement), (Some("Fits"), "Allow", 0));
    assert_eq!(other.mismatches, [Mismatch::Action, Mismatch::Resource]);
    assert_eq!(other.effect, "Deny");
    let mut unmet = nearly.mismatches.clone();
    unmet.sort_by_key(|mismatch| format!("{mismatch:?}"));
    assert_eq!(
        unmet,
        [
            Mismatch::Condition {
                operator: "Bool".to_owned(),
                key: "aws:SecureTransport".to_owned(),
                wanted: vec!["true".to_owned()],
                found: None,
            },
            Mismatch::Condition {
                operator: "StringLike".to_owned(),
                key: "aws:PrincipalTag/Team".to_owned(),
                wanted: vec!["blue*".to_owned(), "red".to_owned()],
                found: Some(vec!["green".to_owned()]),
            },
        ]
    );
    assert!(!nearly.nearly() && !nearly.matches());
    let text = serde_json::to_value(&explained[1]).unwrap();
    let expected = json!({ "Document": 0, "Statement": 1, "Effect": "Deny",
                           "Mismatches": [{ "Element": "Action" }, { "Element": "Resource" }] });
    assert_eq!(text, expected);
}

#[test]
fn an_account_that_is_named_is_only_delegated_to() {
    let allow = |principal: &str| json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "lambda:*", "Resource": "*" });
    let user = "arn:aws:iam::000000000000:user/anna";
    let policy =
        document(&json!([allow("000000000000"), allow(user), allow("999999999999")]), Kind::Resource);
    let context = Context::default();
    let request = Request {
        requester: Some(Requester::Aws { account: "000000000000", arn: user, role_arn: None }),
        ..Request::new("lambda:GetPolicy", GREET, &context)
    };
    let explained = explain(&request, [&policy]);
    let outcomes: Vec<_> = explained.iter().map(|one| (one.matches(), one.delegates)).collect();
    assert_eq!(outcomes, [(true, true), (true, false), (false, false)]);
    assert_eq!(explained[2].mismatches, [Mismatch::Principal]);
    assert!(explained[2].nearly());
}
