//! Sessions of roles: who may have one, what they may do, and what they are seen as.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    requests::Asked,
    stand::{Answer, Stand},
    users::user,
};
use crate::{api::Service, app::client::sign::Credentials, base::Clock};

const ROLE: &str = "arn:aws:iam::000000000000:role/worker";
const LIST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListRoles","iam:ListUsers"],"Resource":"*"}]}"#;
const ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}"#;

fn trust(principal: &str, more: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
            "Action":["sts:AssumeRole","sts:TagSession"]{more}}}]}}"#
    )
}

async fn role(stand: &Stand, name: &str, trust: &str) {
    let made = json!({"RoleName": name, "AssumeRolePolicyDocument": trust, "MaxSessionDuration": "7200"});
    stand.root(&Asked::iam("CreateRole", made)).await;
    let put = json!({"RoleName": name, "PolicyName": "list", "PolicyDocument": LIST});
    stand.root(&Asked::iam("PutRolePolicy", put)).await;
}

async fn may_assume(stand: &Stand, name: &str) {
    let put = json!({"UserName": name, "PolicyName": "assume", "PolicyDocument": ASSUME});
    stand.root(&Asked::iam("PutUserPolicy", put)).await;
}

fn assume(more: Value) -> Asked {
    let mut input = json!({"RoleArn": ROLE, "RoleSessionName": "work"});
    let Value::Object(more) = more else { panic!("{more} has no members") };
    input.as_object_mut().unwrap().extend(more);
    Asked::sts("AssumeRole", input)
}

async fn code(stand: &Stand, who: &Credentials, asked: &Asked) -> String {
    stand.ask(Some(who), asked).await.code
}

async fn session(stand: &Stand, who: &Credentials, more: Value) -> Credentials {
    let answer: Answer = stand.ask(Some(who), &assume(more)).await;
    assert_eq!(answer.code, "", "{answer:?}");
    answer.credentials()
}

#[tokio::test]
async fn both_sides_have_their_say_unless_the_role_names_the_caller() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    role(&stand, "worker", &trust("000000000000", "")).await;
    assert_eq!(code(&stand, &ann, &assume(json!({}))).await, "AccessDenied", "her policies do not allow it");
    may_assume(&stand, "ann").await;
    let given = stand.ask(Some(&ann), &assume(json!({}))).await;
    assert_eq!(given.element("Arn"), "arn:aws:sts::000000000000:assumed-role/worker/work");
    let worker = given.credentials();
    assert_eq!(code(&stand, &worker, &Asked::iam("ListRoles", json!({}))).await, "");
    assert_eq!(
        code(&stand, &worker, &Asked::iam("GetRole", json!({"RoleName": "worker"}))).await,
        "AccessDenied"
    );

    let set = |trust: String| {
        Asked::iam("UpdateAssumeRolePolicy", json!({"RoleName": "worker", "PolicyDocument": trust}))
    };
    stand.root(&set(trust("arn:aws:iam::000000000000:user/staff/bob", ""))).await;
    assert_eq!(code(&stand, &ann, &assume(json!({}))).await, "AccessDenied", "the role trusts bob alone");
    let bob = user(&stand, "bob").await;
    assert_eq!(code(&stand, &bob, &assume(json!({}))).await, "", "named, so without policies of his own");
    assert_eq!(
        code(&stand, &stand.root, &assume(json!({}))).await,
        "AccessDenied",
        "roots do not assume roles"
    );
}

#[tokio::test]
async fn another_account_needs_both_sides() {
    let stand = Stand::new().await;
    let root = stand.stranger("111111111111").await;
    let as_stranger = async |name: &str, input: Value| stand.ask(Some(&root), &Asked::iam(name, input)).await;
    as_stranger("CreateUser", json!({"UserName": "eve"})).await;
    let made = as_stranger("CreateAccessKey", json!({"UserName": "eve"})).await;
    let eve = Credentials {
        access_key_id: made.element("AccessKeyId"),
        secret: made.element("SecretAccessKey").into(),
        session_token: None,
    };
    role(&stand, "worker", &trust("arn:aws:iam::111111111111:user/eve", "")).await;
    assert_eq!(
        code(&stand, &eve, &assume(json!({}))).await,
        "AccessDenied",
        "her own account must allow it too"
    );
    as_stranger("PutUserPolicy", json!({"UserName": "eve", "PolicyName": "p", "PolicyDocument": ASSUME}))
        .await;
    let worker = session(&stand, &eve, json!({})).await;
    assert_eq!(code(&stand, &worker, &Asked::iam("ListRoles", json!({}))).await, "");
    let set = json!({"RoleName": "worker", "PolicyDocument": trust("000000000000", "")});
    stand.root(&Asked::iam("UpdateAssumeRolePolicy", set)).await;
    assert_eq!(code(&stand, &eve, &assume(json!({}))).await, "AccessDenied");
}

