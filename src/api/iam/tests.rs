//! Operations as requests come to them: a form in, XML out, and what policy was asked in between.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Mutex,
};

use bytes::Bytes;
use http::HeaderMap;

use super::*;
use crate::{
    api::{Authorizer, Raw},
    base::{AccountId, Caller, Principal, Region, RequestId, Timestamp},
    iam::tests::Fixture,
};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}"#;

/// Allows everything and keeps what it was asked: `action resource`.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Authorizer for Asked {
    fn authorize(&self, _: &Context<'_>, action: &str, resource: &Resource) -> Result<(), ApiError> {
        let tags = resource.request_tags.as_ref().map(|tags| format!(" {tags:?}")).unwrap_or_default();
        self.0.lock().unwrap().push(format!("{action} {}{tags}", resource.arn));
        Ok(())
    }
}

struct Stage {
    fixture: Fixture,
    asked: Asked,
}

impl Stage {
    async fn new() -> Self {
        Self { fixture: Fixture::new().await, asked: Asked::default() }
    }

    /// Calls an operation with these fields.
    async fn call(&self, name: &str, fields: &[(&str, &str)]) -> Result<String, ApiError> {
        let operations = operations(&self.fixture.directory);
        let operation = operations.iter().find(|operation| operation.spec().name == name).unwrap();
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let (headers, body) = (HeaderMap::new(), Bytes::from(form));
        let caller = Caller {
            account: AccountId::DEFAULT,
            principal: Principal::Root,
            access_key_id: "AKIAEXAMPLE".into(),
            identity: None,
            session: None,
        };
        let region = Region::new("us-east-1");
        let context = Context {
            caller: Some(&caller),
            request_id: RequestId::from_bytes([0; 16]),
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            secure: false,
            region: &region,
            now: Timestamp::from_seconds(0),
            public_url: "",
            user_agent: None,
            organization: None,
        };
        let raw = Raw { path: &[], query: &[], headers: &headers, body: &body };
        let reply = operation.perform(&self.asked, &context, &raw).await?;
        assert_eq!((reply.status.as_u16(), reply.content_type), (200, Some("text/xml")));
        Ok(String::from_utf8(reply.body.to_vec()).unwrap())
    }

    /// The result's XML, with what differs from run to run taken out.
    async fn result(&self, name: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.call(name, fields).await.unwrap();
        let start = format!(r#"<{name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">"#);
        let end = format!(
            "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></{name}Response>"
        );
        answer.strip_prefix(&start).unwrap().strip_suffix(&end).unwrap().to_owned()
    }

    /// `status code message` of a refusal.
    async fn refusal(&self, name: &str, fields: &[(&str, &str)]) -> String {
        let error = self.call(name, fields).await.unwrap_err();
        format!("{} {} {}", error.status.as_u16(), error.code, error.message.unwrap_or_default())
    }

    async fn make_role(&self, name: &str, path: &str) {
        let fields = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", TRUST)];
        self.call("CreateRole", &fields).await.unwrap();
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.0.lock().unwrap())
    }
}

/// The texts of every element of this name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_role_is_answered_in_as_much_detail_as_aws_has() {
    let stage = Stage::new().await;
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
    let fields = [
        ("RoleName", "app"),
        ("Path", "/apps/"),
        ("AssumeRolePolicyDocument", trust),
        ("Description", "for apps & more"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "ä"),
    ];
    let made = stage.result("CreateRole", &fields).await;
    let id = texts(&made, "RoleId").remove(0);
    insta::assert_snapshot!(made.replace(&id, "AROA"), @"<CreateRoleResult><Role><Path>/apps/</Path><RoleName>app</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::000000000000:role/apps/app</Arn><CreateDate>2015-07-01T12:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22%2A%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D</AssumeRolePolicyDocument><Description>for apps &amp; more</Description><Tags><member><Key>team</Key><Value>ä</Value></member></Tags></Role></CreateRoleResult>");
    let got = stage.result("GetRole", &[("RoleName", "app")]).await;
    assert!(got.contains("<MaxSessionDuration>3600</MaxSessionDuration><Tags>"), "{got}");
    assert!(got.ends_with("</Tags><RoleLastUsed></RoleLastUsed></Role></GetRoleResult>"), "{got}");
    let listed = stage.result("ListRoles", &[]).await;
    assert!(listed.contains("<MaxSessionDuration>3600</MaxSessionDuration></member>"), "{listed}");
    assert!(!listed.contains("Tags") && !listed.contains("RoleLastUsed"), "{listed}");
    assert_eq!(
        stage.asked(),
        [
            r#"iam:CreateRole arn:aws:iam::000000000000:role/apps/app {"team": "ä"}"#,
            r#"iam:TagRole arn:aws:iam::000000000000:role/apps/app {"team": "ä"}"#,
            "iam:GetRole arn:aws:iam::000000000000:role/apps/app",
            "iam:ListRoles arn:aws:iam::000000000000:role/",
        ]
    );
}

