//! GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction

use serde_json::{Value, json};

use crate::{
    api::lambda::{
        errors::message_member,
        testing::{Gateway, arn, creation_with},
    },
    functions::package::hostile::package,
};

fn not_found(arn: &str) -> (u16, String, String) {
    (404, "ResourceNotFoundException".to_owned(), format!("Function not found: {arn}"))
}

fn parameter(message: &str) -> (u16, String, String) {
    (400, "InvalidParameterValueException".to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_function_is_answered_with_its_state_tags_and_a_link_to_its_package() {
    let gateway = Gateway::new().await;
    gateway.create(creation_with("greet", json!({"Tags": {"team": "a"}}))).await.unwrap();
    gateway.fixture.settled("greet").await;
    let (status, answer) = gateway.on("GetFunction", "greet", &[], Value::Null).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(answer["Tags"], json!({"team": "a"}));
    let configuration = &answer["Configuration"];
    assert_eq!(configuration["State"], "Active");
    assert_eq!(configuration["LastUpdateStatus"], "Successful");
    assert_eq!(configuration.get("StateReason"), None);
    assert_eq!(answer["Code"]["RepositoryType"], "S3");
    let location = answer["Code"]["Location"].as_str().unwrap();
    let token = location.strip_prefix("https://gate.example/callgate/public/code/").unwrap();
    let hash = gateway.fixture.functions.open_link(token).unwrap();
    let zip = gateway.fixture.functions.package(&hash).await.unwrap().unwrap();
    assert_eq!(zip.as_ref(), package("hello"));
    assert_eq!(configuration["CodeSha256"], hash.base64());
    assert_eq!(configuration["CodeSize"], zip.len());

    let (_, alone) = gateway.on("GetFunctionConfiguration", "greet", &[], Value::Null).await.unwrap();
    assert_eq!(&alone, configuration);
}

#[tokio::test]
async fn a_named_version_ends_the_arn_and_stays_latest() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.asked();
    let latest = format!("{}:$LATEST", arn("greet"));
    for (name, query) in [("greet", &[("Qualifier", "$LATEST")][..]), ("greet:$LATEST", &[]), (&latest, &[])]
    {
        let (_, answer) = gateway.on("GetFunction", name, query, Value::Null).await.unwrap();
        assert_eq!(answer["Configuration"]["FunctionArn"], latest);
        assert_eq!(answer["Configuration"]["Version"], "$LATEST");
        assert_eq!(
            gateway.asked(),
            [format!("lambda:GetFunction {latest}")],
            "policy sees the name as named"
        );
        let (_, answer) = gateway.on("GetFunctionConfiguration", name, query, Value::Null).await.unwrap();
        assert_eq!(answer["FunctionArn"], latest);
        gateway.asked();
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_as_it_was_asked_for() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    for operation in ["GetFunction", "GetFunctionConfiguration"] {
        let get = async |name: &str, query: &[(&str, &str)]| {
            gateway.on(operation, name, query, Value::Null).await.unwrap_err()
        };
        assert_eq!(get("other", &[]).await, not_found(&arn("other")));
        assert_eq!(get("greet", &[("Qualifier", "1221")]).await, not_found(&arn("greet:1221")));
        assert_eq!(get("greet", &[("Qualifier", "$latest")]).await, not_found(&arn("greet:$latest")));
        assert_eq!(get(&"a".repeat(65), &[]).await, not_found(&arn(&"a".repeat(65))));
        assert_eq!(
            get("none:1", &[("Qualifier", "$LATEST")]).await,
            parameter("The derived qualifier from the function name does not match the specified qualifier.")
        );
        assert_eq!(get("*", &[]).await.1, "ValidationException");
    }
    let error = gateway.perform("GetFunction", &[("FunctionName", "other")], &[], "").await.unwrap_err();
    assert_eq!(error.members, [("Type", json!("User"))]);
    assert_eq!(message_member(&error.code), "Message");
    assert_eq!(message_member("InvalidParameterValueException"), "message");
}

#[tokio::test]
async fn lists_have_pages_and_no_states() {
    let gateway = Gateway::new().await;
    for name in ["b", "a", "c"] {
        gateway.settled(name).await;
    }
    gateway.asked();
    let list = async |query: &[(&str, &str)]| {
        gateway.call("ListFunctions", &[], query, &Value::Null).await.unwrap().1
    };
    let all = list(&[]).await;
    assert_eq!(gateway.asked(), ["lambda:ListFunctions *"]);
    assert_eq!(all.get("NextMarker"), None);
    let names = |page: &Value| -> Vec<String> {
        page["Functions"].as_array().unwrap().iter().map(|entry| entry["FunctionName"].to_string()).collect()
    };
    assert_eq!(names(&all), [r#""a""#, r#""b""#, r#""c""#]);
    let entry = &all["Functions"][0];
    assert_eq!(entry["FunctionArn"], arn("a"));
    for absent in ["State", "LastUpdateStatus", "RuntimeVersionConfig", "Environment"] {
        assert_eq!(entry.get(absent), None, "{absent}");
    }

    let first = list(&[("MaxItems", "2")]).await;
    assert_eq!(names(&first), [r#""a""#, r#""b""#]);
    let marker = first["NextMarker"].as_str().unwrap();
    let second = list(&[("MaxItems", "2"), ("Marker", marker)]).await;
    assert_eq!(names(&second), [r#""c""#]);
    assert_eq!(second.get("NextMarker"), None);

    let versions = list(&[("FunctionVersion", "ALL")]).await;
    assert_eq!(versions["Functions"][0]["FunctionArn"], arn("a:$LATEST"));
}

#[tokio::test]
async fn a_list_is_asked_for_in_the_right_words() {
    let gateway = Gateway::new().await;
    let refused = async |query: &[(&str, &str)]| {
        gateway.call("ListFunctions", &[], query, &Value::Null).await.unwrap_err()
    };
    assert_eq!(
        refused(&[("FunctionVersion", "invalid")]).await,
        (
            400,
            "ValidationException".to_owned(),
            "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must \
             satisfy enum value set: [ALL]"
                .to_owned()
        )
    );
    assert_eq!(refused(&[("MaxItems", "0")]).await.1, "ValidationException");
    assert_eq!(refused(&[("MaxItems", "10001")]).await.1, "ValidationException");
    assert_eq!(refused(&[("MaxItems", "x")]).await.1, "SerializationException");
    assert_eq!(refused(&[("Marker", "?")]).await.1, "InvalidParameterValueException");
    assert!(
        refused(&[("MasterRegion", "ALL")]).await.2.starts_with("MasterRegion is not supported by Callgate")
    );
}

#[tokio::test]
async fn a_function_is_deleted_but_no_version_or_alias_of_it() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let delete = async |name: &str, query: &[(&str, &str)]| {
        gateway.on("DeleteFunction", name, query, Value::Null).await
    };
    let latest = parameter("$LATEST version cannot be deleted without deleting the function.");
    assert_eq!(delete("unknown", &[("Qualifier", "$LATEST")]).await.unwrap_err(), latest);
    assert_eq!(delete("greet:$LATEST", &[]).await.unwrap_err(), latest);
    let alias = parameter("Deletion of aliases is not currently supported.");
    assert_eq!(delete("unknown", &[("Qualifier", &"a".repeat(65))]).await.unwrap_err(), alias);
    assert_eq!(delete("unknown", &[("Qualifier", "$latest")]).await.unwrap_err(), not_found(&arn("unknown")));
    assert_eq!(delete("greet", &[("Qualifier", "7")]).await, Ok((204, Value::Null)));
    assert_eq!(delete("greet:7", &[]).await, Ok((204, Value::Null)));
    assert_eq!(gateway.fixture.functions.count(), 1);
    assert_eq!(delete("greet", &[]).await, Ok((204, Value::Null)));
    assert_eq!(delete("greet", &[]).await.unwrap_err(), not_found(&arn("greet")));
}

#[tokio::test]
async fn policy_sees_the_tags_of_a_function_that_is_there() {
    let gateway = Gateway::new().await;
    gateway.create(creation_with("greet", json!({"Tags": {"team": "a"}}))).await.unwrap();
    gateway.resources();
    gateway.on("GetFunction", "greet", &[], Value::Null).await.unwrap();
    gateway.on("GetFunction", "other", &[], Value::Null).await.unwrap_err();
    let tags: Vec<_> = gateway.resources().into_iter().map(|resource| resource.tags).collect();
    assert_eq!(tags[0].as_ref().unwrap()["team"], "a");
    assert_eq!(tags[1], None);
}
