//! Pools changed, tagged, and given role mappings and principal tags.

use serde_json::json;

use super::*;

#[tokio::test]
async fn an_update_replaces_what_it_says_and_what_it_leaves_out_but_for_tags_and_the_developers_name() {
    let api = Api::start().await;
    let id = api.pool().await;
    let arn = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{id}");
    api.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"team": "blue"}})).await;
    let updated = api
        .ok(
            "UpdateIdentityPool",
            json!({
                "IdentityPoolId": id, "IdentityPoolName": "new", "AllowUnauthenticatedIdentities": false,
            }),
        )
        .await;
    let expected = json!({
        "IdentityPoolId": id, "IdentityPoolName": "new", "AllowUnauthenticatedIdentities": false,
        "DeveloperProviderName": "login.app", "IdentityPoolTags": {"team": "blue"},
    });
    assert_eq!(updated, expected);
    assert_eq!(api.ok("DescribeIdentityPool", json!({"IdentityPoolId": id})).await, expected);
    let roles = api.ok("GetIdentityPoolRoles", json!({"IdentityPoolId": id})).await;
    assert!(roles["Roles"]["authenticated"].is_string(), "roles are no part of it");
    // Guests are switched off at once, also those that there are.
    let body = json!({"IdentityPoolId": id}).to_string();
    assert_eq!(api.refused("GetId", &body).await.0, "NotAuthorizedException");

    let renamed = json!({
        "IdentityPoolId": id, "IdentityPoolName": "new", "AllowUnauthenticatedIdentities": false,
        "DeveloperProviderName": "other", "IdentityPoolTags": {},
    });
    let (code, message) = api.refused("UpdateIdentityPool", &renamed.to_string()).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("cannot be changed"), "{message}");
    let same = json!({
        "IdentityPoolId": id, "IdentityPoolName": "new", "AllowUnauthenticatedIdentities": true,
        "DeveloperProviderName": "login.app", "IdentityPoolTags": {},
    });
    assert_eq!(api.ok("UpdateIdentityPool", same).await["IdentityPoolTags"], json!({}));
}

#[tokio::test]
async fn a_developers_users_cannot_have_the_name_of_a_providers() {
    let api = Api::start().await;
    let provider = "arn:aws:iam::000000000000:oidc-provider/idp.example";
    let body = json!({
        "IdentityPoolName": "a", "AllowUnauthenticatedIdentities": true,
        "OpenIdConnectProviderARNs": [provider], "DeveloperProviderName": "idp.example",
    });
    let (code, message) = api.refused("CreateIdentityPool", &body.to_string()).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("has the name of the provider"), "{message}");
}

#[tokio::test]
async fn tags_are_set_listed_and_taken_away() {
    let api = Api::start().await;
    let id = api.pool().await;
    let arn = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{id}");
    assert_eq!(
        api.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"a": "1", "b": "2"}})).await,
        json!({})
    );
    api.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"b": "3"}})).await;
    let listed = api.ok("ListTagsForResource", json!({"ResourceArn": arn})).await;
    assert_eq!(listed, json!({"Tags": {"a": "1", "b": "3"}}));
    api.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a", "c"]})).await;
    let listed = api.ok("ListTagsForResource", json!({"ResourceArn": arn})).await;
    assert_eq!(listed, json!({"Tags": {"b": "3"}}));
    let many: BTreeMap<String, &str> = (0..50).map(|at| (format!("t{at}"), "")).collect();
    let over = json!({"ResourceArn": arn, "Tags": many}).to_string();
    assert!(api.refused("TagResource", &over).await.1.contains("at most 50 tags"));
    for arn in ["arn:aws:iam::000000000000:role/x", "arn:aws:cognito-identity:eu-west-1:000000000000:x/y"] {
        let body = json!({"ResourceArn": arn}).to_string();
        assert_eq!(api.refused("ListTagsForResource", &body).await.0, "InvalidParameterException");
    }
    let gone = "arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/eu-west-1:0";
    let body = json!({"ResourceArn": gone}).to_string();
    assert_eq!(api.refused("ListTagsForResource", &body).await.0, "ResourceNotFoundException");
}

/// Otherwise whoever may tag a pool could have any function of the account run.
#[tokio::test]
async fn who_names_a_merge_hook_must_be_allowed_to_call_it() {
    let mut api = Api::start().await;
    let id = api.pool().await;
    let arn = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{id}");
    let tags = json!({"callgate:merge-hook": "ask-me"});
    api.notes.asked.lock().unwrap().clear();
    let create =
        json!({"IdentityPoolName": "a", "AllowUnauthenticatedIdentities": true, "IdentityPoolTags": tags});
    let update = json!({
        "IdentityPoolId": id, "IdentityPoolName": "a", "AllowUnauthenticatedIdentities": true,
        "IdentityPoolTags": tags,
    });
    api.notes.refuses = Some("lambda:InvokeFunction");
    for (operation, body) in [
        ("TagResource", json!({"ResourceArn": arn, "Tags": tags})),
        ("UpdateIdentityPool", update),
        ("CreateIdentityPool", create),
    ] {
        assert_eq!(api.send(operation, &body.to_string()).await.unwrap_err().status, StatusCode::FORBIDDEN);
        let asked = api.notes.asked.lock().unwrap().pop().unwrap();
        assert_eq!(asked, "lambda:InvokeFunction arn:aws:lambda:eu-west-1:000000000000:function:ask-me");
    }
}

