//! The linter: each rule on a policy that breaks it and on one that does not.

use serde_json::{Value, json};

use super::super::{Kind, defaults, lint};

const ACTIONS: [&str; 4] =
    ["lambda:InvokeFunction", "lambda:GetFunction", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"];

/// The rules that a policy breaks.
fn rules(kind: Kind, policy: &str) -> Vec<&'static str> {
    lint(policy, kind, &ACTIONS).unwrap().into_iter().map(|finding| finding.rule).collect()
}

fn of(kind: Kind, statements: &Value) -> Vec<&'static str> {
    rules(kind, &json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

fn allow(condition: &Value) -> Value {
    json!({ "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*", "Condition": condition })
}

#[test]
fn the_defaults_are_clean_but_for_what_they_are() {
    let pool = "us-east-1:11111111-2222-3333-4444-555555555555";
    assert_eq!(rules(Kind::Identity, defaults::GUEST), [""; 0]);
    assert_eq!(rules(Kind::Identity, defaults::SIGNED_IN), [""; 0]);
    assert_eq!(rules(Kind::Trust, &defaults::trust_signed_in(pool)), [""; 0]);
    assert_eq!(rules(Kind::Trust, &defaults::trust_guest(pool)), ["guest-role"]);
}

#[test]
fn identity_policies() {
    for (statements, expected) in [
        (json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }), vec!["allows-everything"]),
        (json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }), vec![]),
        (
            json!({ "Effect": "Allow", "NotAction": "lambda:GetFunction", "Resource": "*" }),
            vec!["allows-all-but"],
        ),
        (json!({ "Effect": "Allow", "Action": "lambda:Invok", "Resource": "*" }), vec!["unknown-action"]),
        (
            json!({ "Effect": "Allow", "Action": ["LAMBDA:invoke*", "s3:*"], "Resource": "*" }),
            vec!["unknown-action"],
        ),
        (allow(&json!({ "StringEquals": { "aws:Nonsense": "a" } })), vec!["unknown-key"]),
        (allow(&json!({ "StringEquals": { "AWS:PrincipalTag/Team": "a" } })), vec![]),
        (allow(&json!({ "StringEquals": { "callgate:Platform": "Android" } })), vec!["device-claim"]),
        (
            allow(
                &json!({ "NumericGreaterThan": { "callgate:AppVersionCode": "41" }, "Bool": { "callgate:SignedIn": "true" } }),
            ),
            vec![],
        ),
        (
            json!([
                { "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*" },
                { "Effect": "Deny", "Action": "lambda:*", "Resource": "*",
                  "Condition": { "NumericLessThan": { "callgate:AppVersionCode": "41" } } },
            ]),
            vec![],
        ),
        (allow(&json!({ "ForAllValues:StringEquals": { "aws:TagKeys": "a" } })), vec!["for-all-values"]),
        (
            allow(
                &json!({ "ForAllValues:StringEquals": { "aws:TagKeys": "a" }, "Null": { "aws:TagKeys": "false" } }),
            ),
            vec![],
        ),
        (allow(&json!({ "StringEquals": { "aws:TagKeys": "a" } })), vec!["set-operator"]),
        (allow(&json!({ "ForAnyValue:StringEquals": { "aws:username": "a" } })), vec!["set-operator"]),
        (allow(&json!({ "StringEquals": { "aws:username": [] } })), vec!["no-values"]),
        (
            json!([
                { "Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "arn:aws:lambda:*:*:function:a" },
                { "Effect": "Deny", "Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:*" },
            ]),
            vec!["unreachable"],
        ),
        (
            json!([
                { "Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*" },
                { "Effect": "Deny", "Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:*" },
            ]),
            vec![],
        ),
        (
            json!([
                { "Sid": "A", "Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*" },
                { "Sid": "B", "Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*" },
            ]),
            vec!["unreachable"],
        ),
    ] {
        assert_eq!(of(Kind::Identity, &statements), expected, "{statements}");
    }
    let old = r#"{"Statement":{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"arn:aws:lambda:*:*:function:${aws:username}"}}"#;
    assert_eq!(rules(Kind::Identity, old), ["variable-in-old-version"]);
    assert!(lint("{}", Kind::Identity, &ACTIONS).is_err());
}

#[test]
fn policies_of_resources_and_roles() {
    let invoke = |principal: Value, condition: Value| {
        json!({ "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": "*",
                "Condition": condition })
    };
    for (statement, expected) in [
        (invoke(json!("*"), json!({})), vec!["everyone"]),
        (
            invoke(json!({ "AWS": ["*"] }), json!({ "StringEquals": { "callgate:Platform": "iOS" } })),
            vec!["everyone", "device-claim"],
        ),
        (invoke(json!("*"), json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } })), vec![]),
        (invoke(json!("*"), json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-1" } })), vec!["everyone"]),
        (invoke(json!({ "Service": "s3.amazonaws.com" }), json!({})), vec!["confused-deputy"]),
        (
            invoke(
                json!({ "Service": "s3.amazonaws.com" }),
                json!({ "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::b" } }),
            ),
            vec![],
        ),
        (
            json!({ "Effect": "Deny", "NotPrincipal": "*", "Action": "lambda:InvokeFunction", "Resource": "*" }),
            vec!["unreachable"],
        ),
    ] {
        assert_eq!(of(Kind::Resource, &statement), expected, "{statement}");
    }
    let trust = |condition: Value| {
        json!({ "Effect": "Allow", "Principal": { "Federated": "cognito-identity.amazonaws.com" },
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition })
    };
    assert_eq!(of(Kind::Trust, &trust(json!({}))), ["any-pool", "guest-role"]);
    let aud = json!({ "cognito-identity.amazonaws.com:aud": "us-east-1:1" });
    assert_eq!(of(Kind::Trust, &trust(json!({ "StringEquals": aud }))), ["guest-role"]);
    for (amr, expected) in [("authenticated", vec![]), ("*", vec!["guest-role"]), ("un*", vec!["guest-role"])]
    {
        let condition = json!({
            "StringEquals": aud,
            "ForAnyValue:StringLike": { "cognito-identity.amazonaws.com:amr": amr },
        });
        assert_eq!(of(Kind::Trust, &trust(condition)), expected, "{amr}");
    }
}
