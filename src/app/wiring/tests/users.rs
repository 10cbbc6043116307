//! Users, their keys and policies: what is changed holds from the next call on.

use http::StatusCode;
use serde_json::{Value, json};

use super::{requests::Asked, stand::Stand};
use crate::app::client::sign::Credentials;

const LIST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}"#;
const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ListRoles","Resource":"*"}]}"#;
const POLICY: &str = "arn:aws:iam::000000000000:policy/list";

async fn iam(stand: &Stand, name: &str, input: Value) -> super::stand::Answer {
    stand.root(&Asked::iam(name, input)).await
}

/// A user with an access key.
pub(super) async fn user(stand: &Stand, name: &str) -> Credentials {
    iam(stand, "CreateUser", json!({"UserName": name, "Path": "/staff/"})).await;
    key(stand, name).await
}

async fn key(stand: &Stand, name: &str) -> Credentials {
    let made = iam(stand, "CreateAccessKey", json!({"UserName": name})).await;
    Credentials {
        access_key_id: made.element("AccessKeyId"),
        secret: made.element("SecretAccessKey").into(),
        session_token: None,
    }
}

async fn code(stand: &Stand, who: &Credentials) -> String {
    stand.ask(Some(who), &Asked::iam("ListRoles", json!({}))).await.code
}

#[tokio::test]
async fn a_key_is_switched_off_and_on_and_deleted_from_the_next_call_on() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    iam(&stand, "PutUserPolicy", json!({"UserName": "ann", "PolicyName": "p", "PolicyDocument": LIST})).await;
    assert_eq!(code(&stand, &ann).await, "");
    let second = key(&stand, "ann").await;
    let third =
        stand.ask(Some(&stand.root), &Asked::iam("CreateAccessKey", json!({"UserName": "ann"}))).await;
    assert_eq!((third.status, third.code.as_str()), (StatusCode::CONFLICT, "LimitExceeded"));
    let set = |status: &str| json!({"UserName": "ann", "AccessKeyId": ann.access_key_id, "Status": status});
    iam(&stand, "UpdateAccessKey", set("Inactive")).await;
    assert_eq!(code(&stand, &ann).await, "InvalidClientTokenId");
    assert_eq!(code(&stand, &second).await, "", "the other key goes on");
    iam(&stand, "UpdateAccessKey", set("Active")).await;
    assert_eq!(code(&stand, &ann).await, "");
    iam(&stand, "DeleteAccessKey", json!({"UserName": "ann", "AccessKeyId": ann.access_key_id})).await;
    assert_eq!(code(&stand, &ann).await, "InvalidClientTokenId");
    let listed = iam(&stand, "ListAccessKeys", json!({"UserName": "ann"})).await.body;
    assert!(listed.contains(&second.access_key_id) && !listed.contains(&ann.access_key_id), "{listed}");
    assert!(!listed.contains("Secret"), "{listed}");
}

#[tokio::test]
async fn a_user_who_has_something_is_not_deleted() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    let delete = Asked::iam("DeleteUser", json!({"UserName": "ann"}));
    assert_eq!(stand.ask(Some(&stand.root), &delete).await.code, "DeleteConflict");
    iam(&stand, "DeleteAccessKey", json!({"UserName": "ann", "AccessKeyId": ann.access_key_id})).await;
    iam(&stand, "CreatePolicy", json!({"PolicyName": "list", "PolicyDocument": LIST})).await;
    iam(&stand, "AttachUserPolicy", json!({"UserName": "ann", "PolicyArn": POLICY})).await;
    assert_eq!(stand.ask(Some(&stand.root), &delete).await.code, "DeleteConflict");
    iam(&stand, "DetachUserPolicy", json!({"UserName": "ann", "PolicyArn": POLICY})).await;
    stand.root(&delete).await;
    assert_eq!(stand.ask(Some(&stand.root), &delete).await.code, "NoSuchEntity");
}

#[tokio::test]
async fn a_managed_policy_counts_where_it_is_attached_by_its_default_version() {
    let stand = Stand::new().await;
    let (ann, bob) = (user(&stand, "ann").await, user(&stand, "bob").await);
    iam(&stand, "CreatePolicy", json!({"PolicyName": "list", "PolicyDocument": LIST})).await;
    assert_eq!(code(&stand, &ann).await, "AccessDenied");
    iam(&stand, "AttachUserPolicy", json!({"UserName": "ann", "PolicyArn": POLICY})).await;
    assert_eq!(code(&stand, &ann).await, "");
    assert_eq!(code(&stand, &bob).await, "AccessDenied");
    iam(&stand, "CreatePolicyVersion", json!({"PolicyArn": POLICY, "PolicyDocument": DENY})).await;
    assert_eq!(code(&stand, &ann).await, "", "not the default yet");
    iam(&stand, "SetDefaultPolicyVersion", json!({"PolicyArn": POLICY, "VersionId": "v2"})).await;
    assert_eq!(code(&stand, &ann).await, "AccessDenied");
    let delete = Asked::iam("DeletePolicy", json!({"PolicyArn": POLICY}));
    assert_eq!(stand.ask(Some(&stand.root), &delete).await.code, "DeleteConflict", "it is attached");
    iam(&stand, "PutUserPolicy", json!({"UserName": "ann", "PolicyName": "p", "PolicyDocument": LIST})).await;
    assert_eq!(code(&stand, &ann).await, "AccessDenied", "a Deny wins");
    iam(&stand, "DetachUserPolicy", json!({"UserName": "ann", "PolicyArn": POLICY})).await;
    assert_eq!(code(&stand, &ann).await, "");
    assert_eq!(stand.ask(Some(&stand.root), &delete).await.code, "DeleteConflict", "it has two versions");
    iam(&stand, "DeletePolicyVersion", json!({"PolicyArn": POLICY, "VersionId": "v1"})).await;
    stand.root(&delete).await;
}

#[tokio::test]
async fn a_user_is_named_by_its_path_in_arns_and_may_ask_for_itself() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    let who = stand.ask(Some(&ann), &Asked::sts("GetCallerIdentity", json!({}))).await;
    assert_eq!(who.element("Arn"), "arn:aws:iam::000000000000:user/staff/ann");
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:*AccessKey*"],
        "Resource":"arn:aws:iam::*:user/staff/${aws:username}"}]}"#;
    iam(&stand, "PutUserPolicy", json!({"UserName": "ann", "PolicyName": "own", "PolicyDocument": own}))
        .await;
    let got = stand.ask(Some(&ann), &Asked::iam("GetUser", json!({}))).await;
    assert_eq!(got.element("UserName"), "ann");
    assert_eq!(stand.ask(Some(&ann), &Asked::iam("CreateAccessKey", json!({}))).await.code, "");
    user(&stand, "bob").await;
    let other = Asked::iam("CreateAccessKey", json!({"UserName": "bob"}));
    assert_eq!(stand.ask(Some(&ann), &other).await.code, "AccessDenied");
    let roots = stand.ask(Some(&stand.root), &Asked::iam("CreateAccessKey", json!({}))).await;
    assert_eq!(roots.code, "ValidationError", "the root's key is the operator's");
}
