//! The operations as requests come to them: decode, permit, run, against a real store.

mod developer;
mod identities;
mod pools;

use std::{collections::BTreeMap, net::IpAddr, sync::Mutex};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{Authorizer, Perform, Raw},
    base::{AccountId, Caller, Principal, Region, RequestId, rng::SeededRng},
    identity::tests::{Fixture, ISSUED_AT},
};

/// Permits everything but `refuses`, and notes what it was asked.
#[derive(Default)]
struct Notes {
    asked: Mutex<Vec<String>>,
    refuses: Option<&'static str>,
}

impl Authorizer for Notes {
    fn authorize(&self, _: &Context<'_>, action: &str, resource: &Resource) -> Result<(), ApiError> {
        self.asked.lock().unwrap().push(format!("{action} {}", resource.arn));
        match self.refuses {
            Some(refused) if refused == action => {
                Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", "no"))
            }
            _ => Ok(()),
        }
    }
}

struct Api {
    fixture: Fixture,
    operations: Vec<Arc<dyn Perform>>,
    notes: Notes,
    account: AccountId,
}

impl Api {
    async fn start() -> Self {
        let fixture = Fixture::start().await;
        let operations = operations(&fixture.pools, &fixture.identities);
        Self { fixture, operations, notes: Notes::default(), account: AccountId::DEFAULT }
    }

    async fn send(&self, name: &str, body: &str) -> Result<Value, ApiError> {
        let operation = self.operations.iter().find(|operation| operation.spec().name == name).unwrap();
        let developer = Caller {
            account: self.account,
            principal: Principal::Root,
            access_key_id: "AKIA".into(),
            identity: None,
            session: None,
        };
        let region = Region::new("eu-west-1");
        let context = Context {
            caller: (operation.spec().access != Access::Public).then_some(&developer),
            request_id: RequestId::draw(&SeededRng::new(1)),
            source: IpAddr::from([127, 0, 0, 1]),
            secure: false,
            region: &region,
            now: ISSUED_AT,
            public_url: "https://gate.example",
            user_agent: None,
            organization: None,
        };
        let body = Bytes::from(body.to_owned());
        let raw = Raw { path: &[], query: &[], headers: &HeaderMap::new(), body: &body };
        let reply = operation.perform(&self.notes, &context, &raw).await?;
        assert_eq!(reply.status, StatusCode::OK);
        Ok(if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() })
    }

    async fn ok(&self, name: &str, body: Value) -> Value {
        match self.send(name, &body.to_string()).await {
            Ok(answer) => answer,
            Err(error) => panic!("{name} {body}: {error:?}"),
        }
    }

    /// The refusal's code and message.
    async fn refused(&self, name: &str, body: &str) -> (String, String) {
        let error = self.send(name, body).await.expect_err(body);
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        (error.code.into_owned(), error.message.unwrap())
    }

    /// A pool with guests, the fixture's provider, and roles.
    async fn pool(&self) -> String {
        let provider = format!("arn:aws:iam::000000000000:oidc-provider/{}", self.fixture.provider());
        let made = self
            .ok(
                "CreateIdentityPool",
                json!({
                    "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": true,
                    "AllowClassicFlow": true, "OpenIdConnectProviderARNs": [provider],
                    "DeveloperProviderName": "login.app",
                }),
            )
            .await;
        let id = made["IdentityPoolId"].as_str().unwrap().to_owned();
        self.fixture.roles.trust(&id);
        let role = |name: &str| format!("arn:aws:iam::000000000000:role/{name}");
        let roles = json!({"authenticated": role("user"), "unauthenticated": role("guest")});
        self.ok("SetIdentityPoolRoles", json!({"IdentityPoolId": id, "Roles": roles})).await;
        id
    }
}

#[tokio::test]
async fn a_pool_is_made_described_listed_and_deleted() {
    let api = Api::start().await;
    let made = api
        .ok("CreateIdentityPool", json!({
            "IdentityPoolName": "my app", "AllowUnauthenticatedIdentities": false, "AllowClassicFlow": true,
            "SupportedLoginProviders": {}, "SamlProviderARNs": [], "DeveloperProviderName": null,
            "IdentityPoolTags": {"team": "blue"}, "NewMember": 1,
        }))
        .await;
    let id = made["IdentityPoolId"].clone();
    assert_eq!(
        made,
        json!({
            "IdentityPoolId": id, "IdentityPoolName": "my app", "AllowUnauthenticatedIdentities": false,
            "AllowClassicFlow": true, "IdentityPoolTags": {"team": "blue"},
        })
    );
    let named = json!({ "IdentityPoolId": id });
    assert_eq!(api.ok("DescribeIdentityPool", named.clone()).await, made);
    let roles = api.ok("GetIdentityPoolRoles", named.clone()).await;
    assert_eq!(roles, json!({"IdentityPoolId": id, "Roles": {}}));
    let listed = api.ok("ListIdentityPools", json!({"MaxResults": 60})).await;
    assert_eq!(listed, json!({"IdentityPools": [{"IdentityPoolId": id, "IdentityPoolName": "my app"}]}));
    assert_eq!(api.ok("DeleteIdentityPool", named.clone()).await, Value::Null);
    let (code, message) = api.refused("DescribeIdentityPool", &named.to_string()).await;
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(message, format!("IdentityPool '{}' not found.", id.as_str().unwrap()));
}

