//! Identities described, listed, deleted, unlinked and merged, as requests have it done.

use serde_json::json;

use super::*;

impl Api {
    async fn id(&self, pool: &str, who: Option<&str>) -> String {
        let logins: BTreeMap<_, _> =
            who.map(|who| (self.fixture.provider(), self.fixture.token(who))).into_iter().collect();
        let answer = self.ok("GetId", json!({"IdentityPoolId": pool, "Logins": logins})).await;
        answer["IdentityId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn identities_are_described_and_listed_with_their_providers() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let ann = api.id(&pool, Some("ann")).await;
    let guest = api.id(&pool, None).await;
    let seconds = ISSUED_AT.seconds() as f64;
    let shape = |id: &str, logins: Value| json!({"IdentityId": id, "Logins": logins, "CreationDate": seconds, "LastModifiedDate": seconds});
    let provider = api.fixture.provider();
    assert_eq!(api.ok("DescribeIdentity", json!({"IdentityId": ann})).await, shape(&ann, json!([provider])));
    assert_eq!(api.ok("DescribeIdentity", json!({"IdentityId": guest})).await, shape(&guest, json!([])));
    let listed = api.ok("ListIdentities", json!({"IdentityPoolId": pool, "MaxResults": 60})).await;
    let mut expected = vec![shape(&ann, json!([provider])), shape(&guest, json!([]))];
    expected.sort_by_key(|shape| shape["IdentityId"].as_str().unwrap().to_owned());
    assert_eq!(listed, json!({"IdentityPoolId": pool, "Identities": expected}));

    // A guest who turns out to be ann: descriptions name both, as ours alone do.
    let logins = json!({ &provider: api.fixture.token("ann") });
    let merged = api.ok("GetCredentialsForIdentity", json!({"IdentityId": guest, "Logins": logins})).await;
    assert_eq!(merged["IdentityId"], json!(ann));
    let described = api.ok("DescribeIdentity", json!({"IdentityId": ann})).await;
    assert_eq!(described["MergedIdentityIds"], json!([guest]));
    assert_eq!(api.ok("DescribeIdentity", json!({"IdentityId": guest})).await["MergedInto"], json!(ann));
    let hidden = json!({"IdentityPoolId": pool, "MaxResults": 60, "HideDisabled": true});
    let listed = api.ok("ListIdentities", hidden).await;
    assert_eq!(listed["Identities"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_of_identities_hold_each_once_while_one_is_deleted() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(api.id(&pool, None).await);
    }
    made.sort();
    let (mut seen, mut token) = (Vec::new(), None::<Value>);
    loop {
        let mut body = json!({"IdentityPoolId": pool, "MaxResults": 2});
        if let Some(token) = token {
            body["NextToken"] = token;
        }
        let page = api.ok("ListIdentities", body).await;
        let ids = page["Identities"].as_array().unwrap().iter().map(|one| one["IdentityId"].clone());
        seen.extend(ids.map(|id| id.as_str().unwrap().to_owned()));
        // The identity that the page ended with goes; the next page begins behind it all the same.
        let last = seen.last().unwrap().clone();
        let deleted = api.ok("DeleteIdentities", json!({"IdentityIdsToDelete": [last]})).await;
        assert_eq!(deleted, json!({"UnprocessedIdentityIds": []}));
        token = page.get("NextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn what_was_not_deleted_is_said_with_its_reason() {
    let mut api = Api::start().await;
    let pool = api.pool().await;
    let (ann, bob) = (api.id(&pool, Some("ann")).await, api.id(&pool, Some("bob")).await);
    let missing = "eu-west-1:0";
    let deleted = api.ok("DeleteIdentities", json!({"IdentityIdsToDelete": [ann, missing]})).await;
    let denied = |id: &str| json!({"IdentityId": id, "ErrorCode": "AccessDenied"});
    assert_eq!(deleted, json!({"UnprocessedIdentityIds": [denied(missing)]}));
    assert_eq!(
        api.refused("DescribeIdentity", &json!({"IdentityId": ann}).to_string()).await.0,
        "ResourceNotFoundException"
    );
    api.account = "111111111111".parse().unwrap();
    let deleted = api.ok("DeleteIdentities", json!({"IdentityIdsToDelete": [bob]})).await;
    assert_eq!(deleted, json!({"UnprocessedIdentityIds": [denied(&bob)]}));
    let foreign = api.refused("DescribeIdentity", &json!({"IdentityId": bob}).to_string()).await;
    assert_eq!(foreign, ("ResourceNotFoundException".to_owned(), format!("Identity '{bob}' not found.")));
    for ids in [json!([]), json!(vec![missing; 61])] {
        let body = json!({"IdentityIdsToDelete": ids}).to_string();
        assert_eq!(api.refused("DeleteIdentities", &body).await.0, "InvalidParameterException");
    }
}

#[tokio::test]
async fn a_login_is_unlinked_without_a_signature_by_its_token() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let ann = api.id(&pool, Some("ann")).await;
    let provider = api.fixture.provider();
    let body = |who: &str, remove: &str| json!({"IdentityId": ann, "Logins": {&provider: api.fixture.token(who)}, "LoginsToRemove": [remove]});
    let refused = api.refused("UnlinkIdentity", &body("bob", &provider).to_string()).await;
    assert_eq!(refused.0, "NotAuthorizedException");
    let developers = api.refused("UnlinkIdentity", &body("ann", "login.app").to_string()).await;
    assert_eq!(developers.0, "InvalidParameterException");
    assert_eq!(api.ok("UnlinkIdentity", body("ann", &provider)).await, Value::Null);
    let dead = api.refused("GetCredentialsForIdentity", &body("ann", &provider).to_string()).await;
    assert_eq!(dead.0, "NotAuthorizedException");
    assert_ne!(api.id(&pool, Some("ann")).await, ann);
    for missing in ["Logins", "LoginsToRemove", "IdentityId"] {
        let mut body = body("ann", &provider);
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(api.refused("UnlinkIdentity", &body.to_string()).await.0, "InvalidParameterException");
    }
}

#[tokio::test]
async fn the_basic_flow_is_refused_with_cognitos_words_where_it_is_off() {
    let api = Api::start().await;
    let body = json!({"IdentityPoolName": "enhanced", "AllowUnauthenticatedIdentities": true});
    let pool = api.ok("CreateIdentityPool", body).await["IdentityPoolId"].as_str().unwrap().to_owned();
    let guest = json!({"IdentityId": api.id(&pool, None).await}).to_string();
    assert_eq!(
        api.refused("GetOpenIdToken", &guest).await,
        (
            "InvalidParameterException".to_owned(),
            "Basic (classic) flow is not enabled, please use enhanced flow.".to_owned()
        )
    );
}

#[tokio::test]
async fn a_hook_that_is_asked_too_often_is_429_with_the_time_to_come_again() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let arn = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{pool}");
    api.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"callgate:merge-hook": "ask-me"}})).await;
    api.fixture.hook.answers(Err(crate::identity::HookError::Throttled(crate::base::OverLimit::at_once(
        "merge_hook_rate",
        2,
    ))));
    api.id(&pool, Some("ann")).await;
    let guest = api.id(&pool, None).await;
    let logins = json!({ api.fixture.provider(): api.fixture.token("ann") });
    let body = json!({"IdentityId": guest, "Logins": logins}).to_string();
    let error = api.send("GetCredentialsForIdentity", &body).await.unwrap_err();
    assert_eq!((error.status.as_u16(), &*error.code), (429, "TooManyRequestsException"));
    assert_eq!(&*error.over.unwrap().name, "merge_hook_rate");
    api.fixture.hook.answers(Ok(json!({"decision": "refuse"})));
    assert_eq!(api.refused("GetCredentialsForIdentity", &body).await.0, "NotAuthorizedException");
    api.fixture.hook.answers(Ok(json!("nonsense")));
    assert_eq!(api.refused("GetCredentialsForIdentity", &body).await.0, "ResourceConflictException");
}