#[tokio::test]
async fn an_external_id_is_asked_for() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    may_assume(&stand, "ann").await;
    let wanted = r#","Condition":{"StringEquals":{"sts:ExternalId":"secret-1"}}"#;
    role(&stand, "worker", &trust("000000000000", wanted)).await;
    for (given, expected) in [
        (json!({}), "AccessDenied"),
        (json!({"ExternalId": "secret-2"}), "AccessDenied"),
        (json!({"ExternalId": "secret-1"}), ""),
    ] {
        assert_eq!(code(&stand, &ann, &assume(given)).await, expected);
    }
}

#[tokio::test]
async fn session_policies_take_away_and_never_give() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    may_assume(&stand, "ann").await;
    role(&stand, "worker", &trust("000000000000", "")).await;
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let roles_only = LIST.replace(r#","iam:ListUsers""#, "");
    let wide = session(&stand, &ann, json!({"Policy": everything})).await;
    let narrow = session(&stand, &ann, json!({"Policy": roles_only})).await;
    stand
        .root(&Asked::iam("CreatePolicy", json!({"PolicyName": "roles", "PolicyDocument": roles_only})))
        .await;
    let arns = json!({"PolicyArns.member.1.arn": "arn:aws:iam::000000000000:policy/roles"});
    let managed = session(&stand, &ann, arns).await;
    let (roles, users) = (Asked::iam("ListRoles", json!({})), Asked::iam("ListUsers", json!({})));
    let delete = Asked::iam("DeleteRole", json!({"RoleName": "worker"}));
    assert_eq!(code(&stand, &wide, &users).await, "");
    assert_eq!(
        code(&stand, &wide, &delete).await,
        "AccessDenied",
        "what the role may not, the session may not"
    );
    for who in [&narrow, &managed] {
        assert_eq!(code(&stand, who, &roles).await, "");
        let refused = stand.ask(Some(who), &users).await;
        assert_eq!(refused.code, "AccessDenied");
        assert!(
            refused.body.contains("because no session policy allows the iam:ListUsers action"),
            "{refused:?}"
        );
    }
    let broken = stand.ask(Some(&ann), &assume(json!({"Policy": "{,}"}))).await;
    assert_eq!(broken.code, "MalformedPolicyDocument");
    let unknown = json!({"PolicyArns.member.1.arn": "arn:aws:iam::000000000000:policy/nothing"});
    assert_eq!(code(&stand, &ann, &assume(unknown)).await, "ValidationError");
}