#[tokio::test]
async fn pages_hold_every_pool_once_while_one_is_deleted() {
    let api = Api::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(api.pool().await);
    }
    made.sort();
    let first = api.ok("ListIdentityPools", json!({"MaxResults": 2})).await;
    // The pool that the page ended with goes; the next page begins behind it all the same.
    api.ok("DeleteIdentityPool", json!({"IdentityPoolId": made[1]})).await;
    let next = json!({"MaxResults": 2, "NextToken": first["NextToken"]});
    let second = api.ok("ListIdentityPools", next).await;
    let last = api.ok("ListIdentityPools", json!({"MaxResults": 2, "NextToken": second["NextToken"]})).await;
    assert_eq!(last.get("NextToken"), None);
    let seen: Vec<_> = [first, second, last]
        .iter()
        .flat_map(|page| page["IdentityPools"].as_array().unwrap().clone())
        .map(|pool| pool["IdentityPoolId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, made);
}

#[tokio::test]
async fn another_accounts_pools_are_not_there() {
    let mut api = Api::start().await;
    let id = api.pool().await;
    api.account = "111111111111".parse().unwrap();
    let named = json!({ "IdentityPoolId": id }).to_string();
    let roles = json!({"IdentityPoolId": id, "Roles": {}}).to_string();
    for (name, body) in [
        ("DescribeIdentityPool", &named),
        ("GetIdentityPoolRoles", &named),
        ("DeleteIdentityPool", &named),
        ("SetIdentityPoolRoles", &roles),
    ] {
        assert_eq!(api.refused(name, body).await.0, "ResourceNotFoundException", "{name}");
    }
    let listed = api.ok("ListIdentityPools", json!({"MaxResults": 1})).await;
    assert_eq!(listed, json!({"IdentityPools": []}));
}

#[tokio::test]
async fn policy_is_asked_about_the_pool_and_about_every_role_that_is_handed_on() {
    let mut api = Api::start().await;
    let id = api.pool().await;
    let pool = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{id}");
    assert_eq!(
        *api.notes.asked.lock().unwrap(),
        [
            "cognito-identity:CreateIdentityPool *".to_owned(),
            format!("cognito-identity:SetIdentityPoolRoles {pool}"),
            "iam:PassRole arn:aws:iam::000000000000:role/user".to_owned(),
            "iam:PassRole arn:aws:iam::000000000000:role/guest".to_owned(),
        ]
    );
    api.notes.refuses = Some("iam:PassRole");
    let admin = json!({"authenticated": "arn:aws:iam::000000000000:role/admin"});
    let body = json!({"IdentityPoolId": id, "Roles": admin}).to_string();
    let refused = api.send("SetIdentityPoolRoles", &body).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let roles = api.ok("GetIdentityPoolRoles", json!({ "IdentityPoolId": id })).await;
    assert_eq!(roles["Roles"]["authenticated"], "arn:aws:iam::000000000000:role/user");
}

#[tokio::test]
async fn an_app_becomes_a_guest_signs_in_and_gets_credentials_and_a_token() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let asked = api.notes.asked.lock().unwrap().len();
    let id = api.ok("GetId", json!({"IdentityPoolId": pool, "AccountId": "000000000000"})).await;
    let logins = BTreeMap::from([(api.fixture.provider(), api.fixture.token("ann"))]);
    let mut secrets = Vec::new();
    for logins in [None, Some(logins.clone())] {
        let body = json!({"IdentityId": id["IdentityId"], "Logins": logins.unwrap_or_default()});
        let answer = api.ok("GetCredentialsForIdentity", body.clone()).await;
        assert_eq!(answer["IdentityId"], id["IdentityId"]);
        let credentials = &answer["Credentials"];
        assert_eq!(credentials["Expiration"], json!(1_800_003_600.0));
        assert!(credentials["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
        assert!(credentials["SessionToken"].as_str().unwrap().len() <= 1536);
        secrets.push(credentials["SecretKey"].as_str().unwrap().to_owned());
        let token = api.ok("GetOpenIdToken", body).await;
        assert_eq!(token["IdentityId"], id["IdentityId"]);
        assert_eq!(token["Token"].as_str().unwrap().split('.').count(), 3);
    }
    assert!(secrets[0] != secrets[1] && secrets.iter().all(|secret| secret.len() == 40));
    let again = api.ok("GetId", json!({"IdentityPoolId": pool, "Logins": logins})).await;
    assert_eq!(again, id);
    assert_eq!(api.notes.asked.lock().unwrap().len(), asked, "public operations ask no policy");
}

#[tokio::test]
async fn what_the_table_of_logins_refuses_has_the_models_codes() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let get_id = async |logins: Value| {
        let answer = api.ok("GetId", json!({"IdentityPoolId": pool, "Logins": logins})).await;
        answer["IdentityId"].as_str().unwrap().to_owned()
    };
    let provider = api.fixture.provider();
    let login = |subject: &str| json!({ &provider: api.fixture.token(subject) });
    let (guest, ann) = (get_id(json!({})).await, get_id(login("ann")).await);
    let forged = json!({ &provider: format!("{}A", api.fixture.token("ann")) });
    let unknown = "eu-west-1:00000000-0000-4000-8000-000000000000";
    let forbidden = format!("Access to Identity '{ann}' is forbidden.");
    let rows = [
        (&*ann, json!({}), "NotAuthorizedException", &*forbidden),
        (&*ann, login("bob"), "NotAuthorizedException", "Logins don't match."),
        (&*guest, forged, "NotAuthorizedException", "Invalid login token. "),
        (
            &*guest,
            json!({"x.example": "t"}),
            "NotAuthorizedException",
            "Invalid login token. Token is not from",
        ),
        (unknown, json!({}), "ResourceNotFoundException", "Identity 'eu-west-1:0000"),
    ];
    for operation in ["GetCredentialsForIdentity", "GetOpenIdToken"] {
        for (id, logins, code, message) in &rows {
            let body = json!({"IdentityId": id, "Logins": logins}).to_string();
            let refused = api.refused(operation, &body).await;
            assert_eq!(refused.0, *code, "{operation} {body}");
            assert!(refused.1.starts_with(message), "{operation} {body}: {}", refused.1);
        }
    }
}

#[tokio::test]
async fn inputs_that_the_model_does_not_allow_are_refused_with_awss_words() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let long_name =
        format!(r#"{{"IdentityPoolName":"{}","AllowUnauthenticatedIdentities":true}}"#, "x".repeat(129));
    let unsupported = |member: &str| {
        format!(r#"{{"IdentityPoolName":"a","AllowUnauthenticatedIdentities":true,{member}}}"#)
    };
    let of_pool = |more: &str| format!(r#"{{"IdentityPoolId":"{pool}",{more}}}"#);
    let many: BTreeMap<String, &str> = (0..11).map(|at| (format!("p{at}"), "t")).collect();
    let rows = [
        (
            "CreateIdentityPool",
            r#"{"IdentityPoolName":"a!","AllowUnauthenticatedIdentities":true}"#.to_owned(),
            r"expression pattern: [\w\s+=,.@-]+",
        ),
        ("CreateIdentityPool", "{}".to_owned(), "Value null at 'identityPoolName' failed"),
        (
            "CreateIdentityPool",
            r#"{"IdentityPoolName":"a"}"#.to_owned(),
            "at 'allowUnauthenticatedIdentities'",
        ),
        ("CreateIdentityPool", long_name, "length less than or equal to 128"),
        (
            "CreateIdentityPool",
            unsupported(r#""SupportedLoginProviders":{"a":"b"}"#),
            "in SupportedLoginProviders is not supported by Callgate",
        ),
        (
            "CreateIdentityPool",
            unsupported(r#""SupportedLoginProviders":{"api.twitter.com":"key;secret"}"#),
            "Signing in with Twitter (OAuth 1.0a) is not supported by Callgate",
        ),
        (
            "CreateIdentityPool",
            unsupported(
                r#""CognitoIdentityProviders":[{"ProviderName":"p","ClientId":"c","ServerSideTokenCheck":true}]"#,
            ),
            "ServerSideTokenCheck is not supported",
        ),
        ("CreateIdentityPool", unsupported(r#""DeveloperProviderName":"a b""#), r"pattern: [\w._-]+"),
        (
            "CreateIdentityPool",
            unsupported(r#""IdentityPoolTags":{"callgate:merge-hook":"a:b"}"#),
            "is not the name of a function",
        ),
        (
            "CreateIdentityPool",
            unsupported(r#""SamlProviderARNs":["x"]"#),
            "SamlProviderARNs is not supported",
        ),
        (
            "CreateIdentityPool",
            unsupported(r#""CognitoIdentityProviders":[{}]"#),
            "Value null at 'providerName'",
        ),
        (
            "CreateIdentityPool",
            unsupported(r#""OpenIdConnectProviderARNs":["short"]"#),
            "greater than or equal to 20",
        ),
        (
            "CreateIdentityPool",
            unsupported(r#""OpenIdConnectProviderARNs":["arn:aws:iam::111111111111:oidc-provider/x"]"#),
            "is no OpenID Connect provider of account 000000000000",
        ),
        (
            "SetIdentityPoolRoles",
            of_pool(r#""Roles":{"admin":"arn:aws:iam::000000000000:role/x"}"#),
            "Value 'admin' at 'roles'",
        ),
        (
            "SetIdentityPoolRoles",
            of_pool(r#""Roles":{"authenticated":"arn:aws:iam::000000000000:user/x"}"#),
            "is not the ARN of a role",
        ),
        (
            "SetIdentityPoolRoles",
            of_pool(r#""Roles":{"authenticated":"arn:aws:iam::111111111111:role/x"}"#),
            "is no role of account",
        ),
        ("SetIdentityPoolRoles", format!(r#"{{"IdentityPoolId":"{pool}"}}"#), "Value null at 'roles'"),
        ("ListIdentityPools", "{}".to_owned(), "Value null at 'maxResults'"),
        ("ListIdentityPools", r#"{"MaxResults":0}"#.to_owned(), "greater than or equal to 1"),
        ("ListIdentityPools", r#"{"MaxResults":61}"#.to_owned(), "less than or equal to 60"),
        (
            "ListIdentityPools",
            r#"{"MaxResults":1,"NextToken":"%"}"#.to_owned(),
            "The NextToken is not valid.",
        ),
        ("GetId", r#"{"IdentityPoolId":"nowhere"}"#.to_owned(), r"pattern: [\w-]+:[0-9a-f-]+"),
        ("GetId", r#"{"IdentityPoolId":"r:XYZ"}"#.to_owned(), r"pattern: [\w-]+:[0-9a-f-]+"),
        ("GetId", of_pool(r#""AccountId":"12x""#), r"pattern: \d+"),
        ("GetId", of_pool(r#""AccountId":"123456789""#), "an account has 12 digits"),
        ("GetId", of_pool(&format!(r#""Logins":{}"#, json!(many))), "at most 10 logins"),
        ("GetId", of_pool(r#""Logins":{"p":""}"#), "Please provide a valid token"),
        (
            "GetCredentialsForIdentity",
            r#"{"IdentityId":"r:a","CustomRoleArn":"x"}"#.to_owned(),
            "length greater than or equal to 20",
        ),
        ("GetOpenIdToken", "{}".to_owned(), "Value null at 'identityId'"),
    ];
    for (operation, body, message) in rows {
        let (code, said) = api.refused(operation, &body).await;
        assert_eq!(code, "InvalidParameterException", "{operation} {body}: {said}");
        assert!(said.contains(message), "{operation} {body}: {said}");
    }
    for broken in ["{", "[]", "7", r#"{"IdentityPoolId":7}"#] {
        assert_eq!(api.refused("GetId", broken).await.0, "SerializationException", "{broken}");
    }
}

#[tokio::test]
async fn a_pool_without_roles_says_so() {
    let api = Api::start().await;
    let body = json!({"IdentityPoolName": "bare", "AllowUnauthenticatedIdentities": true});
    let pool = api.ok("CreateIdentityPool", body).await;
    let id = api.ok("GetId", json!({"IdentityPoolId": pool["IdentityPoolId"]})).await;
    let refused = api.refused("GetCredentialsForIdentity", &id.to_string()).await;
    assert_eq!(refused.0, "InvalidIdentityPoolConfigurationException");
}

#[tokio::test]
async fn an_issuer_that_is_down_is_named_without_its_details() {
    let api = Api::start().await;
    let pool = api.pool().await;
    api.fixture.break_issuer();
    let logins = json!({ api.fixture.provider(): api.fixture.token("ann") });
    let body = json!({"IdentityPoolId": pool, "Logins": logins}).to_string();
    let error = api.send("GetId", &body).await.unwrap_err();
    assert_eq!(error.code, "ExternalServiceException");
    assert_eq!(
        error.message.as_deref(),
        Some("Invalid login token. The issuer's keys could not be fetched.")
    );
    assert!(error.cause.unwrap().contains("500"), "the operator learns why");
}
