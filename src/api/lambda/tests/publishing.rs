//! PublishVersion, ListVersionsByFunction, and the operations on aliases

use serde_json::{Value, json};

use crate::{
    api::lambda::testing::{Gateway, arn, creation_with, zip_file},
    functions::testing::{ACCOUNT, code},
};

async fn publish(gateway: &Gateway, body: Value) -> Value {
    let (status, answer) = gateway.on("PublishVersion", "greet", &[], body).await.unwrap();
    assert_eq!(status, 201);
    answer
}

async fn update(gateway: &Gateway, answer: &str) {
    let body = json!({ "ZipFile": zip_file(answer) });
    gateway.on("UpdateFunctionCode", "greet", &[], body).await.unwrap();
    gateway.fixture.settled("greet").await;
}

async fn versions(gateway: &Gateway) -> Vec<(String, String)> {
    let (_, answer) = gateway.on("ListVersionsByFunction", "greet", &[], Value::Null).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = answer["Versions"].as_array().unwrap();
    listed.iter().map(|one| (text(&one["Version"]), text(&one["Description"]))).collect()
}

fn listed(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(version, text)| ((*version).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_version_is_what_the_function_was() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    assert_eq!(versions(&gateway).await, listed(&[("$LATEST", "")]));
    let before = gateway.fixture.functions.find(ACCOUNT, "greet").unwrap().record.revision.clone();
    let first = publish(&gateway, json!({ "Description": "first" })).await;
    assert_eq!((&first["Version"], &first["FunctionArn"]), (&json!("1"), &json!(arn("greet:1"))));
    assert_eq!((&first["State"], &first["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    let latest = gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    assert_ne!(latest.record.revision, before, "publishing changes the revision of $LATEST");
    // Nothing has changed, so this is the same version, and its description stays.
    let again = publish(&gateway, json!({ "Description": "again" })).await;
    assert_eq!(again, first);
    update(&gateway, "new").await;
    let second = publish(&gateway, json!({})).await;
    assert_eq!(second["Version"], "2");
    assert_eq!(versions(&gateway).await, listed(&[("$LATEST", ""), ("1", "first"), ("2", "")]));
    let get = async |qualifier: &str| {
        let query = [("Qualifier", qualifier)];
        gateway.on("GetFunctionConfiguration", "greet", &query, Value::Null).await.unwrap().1
    };
    assert_eq!(get("1").await, first);
    let latest = gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    let [one, two] = ["1", "2"].map(|version| latest.qualified(Some(version)).unwrap());
    assert!(code(&one).contains("hello") && code(&two).contains("new"));
    assert_ne!(one.pool, latest.pool, "each version has sandboxes of its own");

    // Deleted for ever, and its number is never given again.
    assert_eq!(gateway.on("DeleteFunction", "greet:2", &[], Value::Null).await, Ok((204, Value::Null)));
    assert_eq!(gateway.on("DeleteFunction", "greet:2", &[], Value::Null).await, Ok((204, Value::Null)));
    assert_eq!(publish(&gateway, json!({})).await["Version"], "3");
    assert_eq!(versions(&gateway).await, listed(&[("$LATEST", ""), ("1", "first"), ("3", "")]));
}

#[tokio::test]
async fn publishing_asks_for_what_the_caller_knows() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let refused = async |body: Value| gateway.on("PublishVersion", "greet", &[], body).await.unwrap_err();
    let stale = refused(json!({ "RevisionId": "another" })).await;
    assert_eq!((stale.0, &*stale.1), (412, "PreconditionFailedException"));
    let other = refused(json!({ "CodeSha256": "other" })).await;
    assert_eq!(&*other.1, "InvalidParameterValueException");
    assert!(other.2.starts_with("CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("));
    assert!(
        refused(json!({ "PublishTo": "LATEST_PUBLISHED" })).await.2.contains("PublishTo is not supported")
    );
    let none = gateway.on("PublishVersion", "none", &[], json!({})).await.unwrap_err();
    assert_eq!(none.2, format!("Function not found: {}", arn("none")));
    let (_, now) = gateway.on("GetFunctionConfiguration", "greet", &[], Value::Null).await.unwrap();
    let known = json!({ "RevisionId": now["RevisionId"], "CodeSha256": now["CodeSha256"] });
    assert_eq!(publish(&gateway, known).await["Version"], "1");
}

#[tokio::test]
async fn functions_are_published_as_they_are_made_and_updated() {
    let gateway = Gateway::new().await;
    let body = creation_with("greet", json!({ "Publish": true }));
    let (_, made) = gateway.create(body).await.unwrap();
    assert_eq!((&made["Version"], &made["FunctionArn"]), (&json!("1"), &json!(arn("greet"))));
    assert_eq!(made["State"], "Pending");
    gateway.fixture.settled("greet").await;
    let body = json!({ "ZipFile": zip_file("new"), "Publish": true });
    let (_, updated) = gateway.on("UpdateFunctionCode", "greet", &[], body).await.unwrap();
    assert_eq!((&updated["Version"], &updated["FunctionArn"]), (&json!("2"), &json!(arn("greet:2"))));
    assert_eq!(versions(&gateway).await, listed(&[("$LATEST", ""), ("1", ""), ("2", "")]));
}

#[tokio::test]
async fn an_alias_is_a_name_for_a_version() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    publish(&gateway, json!({})).await;
    let create = async |body: Value| gateway.on("CreateAlias", "greet", &[], body).await;
    let on = async |operation: &str, name: &str, body: Value| {
        gateway.call(operation, &[("FunctionName", "greet"), ("Name", name)], &[], &body).await
    };
    let empty = json!({ "AdditionalVersionWeights": {} });
    let (status, made) =
        create(json!({ "Name": "PROD", "FunctionVersion": "1", "RoutingConfig": empty })).await.unwrap();
    let revision = made["RevisionId"].clone();
    let expected = json!({ "AliasArn": arn("greet:PROD"), "Name": "PROD", "FunctionVersion": "1", "Description": "",
                           "RevisionId": revision });
    assert_eq!((status, &made), (201, &expected));
    assert_eq!(on("GetAlias", "PROD", Value::Null).await, Ok((200, expected)));
    let invoked = gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    assert_eq!(&*invoked.qualified(Some("PROD")).unwrap().version, "1");
    for (body, code, says) in [
        (
            json!({ "Name": "PROD", "FunctionVersion": "1" }),
            "ResourceConflictException",
            "Alias already exists: arn:",
        ),
        (
            json!({ "Name": "NEW", "FunctionVersion": "9" }),
            "ResourceNotFoundException",
            "Function not found: arn",
        ),
        (json!({ "Name": "12", "FunctionVersion": "1" }), "ValidationException", "Value '12' at 'name'"),
        (json!({ "Name": "NEW" }), "ValidationException", "'functionVersion'"),
        (
            json!({ "Name": "NEW", "FunctionVersion": "x" }),
            "ValidationException",
            "Value 'x' at 'functionVersion'",
        ),
        (
            json!({ "Name": "NEW", "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.5 } } }),
            "InvalidParameterValueException",
            "RoutingConfig is not supported by Callgate: point the alias at one version",
        ),
    ] {
        let refused = create(body.clone()).await.unwrap_err();
        assert_eq!(&*refused.1, code, "{body}");
        assert!(refused.2.contains(says), "{body}: {}", refused.2);
    }
    let (_, changed) = on("UpdateAlias", "PROD", json!({ "Description": "for all" })).await.unwrap();
    assert_eq!((&changed["Description"], &changed["FunctionVersion"]), (&json!("for all"), &json!("1")));
    assert_ne!(changed["RevisionId"], revision);
    let stale = on("UpdateAlias", "PROD", json!({ "RevisionId": revision })).await.unwrap_err();
    assert_eq!(stale.0, 412);
    let (_, changed) = on("UpdateAlias", "PROD", json!({ "FunctionVersion": "$LATEST" })).await.unwrap();
    assert_eq!(changed["FunctionVersion"], "$LATEST");
    assert_eq!(
        on("UpdateAlias", "NO", json!({})).await.unwrap_err().2,
        format!("Alias not found: {}", arn("greet:NO"))
    );
    let none = on("GetAlias", "NO", Value::Null).await.unwrap_err();
    assert_eq!(none.2, format!("Cannot find alias arn: {}", arn("greet:NO")));

    create(json!({ "Name": "BETA", "FunctionVersion": "1" })).await.unwrap();
    let in_use = gateway.on("DeleteFunction", "greet:1", &[], Value::Null).await.unwrap_err();
    assert_eq!((in_use.0, &*in_use.1), (409, "ResourceConflictException"));
    let list = async |query: &[(&str, &str)]| {
        let (_, answer) = gateway.on("ListAliases", "greet", query, Value::Null).await.unwrap();
        let names = answer["Aliases"].as_array().unwrap();
        let names = names.iter().map(|alias| alias["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        (names, answer["NextMarker"].as_str().map(str::to_owned))
    };
    assert_eq!(list(&[]).await, (vec!["BETA".to_owned(), "PROD".to_owned()], None));
    assert_eq!(list(&[("FunctionVersion", "1")]).await.0, ["BETA"]);
    let (page, next) = list(&[("MaxItems", "1")]).await;
    assert_eq!(page, ["BETA"]);
    assert_eq!(list(&[("Marker", &next.unwrap())]).await, (vec!["PROD".to_owned()], None));
    for _ in 0..2 {
        assert_eq!(on("DeleteAlias", "BETA", Value::Null).await, Ok((204, Value::Null)));
    }
    assert_eq!(list(&[]).await.0, ["PROD"]);
}