#[tokio::test]
async fn role_mappings_come_back_as_they_were_given_and_every_role_of_a_rule_is_asked_about() {
    let api = Api::start().await;
    let id = api.pool().await;
    let role = |name: &str| format!("arn:aws:iam::000000000000:role/{name}");
    let mappings = json!({
        "idp.example": {"Type": "Token", "AmbiguousRoleResolution": "Deny"},
        "idp.example:client": {
            "Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole",
            "RulesConfiguration": {"Rules": [
                {"Claim": "tier", "MatchType": "Equals", "Value": "gold", "RoleARN": role("gold")},
                {"Claim": "tier", "MatchType": "NotEqual", "Value": "x y", "RoleARN": role("silver")},
            ]},
        },
    });
    api.notes.asked.lock().unwrap().clear();
    let body = json!({"IdentityPoolId": id, "Roles": {}, "RoleMappings": mappings});
    api.ok("SetIdentityPoolRoles", body).await;
    let asked = api.notes.asked.lock().unwrap().clone();
    assert_eq!(
        asked[1..],
        [format!("iam:PassRole {}", role("gold")), format!("iam:PassRole {}", role("silver"))]
    );
    let answer = api.ok("GetIdentityPoolRoles", json!({"IdentityPoolId": id})).await;
    assert_eq!(answer, json!({"IdentityPoolId": id, "Roles": {}, "RoleMappings": mappings}));
}

#[tokio::test]
async fn role_mappings_that_the_model_does_not_allow_are_refused() {
    let api = Api::start().await;
    let id = api.pool().await;
    let rule = json!({"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": "arn:aws:iam::000000000000:role/r"});
    let with = |change: &str, value: Value| {
        let mut rule = rule.clone();
        rule[change] = value;
        json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}})
    };
    let rows = [
        (json!({"Type": "Token"}), "AmbiguousRoleResolution is required"),
        (json!({"AmbiguousRoleResolution": "Deny"}), "type' failed"),
        (json!({"Type": "token", "AmbiguousRoleResolution": "Deny"}), "enum value set: [Token, Rules]"),
        (json!({"Type": "Token", "AmbiguousRoleResolution": "Allow"}), "[AuthenticatedRole, Deny]"),
        (json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny"}), "RulesConfiguration is required"),
        (
            json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": []}}),
            "at least 1 and at most 400",
        ),
        (
            json!({"Type": "Token", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}}),
            "for role mappings of type Rules",
        ),
        (with("MatchType", json!("Matches")), "[Equals, Contains, StartsWith, NotEqual]"),
        (with("Claim", json!("a b")), "regular expression pattern"),
        (with("Claim", json!("c".repeat(65))), "less than or equal to 64"),
        (with("Value", json!("")), "greater than or equal to 1"),
        (with("RoleARN", json!("arn:aws:iam::000000000000:user/u")), "is not the ARN of a role"),
        (with("RoleARN", json!("arn:aws:iam::111111111111:role/r")), "is no role of account"),
        (with("RoleARN", Value::Null), "must not be null"),
    ];
    for (mapping, message) in rows {
        let body = json!({"IdentityPoolId": id, "Roles": {}, "RoleMappings": {"p": mapping}}).to_string();
        let (code, said) = api.refused("SetIdentityPoolRoles", &body).await;
        assert_eq!(code, "InvalidParameterException", "{body}");
        assert!(said.contains(message), "{body}: {said}");
    }
    let many: BTreeMap<String, Value> = (0..11)
        .map(|at| (format!("p{at}"), json!({"Type": "Token", "AmbiguousRoleResolution": "Deny"})))
        .collect();
    let body = json!({"IdentityPoolId": id, "Roles": {}, "RoleMappings": many}).to_string();
    assert!(api.refused("SetIdentityPoolRoles", &body).await.1.contains("at most 10"));
}

#[tokio::test]
async fn principal_tags_are_set_by_provider_and_survive_an_update_of_the_pool() {
    let api = Api::start().await;
    let id = api.pool().await;
    let named = json!({"IdentityPoolId": id, "IdentityProviderName": "idp.example"});
    let with = |more: Value| {
        let mut body = named.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let nothing = with(json!({"UseDefaults": false, "PrincipalTags": {}}));
    assert_eq!(api.ok("GetPrincipalTagAttributeMap", named.clone()).await, nothing);
    let map = with(json!({"UseDefaults": false, "PrincipalTags": {"Tier": "custom:tier"}}));
    assert_eq!(api.ok("SetPrincipalTagAttributeMap", map.clone()).await, map);
    let update =
        json!({"IdentityPoolId": id, "IdentityPoolName": "b", "AllowUnauthenticatedIdentities": true});
    api.ok("UpdateIdentityPool", update).await;
    assert_eq!(api.ok("GetPrincipalTagAttributeMap", named.clone()).await, map);
    let defaults = with(json!({"UseDefaults": true}));
    assert_eq!(api.ok("SetPrincipalTagAttributeMap", defaults).await["UseDefaults"], true);
    assert_eq!(api.ok("SetPrincipalTagAttributeMap", named.clone()).await, nothing);
    let many: BTreeMap<String, &str> = (0..51).map(|at| (format!("t{at}"), "c")).collect();
    for (more, message) in [
        (json!({"UseDefaults": true, "PrincipalTags": {"a": "b"}}), "where UseDefaults is true"),
        (json!({"PrincipalTags": {"aws:a": "b"}}), "AWS's own"),
        (json!({"PrincipalTags": {"a*": "b"}}), "regular expression"),
        (json!({"PrincipalTags": {"a": ""}}), "greater than or equal to 1"),
        (json!({"PrincipalTags": many}), "at most 50"),
    ] {
        let (code, said) = api.refused("SetPrincipalTagAttributeMap", &with(more.clone()).to_string()).await;
        assert_eq!(code, "InvalidParameterException", "{more}");
        assert!(said.contains(message), "{more}: {said}");
    }
}
