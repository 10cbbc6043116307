//! UpdateFunctionCode and UpdateFunctionConfiguration

use serde_json::{Value, json};

use crate::{
    api::lambda::testing::{Gateway, arn, zip_file},
    functions::testing::ROLE,
};

#[tokio::test]
async fn new_code_is_in_progress_and_then_successful() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let before = gateway.on("GetFunctionConfiguration", "greet", &[], Value::Null).await.unwrap().1;
    let (status, answer) =
        gateway.on("UpdateFunctionCode", "greet", &[], json!({"ZipFile": zip_file("new")})).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(answer["State"], "Active");
    assert_eq!(answer["LastUpdateStatus"], "InProgress");
    assert_eq!(answer["LastUpdateStatusReason"], "The function is being created.");
    assert_eq!(answer["LastUpdateStatusReasonCode"], "Creating");
    assert_ne!(answer["CodeSha256"], before["CodeSha256"]);
    gateway.fixture.settled("greet").await;
    let after = gateway.on("GetFunctionConfiguration", "greet", &[], Value::Null).await.unwrap().1;
    assert_eq!(after["LastUpdateStatus"], "Successful");
    assert_eq!(after["CodeSha256"], answer["CodeSha256"]);
    let revisions = [&before, &answer, &after].map(|answer| answer["RevisionId"].as_str().unwrap());
    assert!(revisions[0] != revisions[1] && revisions[1] != revisions[2], "each step has its revision");
}

#[tokio::test]
async fn a_second_update_meanwhile_is_409() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let code = || json!({"ZipFile": zip_file("new")});
    gateway.on("UpdateFunctionCode", "greet", &[], code()).await.unwrap();
    let expected = (
        409,
        "ResourceConflictException".to_owned(),
        format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            arn("greet")
        ),
    );
    assert_eq!(gateway.on("UpdateFunctionCode", "greet", &[], code()).await.unwrap_err(), expected);
    let settings = json!({"MemorySize": 256});
    assert_eq!(
        gateway.on("UpdateFunctionConfiguration", "greet", &[], settings).await.unwrap_err(),
        expected
    );
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_and_changes_nothing() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let get = async || gateway.on("GetFunctionConfiguration", "greet", &[], Value::Null).await.unwrap().1;
    let before = get().await;
    let dry = json!({"ZipFile": zip_file("new"), "DryRun": true});
    let (_, answer) = gateway.on("UpdateFunctionCode", "greet", &[], dry).await.unwrap();
    assert_ne!(answer["CodeSha256"], before["CodeSha256"]);
    assert_eq!(answer["RevisionId"], before["RevisionId"]);
    assert_eq!(get().await, before);
}

#[tokio::test]
async fn settings_change_and_what_is_not_named_stays() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let settings = json!({
        "MemorySize": 256, "Environment": {"Variables": {"NAME": "value"}}, "LoggingConfig": {"LogGroup": "mine"},
    });
    let (_, answer) = gateway.on("UpdateFunctionConfiguration", "greet", &[], settings).await.unwrap();
    assert_eq!(answer["MemorySize"], 256);
    assert_eq!(answer["LastUpdateStatus"], "InProgress");
    assert_eq!(answer["LoggingConfig"], json!({"LogFormat": "Text", "LogGroup": "mine"}));
    gateway.fixture.settled("greet").await;
    let (_, answer) =
        gateway.on("UpdateFunctionConfiguration", "greet", &[], json!({"Timeout": 60})).await.unwrap();
    assert_eq!(answer["MemorySize"], 256);
    assert_eq!(answer["Environment"], json!({"Variables": {"NAME": "value"}}));
    assert_eq!((&answer["Timeout"], &answer["Handler"]), (&json!(60), &json!("index.handler")));
}

#[tokio::test]
async fn an_architecture_changes_with_the_code() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let body = json!({"ZipFile": zip_file("new"), "Architectures": ["arm64"]});
    let (_, answer) = gateway.on("UpdateFunctionCode", "greet", &[], body).await.unwrap();
    assert_eq!(answer["Architectures"], json!(["arm64"]));
}

#[tokio::test]
async fn a_stale_revision_is_412() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let stale = "00000000-0000-4000-8000-000000000000";
    let expected = (
        412,
        "PreconditionFailedException".to_owned(),
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the \
         latest Revision Id"
            .to_owned(),
    );
    let code = json!({"ZipFile": zip_file("new"), "RevisionId": stale});
    assert_eq!(gateway.on("UpdateFunctionCode", "greet", &[], code).await.unwrap_err(), expected);
    let settings = json!({"RevisionId": stale});
    assert_eq!(
        gateway.on("UpdateFunctionConfiguration", "greet", &[], settings).await.unwrap_err(),
        expected
    );
}

#[tokio::test]
async fn a_new_role_must_be_permitted_to_be_passed() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.asked();
    gateway.on("UpdateFunctionConfiguration", "greet", &[], json!({"Timeout": 5})).await.unwrap();
    gateway.fixture.settled("greet").await;
    gateway.on("UpdateFunctionConfiguration", "greet", &[], json!({"Role": ROLE})).await.unwrap();
    gateway.fixture.settled("greet").await;
    let asked = format!("lambda:UpdateFunctionConfiguration {}", arn("greet"));
    assert_eq!(gateway.asked(), [asked.clone(), asked, format!("iam:PassRole {ROLE}")]);
    let untrusting = json!({"Role": format!("{ROLE}-untrusting")});
    let refused = gateway.on("UpdateFunctionConfiguration", "greet", &[], untrusting).await.unwrap_err();
    assert_eq!(refused.2, "The role defined for the function cannot be assumed by Lambda.");
}

#[tokio::test]
async fn what_cannot_be_updated_is_refused_with_its_reason() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    for (operation, name, body, code) in [
        ("UpdateFunctionCode", "other", json!({"ZipFile": zip_file("x")}), "ResourceNotFoundException"),
        ("UpdateFunctionConfiguration", "other", json!({}), "ResourceNotFoundException"),
        ("UpdateFunctionCode", "greet", json!({}), "InvalidParameterValueException"),
        ("UpdateFunctionCode", "greet", json!({"ZipFile": "eA=="}), "InvalidParameterValueException"),
        (
            "UpdateFunctionCode",
            "greet",
            json!({"S3Bucket": "b", "S3Key": "k"}),
            "InvalidParameterValueException",
        ),
        (
            "UpdateFunctionCode",
            "greet:1",
            json!({"ZipFile": zip_file("x")}),
            "InvalidParameterValueException",
        ),
        (
            "UpdateFunctionCode",
            "greet",
            json!({"ZipFile": "", "Architectures": ["x"]}),
            "ValidationException",
        ),
        ("UpdateFunctionConfiguration", "greet:1", json!({}), "InvalidParameterValueException"),
        ("UpdateFunctionConfiguration", "greet", json!({"Layers": ["x"]}), "InvalidParameterValueException"),
        ("UpdateFunctionConfiguration", "greet", json!({"Runtime": "x"}), "InvalidParameterValueException"),
        ("UpdateFunctionConfiguration", "greet", json!({"Timeout": 901}), "ValidationException"),
        ("UpdateFunctionConfiguration", "a.b", json!({}), "ValidationException"),
    ] {
        let refused = gateway.on(operation, name, &[], body.clone()).await.unwrap_err();
        assert_eq!(refused.1, code, "{operation} {name} {body}: {}", refused.2);
    }
}
