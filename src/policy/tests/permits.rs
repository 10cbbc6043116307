//! Permits and the texts of refusals.

use std::sync::Arc;

use super::super::{
    Denial, Document, Keys, Kind, NoKeys, Reason, Request, Values, defaults, permit, permit_root,
};
use crate::base::{AccountId, Caller, Principal};

const GREET: &str = "arn:aws:lambda:us-east-1:000000000000:function:greet";

fn caller(principal: Principal) -> Caller {
    Caller {
        account: AccountId::DEFAULT,
        principal,
        access_key_id: "AKIAEXAMPLE".into(),
        identity: None,
        session: None,
    }
}

fn guest() -> Caller {
    let (role, role_id, session) =
        ("guests".into(), "AROAEXAMPLE".into(), "CognitoIdentityCredentials".into());
    caller(Principal::AssumedRole { role, role_id, session })
}

fn document(statement: &str) -> Arc<Document> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    Arc::new(Document::parse(&text, Kind::Identity).unwrap())
}

fn ask(policies: &[Arc<Document>], session: Option<&[Arc<Document>]>) -> Result<(), Denial> {
    let request = Request::new("lambda:InvokeFunction", GREET, &NoKeys);
    permit(&guest(), &request, policies, session).map(|permit| {
        assert_eq!(permit.account(), AccountId::DEFAULT);
        assert_eq!((permit.action(), permit.resource()), ("lambda:InvokeFunction", GREET));
    })
}

const WHO: &str = "User: arn:aws:sts::000000000000:assumed-role/guests/CognitoIdentityCredentials is not authorized to \
                   perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:greet ";

#[test]
fn refusals_say_what_aws_says() {
    let allow = document(r#"{"Effect":"Allow","Action":"lambda:*","Resource":"*"}"#);
    let deny = document(r#"{"Effect":"Deny","Action":"lambda:Invoke*","Resource":"*"}"#);
    let other = document(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    let (allows, denies, others) = (std::slice::from_ref(&allow), &[allow.clone(), deny], &[other]);
    let refused = |policies: &[Arc<Document>], session: Option<&[Arc<Document>]>| {
        let denial = ask(policies, session).unwrap_err();
        (denial.to_string().strip_prefix(WHO).unwrap().to_owned(), denial.explicit())
    };
    let nothing =
        |policy: &str| format!("because no {policy} policy allows the lambda:InvokeFunction action");
    assert_eq!(ask(allows, None), Ok(()));
    assert_eq!(ask(allows, Some(allows)), Ok(()));
    assert_eq!(refused(&[], None), (nothing("identity-based"), false));
    assert_eq!(refused(others, None), (nothing("identity-based"), false));
    assert_eq!(refused(denies, None), ("with an explicit deny in an identity-based policy".to_owned(), true));
    assert_eq!(refused(allows, Some(others)), (nothing("session"), false));
    assert_eq!(refused(allows, Some(&[])), (nothing("session"), false));
    assert_eq!(refused(allows, Some(denies)), ("with an explicit deny in a session policy".to_owned(), true));
    // A session policy takes away and never gives.
    assert_eq!(refused(others, Some(allows)), (nothing("identity-based"), false));
    assert_eq!(refused(others, Some(denies)), ("with an explicit deny in a session policy".to_owned(), true));
}

#[test]
fn the_reason_names_the_statement() {
    let policies = [
        document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
        document(
            r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"*","Resource":"*"}"#,
        ),
    ];
    let Err(Denial { reason: Reason::IdentityDenies(by), .. }) = ask(&policies, None) else { panic!() };
    assert_eq!((by.document, by.statement), (1, 1));
    assert_eq!(policies[by.document].sid(by.statement), Some("No"));
    assert_eq!(policies[1].statements(), 2);
}

#[test]
fn root_needs_no_policy_and_nobody_else_passes_for_root() {
    let root = caller(Principal::Root);
    assert!(permit_root(&root, "lambda:DeleteFunction", GREET).is_ok());
    let request = Request::new("lambda:DeleteFunction", GREET, &NoKeys);
    let deny = document(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
    assert!(permit(&root, &request, [deny], None).is_ok(), "an identity policy does not bind the root");
    let denial = permit_root(&guest(), "lambda:DeleteFunction", GREET).unwrap_err();
    assert_eq!(denial.reason, Reason::IdentityAllowsNot);
}

#[test]
fn another_account_must_have_its_say() {
    let theirs = "arn:aws:lambda:us-east-1:999999999999:function:greet";
    let allow = document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let request = Request::new("lambda:InvokeFunction", theirs, &NoKeys);
    for caller in [caller(Principal::Root), guest()] {
        let denial = permit(&caller, &request, [&allow], None).unwrap_err();
        assert_eq!(denial.reason, Reason::ResourceAllowsNot);
        assert!(
            denial
                .to_string()
                .ends_with("because no resource-based policy allows the lambda:InvokeFunction action")
        );
    }
    // Actions without a resource, and resources whose ARN has no account, are the caller's own affair.
    for resource in ["*", "arn:aws:s3:::bucket"] {
        assert!(permit(&guest(), &Request::new("s3:Get", resource, &NoKeys), [&allow], None).is_ok());
    }
}

/// Answers one key and fails the test for any other.
#[derive(Debug)]
struct Only(&'static str, &'static str);

impl Keys for Only {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        assert_eq!(key, self.0, "nobody needs this key");
        Some(Values::one(self.1))
    }
}

#[test]
fn keys_are_asked_only_for_statements_in_question() {
    let policies = [
        document(
            r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Null":{"aws:username":"false"}}}"#,
        ),
        document(
            r#"{"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:000000000000:function:other",
                "Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
        ),
        Arc::new(Document::parse(defaults::GUEST, Kind::Identity).unwrap()),
    ];
    let keys = Only("aws:resourcetag/callgate:allow", "guests");
    let request = Request::new("lambda:InvokeFunction", GREET, &keys);
    assert!(permit(&guest(), &request, &policies, None).is_ok());
}