#[tokio::test]
async fn tags_are_principal_tags_and_the_transitive_ones_go_on() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    may_assume(&stand, "ann").await;
    role(&stand, "worker", &trust("000000000000", "")).await;
    let blue = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}},
        {"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}"#;
    stand
        .root(&Asked::iam(
            "PutRolePolicy",
            json!({"RoleName": "worker", "PolicyName": "t", "PolicyDocument": blue}),
        ))
        .await;
    let get = Asked::iam("GetRole", json!({"RoleName": "worker"}));
    let tagged = |team: &str, more: Value| {
        let mut input = json!({"Tags.member.1.Key": "team", "Tags.member.1.Value": team});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let red = session(&stand, &ann, tagged("red", json!({}))).await;
    assert_eq!(code(&stand, &red, &get).await, "AccessDenied");
    let plain = session(&stand, &ann, tagged("blue", json!({}))).await;
    assert_eq!(code(&stand, &plain, &get).await, "");
    let plain_child = session(&stand, &plain, json!({})).await;
    assert_eq!(code(&stand, &plain_child, &get).await, "AccessDenied", "the tag ended with its session");
    let transitive =
        session(&stand, &ann, tagged("blue", json!({"TransitiveTagKeys.member.1": "team"}))).await;
    let child = session(&stand, &transitive, json!({})).await;
    let grandchild = session(&stand, &child, json!({})).await;
    assert_eq!(code(&stand, &grandchild, &get).await, "");
    assert_eq!(code(&stand, &child, &assume(tagged("red", json!({})))).await, "InvalidParameterValue");
    let nobody = tagged("blue", json!({"TransitiveTagKeys.member.1": "other"}));
    assert_eq!(code(&stand, &ann, &assume(nobody)).await, "ValidationError");

    let only_assume = ASSUME.replace(r#","sts:TagSession""#, "");
    let put = json!({"UserName": "ann", "PolicyName": "assume", "PolicyDocument": only_assume});
    stand.root(&Asked::iam("PutUserPolicy", put)).await;
    assert_eq!(code(&stand, &ann, &assume(json!({}))).await, "");
    assert_eq!(code(&stand, &ann, &assume(tagged("blue", json!({})))).await, "AccessDenied");
}

#[tokio::test]
async fn durations_have_bounds_and_chains_an_hour() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    may_assume(&stand, "ann").await;
    role(&stand, "worker", &trust("000000000000", "")).await;
    let put = json!({"RoleName": "worker", "PolicyName": "assume", "PolicyDocument": ASSUME});
    stand.root(&Asked::iam("PutRolePolicy", put)).await;
    let lasting = |seconds: &str| assume(json!({"DurationSeconds": seconds}));
    for (seconds, expected) in [
        ("899", "ValidationError"),
        ("900", ""),
        ("7200", ""),
        ("7201", "ValidationError"),
        ("43201", "ValidationError"),
    ] {
        assert_eq!(code(&stand, &ann, &lasting(seconds)).await, expected, "{seconds}");
    }
    let worker = session(&stand, &ann, json!({"DurationSeconds": "900"})).await;
    assert_eq!(code(&stand, &worker, &lasting("3600")).await, "");
    assert_eq!(code(&stand, &worker, &lasting("3601")).await, "ValidationError");
    stand.clock().advance(Duration::from_secs(900));
    assert_eq!(code(&stand, &worker, &Asked::iam("ListRoles", json!({}))).await, "ExpiredToken");
}

#[tokio::test]
async fn get_session_token_is_the_same_user_and_needs_a_long_lived_key() {
    let stand = Stand::new().await;
    let ann = user(&stand, "ann").await;
    let get = Asked::sts("GetSessionToken", json!({}));
    let given = stand.ask(Some(&ann), &get).await;
    let end = stand.clock().now().plus(Duration::from_secs(43_200)).iso8601_seconds();
    assert_eq!(given.element("Expiration"), end);
    let session = given.credentials();
    let who = stand.ask(Some(&session), &Asked::sts("GetCallerIdentity", json!({}))).await;
    assert_eq!(who.element("Arn"), "arn:aws:iam::000000000000:user/staff/ann");
    assert_eq!(code(&stand, &session, &get).await, "AccessDenied");
    let list = Asked::iam("ListRoles", json!({}));
    assert_eq!(code(&stand, &session, &list).await, "AccessDenied");
    let put = json!({"UserName": "ann", "PolicyName": "list", "PolicyDocument": LIST});
    stand.root(&Asked::iam("PutUserPolicy", put)).await;
    assert_eq!(code(&stand, &session, &list).await, "", "her policies as they are now");

    // Another user of the same name has not given this session.
    stand.root(&Asked::iam("DeleteUserPolicy", json!({"UserName": "ann", "PolicyName": "list"}))).await;
    stand
        .root(&Asked::iam("DeleteAccessKey", json!({"UserName": "ann", "AccessKeyId": ann.access_key_id})))
        .await;
    stand.root(&Asked::iam("DeleteUser", json!({"UserName": "ann"}))).await;
    user(&stand, "ann").await;
    let put = json!({"UserName": "ann", "PolicyName": "list", "PolicyDocument": LIST});
    stand.root(&Asked::iam("PutUserPolicy", put)).await;
    assert_eq!(code(&stand, &session, &list).await, "AccessDenied");
    let mfa = Asked::sts("GetSessionToken", json!({"SerialNumber": "GAHT12345678", "TokenCode": "123456"}));
    let refused = stand.ask(Some(&stand.root), &mfa).await;
    assert!(refused.body.contains("SerialNumber is not supported by Callgate"), "{refused:?}");
}

#[tokio::test]
async fn the_basic_flow_gives_a_guests_token_its_role_and_keeps_the_identity() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    let web = |role: &str, token: &str| {
        let arn = format!("arn:aws:iam::000000000000:role/{role}");
        Asked::sts(
            "AssumeRoleWithWebIdentity",
            json!({"RoleArn": arn, "RoleSessionName": "app-1", "WebIdentityToken": token}),
        )
    };
    let given = stand.ask(None, &web("guests", &guest.token)).await;
    assert_eq!(given.element("SubjectFromWebIdentityToken"), guest.identity);
    assert_eq!(given.element("Audience"), guest.pool);
    assert_eq!(given.element("Provider"), "cognito-identity.amazonaws.com");
    let sessions = &stand.gateway.gate.authn;
    let claims = sessions.session(&given.element("SessionToken"), &given.element("AccessKeyId")).unwrap();
    let identity = claims.identity.as_ref().unwrap();
    assert_eq!((&identity.identity_id, &identity.pool_id), (&guest.identity, &guest.pool));
    assert_eq!(claims.origin.identity_id.as_ref(), Some(&guest.identity));

    // A role that trusts other pools, one that trusts users, one that is not there.
    role(&stand, "other", &crate::policy::defaults::trust_guest("us-east-1:another")).await;
    role(&stand, "worker", &trust("*", "")).await;
    for name in ["other", "worker", "nothing"] {
        assert_eq!(stand.ask(None, &web(name, &guest.token)).await.code, "AccessDenied", "{name}");
    }
    let (head, signature) = guest.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for token in ["none", "a.b.c", &forged] {
        assert_eq!(stand.ask(None, &web("guests", token)).await.code, "InvalidIdentityToken", "{token}");
    }
    stand.clock().advance(Duration::from_secs(631));
    assert_eq!(stand.ask(None, &web("guests", &guest.token)).await.code, "ExpiredTokenException");
}