#[tokio::test]
async fn a_roles_life() {
    let stage = Stage::new().await;
    stage.make_role("app", "/").await;
    let update = [("RoleName", "app"), ("Description", "new"), ("MaxSessionDuration", "7200")];
    assert_eq!(stage.result("UpdateRole", &update).await, "<UpdateRoleResult></UpdateRoleResult>");
    let other = TRUST.replace("lambda", "sns");
    let fields = [("RoleName", "app"), ("PolicyDocument", &other)];
    assert_eq!(stage.result("UpdateAssumeRolePolicy", &fields).await, "");
    let role = stage.fixture.directory.role(AccountId::DEFAULT, "app").unwrap();
    assert_eq!(role.record.trust, other);
    assert_eq!((role.record.max_session_seconds, role.record.description.as_deref()), (7200, Some("new")));

    let put = [("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
    assert_eq!(stage.result("PutRolePolicy", &put).await, "");
    let named = [("RoleName", "app"), ("PolicyName", "p")];
    let policy = stage.result("GetRolePolicy", &named).await;
    assert!(policy.contains("<PolicyName>p</PolicyName><PolicyDocument>%7B%22Version%22"), "{policy}");
    let listed = stage.result("ListRolePolicies", &named[..1]).await;
    assert!(listed.contains("<PolicyNames><member>p</member></PolicyNames><IsTruncated>false<"), "{listed}");
    for (operation, element) in [
        ("ListAttachedRolePolicies", "AttachedPolicies"),
        ("ListInstanceProfilesForRole", "InstanceProfiles"),
    ] {
        let none = stage.result(operation, &named[..1]).await;
        assert!(none.contains(&format!("<{element}></{element}><IsTruncated>false")), "{none}");
    }
    assert_eq!(
        stage.refusal("DeleteRole", &named[..1]).await,
        "409 DeleteConflict Cannot delete entity, must delete policies first."
    );
    assert_eq!(stage.result("DeleteRolePolicy", &named).await, "");
    assert_eq!(stage.result("DeleteRole", &named[..1]).await, "");
    assert!(stage.fixture.directory.role(AccountId::DEFAULT, "app").is_none());
}

#[tokio::test]
async fn tags_are_set_and_taken_away_whatever_the_case_of_their_keys() {
    let stage = Stage::new().await;
    stage.make_role("app", "/").await;
    let tag = |key, value| [("RoleName", "app"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
    stage.call("TagRole", &tag("Team", "a")).await.unwrap();
    stage.call("TagRole", &tag("team", "b")).await.unwrap();
    stage.call("TagRole", &tag("other", "")).await.unwrap();
    let listed = stage.result("ListRoleTags", &[("RoleName", "app")]).await;
    assert_eq!(
        (texts(&listed, "Key"), texts(&listed, "Value")),
        (vec!["other".into(), "team".into()], vec![String::new(), "b".into()])
    );
    stage.asked();
    stage.call("UntagRole", &[("RoleName", "app"), ("TagKeys.member.1", "TEAM")]).await.unwrap();
    assert_eq!(stage.asked(), [r#"iam:UntagRole arn:aws:iam::000000000000:role/app {"TEAM": ""}"#]);
    assert_eq!(texts(&stage.result("ListRoleTags", &[("RoleName", "app")]).await, "Key"), ["other"]);

    let many: Vec<(String, String)> = (0..50)
        .flat_map(|n| {
            let at = format!("Tags.member.{}", n + 1);
            [(format!("{at}.Key"), format!("k{n}")), (format!("{at}.Value"), String::new())]
        })
        .collect();
    let mut fields = vec![("RoleName", "app")];
    fields.extend(many.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    assert_eq!(
        stage.refusal("TagRole", &fields).await,
        "409 LimitExceeded Cannot exceed quota for TagsPerRole: 50"
    );
}

#[tokio::test]
async fn roles_are_listed_in_pages_by_name_below_a_path() {
    let stage = Stage::new().await;
    for name in ["e", "a", "c", "d", "b"] {
        stage.make_role(name, "/listed/").await;
    }
    stage.make_role("elsewhere", "/").await;
    let mut listed = Vec::new();
    let mut marker = None;
    for pages in 1.. {
        let mut fields = vec![("PathPrefix", "/listed/".to_owned()), ("MaxItems", "2".to_owned())];
        fields.extend(marker.take().map(|marker| ("Marker", marker)));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = stage.result("ListRoles", &fields).await;
        listed.extend(texts(&page, "RoleName"));
        marker = texts(&page, "Marker").pop();
        assert_eq!(texts(&page, "IsTruncated"), [marker.is_some().to_string()]);
        if marker.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    assert_eq!(listed, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_providers_life() {
    let stage = Stage::new().await;
    let thumbprint = "a".repeat(40);
    let fields = [
        ("Url", "https://idp.example.com/x"),
        ("ClientIDList.member.1", "one"),
        ("ThumbprintList.member.1", &thumbprint),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = stage.result("CreateOpenIDConnectProvider", &fields).await;
    let arn = "arn:aws:iam::000000000000:oidc-provider/idp.example.com/x";
    assert_eq!(texts(&made, "OpenIDConnectProviderArn"), [arn]);
    assert_eq!(
        stage.refusal("CreateOpenIDConnectProvider", &fields[..1]).await,
        "409 EntityAlreadyExists Provider with url https://idp.example.com/x already exists."
    );
    let named = [("OpenIDConnectProviderArn", arn), ("ClientID", "two")];
    assert_eq!(stage.result("AddClientIDToOpenIDConnectProvider", &named).await, "");
    assert_eq!(stage.result("AddClientIDToOpenIDConnectProvider", &named).await, "");
    let one = [named[0], ("ClientID", "one")];
    assert_eq!(stage.result("RemoveClientIDFromOpenIDConnectProvider", &one).await, "");
    let other = "b".repeat(40);
    let thumbprints = [named[0], ("ThumbprintList.member.1", other.as_str())];
    assert_eq!(stage.result("UpdateOpenIDConnectProviderThumbprint", &thumbprints).await, "");
    let got = stage.result("GetOpenIDConnectProvider", &named[..1]).await;
    insta::assert_snapshot!(got, @"<GetOpenIDConnectProviderResult><Url>idp.example.com/x</Url><ClientIDList><member>two</member></ClientIDList><ThumbprintList><member>bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb</member></ThumbprintList><CreateDate>2015-07-01T12:00:00Z</CreateDate><Tags><member><Key>k</Key><Value>v</Value></member></Tags></GetOpenIDConnectProviderResult>");
    assert_eq!(texts(&stage.result("ListOpenIDConnectProviders", &[]).await, "Arn"), [arn]);
    assert!(stage.asked().contains(&format!("iam:AddClientIDToOpenIDConnectProvider {arn}")));
    assert_eq!(stage.result("DeleteOpenIDConnectProvider", &named[..1]).await, "");
    assert_eq!(stage.result("DeleteOpenIDConnectProvider", &named[..1]).await, "", "twice");
    assert_eq!(
        stage.refusal("GetOpenIDConnectProvider", &named[..1]).await,
        format!("404 NoSuchEntity OpenIDConnect Provider not found for arn {arn}")
    );
}

#[tokio::test]
async fn refusals_have_the_codes_statuses_and_texts_of_iam() {
    let stage = Stage::new().await;
    stage.make_role("app", "/").await;
    const APP: (&str, &str) = ("RoleName", "app");
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
    let table: &[Case] = &[
        ("GetRole", &[("RoleName", "x")], "404 NoSuchEntity The role with name x cannot be found."),
        (
            "GetRole",
            &[],
            "400 ValidationError 1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "GetRole",
            &[("RoleName", "a/b")],
            r"400 ValidationError 1 validation error detected: Value 'a/b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "GetRolePolicy",
            &[APP, ("PolicyName", "x")],
            "404 NoSuchEntity The role policy with name x cannot be found.",
        ),
        (
            "DeleteRolePolicy",
            &[APP, ("PolicyName", "x")],
            "404 NoSuchEntity The role policy with name x cannot be found.",
        ),
        (
            "CreateRole",
            &[("RoleName", "App"), ("AssumeRolePolicyDocument", TRUST)],
            "409 EntityAlreadyExists Role with name App already exists.",
        ),
        (
            "CreateRole",
            &[("RoleName", "b"), ("AssumeRolePolicyDocument", "{,}")],
            "400 MalformedPolicyDocument This policy contains invalid Json",
        ),
        (
            "CreateRole",
            &[
                ("RoleName", "b"),
                ("AssumeRolePolicyDocument", TRUST),
                ("PermissionsBoundary", "arn:aws:iam::aws:policy/x"),
            ],
            "400 InvalidInput PermissionsBoundary is not supported by Callgate: write the boundary as Deny statements of the role's policies",
        ),
        (
            "CreateRole",
            &[("RoleName", "b"), ("AssumeRolePolicyDocument", TRUST), ("MaxSessionDuration", "60")],
            "400 ValidationError 1 validation error detected: Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
        ),
        ("ListRolePolicies", &[APP, ("Marker", "*")], "400 ValidationError Invalid Marker."),
        (
            "CreateOpenIDConnectProvider",
            &[("Url", "http://idp.example.com")],
            "400 InvalidInput Invalid Open ID Connect Provider URL: it must begin with https://.",
        ),
        (
            "CreateOpenIDConnectProvider",
            &[("Url", "https://idp.example.com"), ("ThumbprintList.member.1", "a")],
            "400 ValidationError 1 validation error detected: Value 'a' at 'thumbprintList' failed to satisfy constraint: Member must have length greater than or equal to 40",
        ),
    ];
    for (name, fields, expected) in table {
        assert_eq!(&stage.refusal(name, fields).await, expected);
    }
    let roles = stage.fixture.directory.roles(AccountId::DEFAULT);
    assert_eq!(roles.keys().collect::<Vec<_>>(), ["app"], "nothing was made");
}

#[tokio::test]
async fn every_operation_asks_for_the_action_of_its_name() {
    let stage = Stage::new().await;
    for operation in operations(&stage.fixture.directory) {
        let spec = operation.spec();
        let Access::Permitted { action } = spec.access else { panic!("{} asks for nothing", spec.name) };
        assert_eq!(action.strip_prefix("iam:"), Some(spec.name));
    }
}
