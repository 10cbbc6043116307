//! Developer-authenticated identities, as a back end's requests have them.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_back_end_gets_a_token_for_its_user_and_the_app_credentials_for_the_token() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let body =
        |user: &str| json!({"IdentityPoolId": pool, "Logins": {"login.app": user}, "TokenDuration": 86_400});
    api.notes.asked.lock().unwrap().clear();
    let given = api.ok("GetOpenIdTokenForDeveloperIdentity", body("ann")).await;
    let arn = format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{pool}");
    let asked = api.notes.asked.lock().unwrap().clone();
    assert_eq!(asked, [format!("cognito-identity:GetOpenIdTokenForDeveloperIdentity {arn}")]);
    let id = given["IdentityId"].as_str().unwrap();
    let logins = json!({"cognito-identity.amazonaws.com": given["Token"]});
    let credentials = api.ok("GetCredentialsForIdentity", json!({"IdentityId": id, "Logins": logins})).await;
    assert_eq!(credentials["IdentityId"], json!(id));

    let lookup = json!({"IdentityPoolId": pool, "DeveloperUserIdentifier": "ann"});
    let found = api.ok("LookupDeveloperIdentity", lookup).await;
    assert_eq!(found, json!({"IdentityId": id, "DeveloperUserIdentifierList": ["ann"]}));
    let bob = api.ok("GetOpenIdTokenForDeveloperIdentity", body("bob")).await["IdentityId"].clone();
    let merge = json!({
        "SourceUserIdentifier": "bob", "DestinationUserIdentifier": "ann", "DeveloperProviderName": "login.app",
        "IdentityPoolId": pool,
    });
    assert_eq!(api.ok("MergeDeveloperIdentities", merge.clone()).await, json!({"IdentityId": id}));
    let page = api
        .ok("LookupDeveloperIdentity", json!({"IdentityPoolId": pool, "IdentityId": id, "MaxResults": 1}))
        .await;
    assert_eq!(page["DeveloperUserIdentifierList"], json!(["ann"]));
    let next = json!({
        "IdentityPoolId": pool, "IdentityId": id, "MaxResults": 1, "NextToken": page["NextToken"],
    });
    let last = api.ok("LookupDeveloperIdentity", next).await;
    assert_eq!(last, json!({"IdentityId": id, "DeveloperUserIdentifierList": ["bob"]}));

    let unlink = json!({
        "IdentityId": id, "IdentityPoolId": pool, "DeveloperProviderName": "login.app",
        "DeveloperUserIdentifier": "bob",
    });
    assert_eq!(api.ok("UnlinkDeveloperIdentity", unlink.clone()).await, Value::Null);
    assert_eq!(
        api.refused("UnlinkDeveloperIdentity", &unlink.to_string()).await.0,
        "ResourceNotFoundException"
    );
    assert_eq!(
        api.refused("MergeDeveloperIdentities", &merge.to_string()).await.0,
        "ResourceNotFoundException"
    );
    let both =
        json!({"IdentityPoolId": pool, "IdentityId": bob, "DeveloperUserIdentifier": "ann"}).to_string();
    assert_eq!(api.refused("LookupDeveloperIdentity", &both).await.0, "ResourceConflictException");
}

#[tokio::test]
async fn a_user_who_is_another_identity_already_has_an_error_of_its_own() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let token = async |identity: Option<&Value>, user: &str| {
        let mut body = json!({"IdentityPoolId": pool, "Logins": {"login.app": user}});
        if let Some(identity) = identity {
            body["IdentityId"] = identity.clone();
        }
        api.send("GetOpenIdTokenForDeveloperIdentity", &body.to_string()).await
    };
    let ann = token(None, "ann").await.unwrap()["IdentityId"].clone();
    token(None, "bob").await.unwrap();
    let registered = token(Some(&ann), "bob").await.unwrap_err();
    assert_eq!(registered.code, "DeveloperUserAlreadyRegisteredException");
    assert_eq!(token(Some(&ann), "new").await.unwrap_err().code, "NotAuthorizedException");
}

#[tokio::test]
async fn what_the_model_does_not_allow_of_developers_is_refused() {
    let api = Api::start().await;
    let pool = api.pool().await;
    let get = "GetOpenIdTokenForDeveloperIdentity";
    let with = |more: Value| {
        let mut body = json!({"IdentityPoolId": pool, "Logins": {"login.app": "ann"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let merge = json!({
        "SourceUserIdentifier": "a", "DestinationUserIdentifier": "b", "DeveloperProviderName": "other",
        "IdentityPoolId": pool,
    });
    let rows = [
        (get, with(json!({"TokenDuration": 0})), "greater than or equal to 1"),
        (get, with(json!({"TokenDuration": 86_401})), "less than or equal to 86400"),
        (get, with(json!({"Logins": {}})), "Please provide the developer provider"),
        (get, with(json!({"Logins": {"other": "ann"}})), "Please provide the developer provider"),
        (get, with(json!({"Logins": null})), "must not be null"),
        (get, with(json!({"PrincipalTags": {"a": "*"}})), "regular expression"),
        ("LookupDeveloperIdentity", json!({"IdentityPoolId": pool}), "Please provide an identity ID"),
        ("MergeDeveloperIdentities", merge, "Developer provider 'other' is not that"),
        (
            "LookupDeveloperIdentity",
            json!({"IdentityPoolId": pool, "DeveloperUserIdentifier": "x".repeat(1025)}),
            "less than or equal to 1024",
        ),
    ];
    for (operation, body, message) in rows {
        let (code, said) = api.refused(operation, &body.to_string()).await;
        assert_eq!(code, "InvalidParameterException", "{operation} {body}: {said}");
        assert!(said.contains(message), "{operation} {body}: {said}");
    }
}