#[tokio::test]
async fn after_assume_role_there_is_no_identity_but_its_origin() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    role(&stand, "worker", &trust("arn:aws:iam::000000000000:role/guests", "")).await;
    let given = stand.ask(Some(&guest.credentials), &assume(json!({}))).await;
    let sessions = &stand.gateway.gate.authn;
    let claims = sessions.session(&given.element("SessionToken"), &given.element("AccessKeyId")).unwrap();
    assert_eq!(claims.identity, None);
    assert_eq!(claims.origin.identity_id.as_ref(), Some(&guest.identity));
    assert_eq!(claims.origin.access_keys, std::slice::from_ref(&guest.credentials.access_key_id));
    assert_eq!(claims.origin.principals, ["000000000000:role/guests", "000000000000:role/worker"]);
}

#[tokio::test]
async fn a_form_is_as_large_as_its_service_needs() {
    let stand = Stand::new().await;
    let routes = &stand.gateway.gate.routes;
    let largest = |service| {
        let specs =
            routes.entries().map(crate::edge::routes::Entry::spec).filter(|spec| spec.service == service);
        specs.map(|spec| spec.body_bytes_max).max().unwrap()
    };
    assert_eq!(routes.form_bytes_max(Some("iam")), largest(Service::Iam));
    assert_eq!(routes.form_bytes_max(Some("sts")), largest(Service::Sts));
    assert_eq!(routes.form_bytes_max(None), largest(Service::Sts));
    assert!(largest(Service::Iam) > largest(Service::Sts));
}

/// Each as an attacker would who has them from before.
#[tokio::test]
async fn a_revoked_identity_has_no_way_out_through_roles_and_tokens() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    role(&stand, "worker", &trust("*", "")).await;
    let put = json!({"RoleName": "worker", "PolicyName": "assume", "PolicyDocument": ASSUME});
    stand.root(&Asked::iam("PutRolePolicy", put)).await;
    let arn = "arn:aws:iam::000000000000:role/guests";
    let web = json!({"RoleArn": arn, "RoleSessionName": "app", "WebIdentityToken": guest.token});
    let exchange = Asked::sts("AssumeRoleWithWebIdentity", web);
    let basic = stand.ask(None, &exchange).await.credentials();
    let child = session(&stand, &guest.credentials, json!({})).await;
    let grandchild = session(&stand, &child, json!({})).await;
    let of_basic = session(&stand, &basic, json!({})).await;
    let (list, who) = (Asked::iam("ListRoles", json!({})), Asked::sts("GetCallerIdentity", json!({})));
    for held in [&child, &grandchild, &of_basic] {
        assert_eq!(code(&stand, held, &list).await, "");
    }
    stand.root(&Asked::callgate("RevokeSessions", json!({"IdentityId": guest.identity}))).await;
    for held in [&guest.credentials, &basic, &child, &grandchild, &of_basic] {
        assert_eq!(code(&stand, held, &who).await, "ExpiredToken");
        assert_eq!(code(&stand, held, &assume(json!({}))).await, "ExpiredToken");
    }
    let refused = stand.ask(None, &exchange).await;
    assert!(
        ["ExpiredTokenException", "InvalidIdentityToken"].contains(&refused.code.as_str()),
        "{refused:?}"
    );

    // A user's sessions end with the user's revocation, also those of roles; the key itself goes on.
    let ann = user(&stand, "ann").await;
    may_assume(&stand, "ann").await;
    let own = stand.ask(Some(&ann), &Asked::sts("GetSessionToken", json!({}))).await.credentials();
    let worker = session(&stand, &own, json!({})).await;
    stand.root(&Asked::callgate("RevokeSessions", json!({"UserName": "ann"}))).await;
    for held in [&own, &worker] {
        assert_eq!(code(&stand, held, &who).await, "ExpiredToken");
    }
    assert_eq!(code(&stand, &ann, &who).await, "");
}
