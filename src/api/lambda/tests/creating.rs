//! CreateFunction

use serde_json::{Value, json};

use crate::{
    api::{
        lambda::{
            create_function,
            testing::{Gateway, Notary, arn, creation, creation_with},
        },
        members::Support,
    },
    functions::testing::ROLE,
};

#[tokio::test]
async fn a_new_function_is_answered_as_aws_does() {
    let gateway = Gateway::new().await;
    let (status, mut answer) = gateway.create(creation("greet")).await.unwrap();
    assert_eq!(status, 201);
    let members = answer.as_object_mut().unwrap();
    for varying in ["RevisionId", "CodeSha256", "CodeSize", "RuntimeVersionConfig"] {
        assert!(members.remove(varying).is_some(), "{varying}");
    }
    assert_eq!(
        answer,
        json!({
            "FunctionName": "greet",
            "FunctionArn": arn("greet"),
            "Runtime": "nodejs22.x",
            "Role": ROLE,
            "Handler": "index.handler",
            "Description": "",
            "Timeout": 3,
            "MemorySize": 128,
            "LastModified": "2015-07-01T12:00:00.000+0000",
            "Version": "$LATEST",
            "TracingConfig": { "Mode": "PassThrough" },
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/greet" },
        })
    );
}

#[tokio::test]
async fn what_was_set_is_answered() {
    let gateway = Gateway::new().await;
    let body = creation_with(
        "greet",
        json!({
            "Description": "says hello", "Timeout": 900, "MemorySize": 10240, "EphemeralStorage": {"Size": 1024},
            "Environment": {"Variables": {"NAME": "value"}}, "TracingConfig": {"Mode": "Active"},
            "Architectures": ["arm64"], "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "mine"},
            "SnapStart": {"ApplyOn": "None"}, "Publish": false, "VpcConfig": {"SubnetIds": []}, "Unknown": 1,
        }),
    );
    let (_, answer) = gateway.create(body).await.unwrap();
    assert_eq!(answer["Description"], "says hello");
    assert_eq!(answer["Timeout"], 900);
    assert_eq!(answer["MemorySize"], 10240);
    assert_eq!(answer["EphemeralStorage"]["Size"], 1024);
    assert_eq!(answer["Environment"], json!({"Variables": {"NAME": "value"}}));
    assert_eq!(answer["TracingConfig"]["Mode"], "Active");
    assert_eq!(answer["Architectures"], json!(["arm64"]));
    assert_eq!(
        answer["LoggingConfig"],
        json!({"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "mine"})
    );
    assert_eq!(answer.get("VpcConfig"), None);
}

#[tokio::test]
async fn an_empty_environment_that_was_sent_is_answered() {
    let gateway = Gateway::new().await;
    for environment in [json!({"Variables": {}}), json!({})] {
        let body = creation_with("greet", json!({ "Environment": environment }));
        let (_, answer) = gateway.create(body).await.unwrap();
        assert_eq!(answer["Environment"], json!({"Variables": {}}));
        gateway.on("DeleteFunction", "greet", &[], Value::Null).await.unwrap();
    }
}

#[tokio::test]
async fn policy_is_asked_about_the_function_its_tags_and_its_role() {
    let gateway = Gateway::new().await;
    gateway.create(creation_with("greet", json!({"Tags": {"team": "a"}}))).await.unwrap();
    assert_eq!(
        gateway.asked(),
        [
            format!("lambda:CreateFunction {}", arn("greet")),
            format!("lambda:TagResource {}", arn("greet")),
            format!("iam:PassRole {ROLE}"),
        ]
    );
    let resources = gateway.resources();
    assert_eq!(resources[0].request_tags.as_ref().unwrap()["team"], "a");
    assert_eq!(resources[2].keys, [("iam:passedtoservice", "lambda.amazonaws.com".to_owned())]);
}

#[tokio::test]
async fn without_one_of_the_permissions_nothing_is_made() {
    for denied in ["lambda:CreateFunction", "lambda:TagResource", "iam:PassRole"] {
        let notary = Notary::denying(denied);
        let gateway = Gateway { notary, ..Gateway::new().await };
        let refused = gateway.create(creation_with("greet", json!({"Tags": {"a": "b"}}))).await;
        assert_eq!(refused.unwrap_err().0, 403, "{denied}");
        assert_eq!(gateway.fixture.functions.count(), 0);
    }
}

#[tokio::test]
async fn a_name_may_be_an_arn_of_this_account_and_region_only() {
    let gateway = Gateway::new().await;
    let (_, answer) = gateway.create(creation(&arn("greet"))).await.unwrap();
    assert_eq!(answer["FunctionName"], "greet");
    let other_region = "arn:aws:lambda:eu-west-1:000000000000:function:greet";
    assert_eq!(
        gateway.create(creation(other_region)).await.unwrap_err(),
        (
            404,
            "ResourceNotFoundException".to_owned(),
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')".to_owned()
        )
    );
    let body = creation("arn:aws:lambda:us-east-1:111111111111:function:greet").to_string();
    let error = gateway.perform("CreateFunction", &[], &[], body).await.unwrap_err();
    assert_eq!((error.status.as_u16(), error.code.as_ref()), (403, "AccessDeniedException"));
    assert_eq!(error.message, None, "AWS sends a null message");
}

#[tokio::test]
async fn names_are_checked_as_aws_does() {
    let gateway = Gateway::new().await;
    let refused = async |name: &str| gateway.create(creation(name)).await.unwrap_err();
    assert_eq!(
        refused(&"a".repeat(65)).await,
        (
            400,
            "InvalidParameterValueException".to_owned(),
            format!(
                "1 validation error detected: Value '{}' at 'functionName' failed to satisfy constraint: Member must have \
                 length less than or equal to 64",
                "a".repeat(65)
            )
        )
    );
    let (status, code, message) = refused("my-function!").await;
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(message.ends_with(r"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"), "{message}");
    assert_eq!(refused("greet:1").await.1, "InvalidParameterValueException");
    gateway.create(creation(&"a".repeat(64))).await.unwrap();
    gateway.create(creation("twice")).await.unwrap();
    assert_eq!(
        refused("twice").await,
        (409, "ResourceConflictException".to_owned(), "Function already exist: twice".to_owned())
    );
}

#[tokio::test]
async fn faults_of_the_model_are_all_named() {
    let gateway = Gateway::new().await;
    let (status, code, message) = gateway.create(json!({"Timeout": 0, "MemorySize": 1})).await.unwrap_err();
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(message.starts_with("5 validation errors detected: "), "{message}");
    for member in ["functionName", "role", "code", "timeout", "memorySize"] {
        assert!(message.contains(&format!("at '{member}'")), "{member}");
    }
    let error = gateway.perform("CreateFunction", &[], &[], "{}").await.unwrap_err();
    assert!(error.members.is_empty(), "a ValidationException carries its message alone");
}

#[tokio::test]
async fn a_value_that_cannot_be_used_is_refused_with_its_reason() {
    let gateway = Gateway::new().await;
    for (members, code, message) in [
        (
            json!({"Runtime": null}),
            "InvalidParameterValueException",
            "Runtime and Handler are mandatory parameters",
        ),
        (
            json!({"Runtime": "nodejs14.x"}),
            "InvalidParameterValueException",
            "The runtime parameter of nodejs14.x",
        ),
        (json!({"Code": {}}), "InvalidParameterValueException", "Please provide a source for function code."),
        (
            json!({"Code": {"ZipFile": ""}}),
            "InvalidParameterValueException",
            "Uploaded file must be a non-empty zip",
        ),
        (
            json!({"Code": {"ZipFile": "dGV4dA=="}}),
            "InvalidParameterValueException",
            "Could not unzip uploaded file.",
        ),
        (
            json!({"Role": format!("{ROLE}-untrusting")}),
            "InvalidParameterValueException",
            "The role defined for the",
        ),
        (
            json!({"Role": "arn:aws:iam::111111111111:role/r"}),
            "AccessDeniedException",
            "Cross-account pass role",
        ),
        (
            json!({"PackageType": "Image"}),
            "InvalidParameterValueException",
            "PackageType Image is not supported",
        ),
        (
            json!({"PackageType": "Tar"}),
            "ValidationException",
            "1 validation error detected: Value 'Tar' at 'packageT",
        ),
        (
            json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}),
            "InvalidParameterValueException",
            "SnapStart.ApplyOn",
        ),
        (json!({"SnapStart": {"ApplyOn": "x"}}), "ValidationException", "1 validation error"),
        (
            json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}),
            "InvalidParameterValueException",
            "Lambda was una",
        ),
        (
            json!({"Environment": {"Variables": {"1": "x"}}}),
            "ValidationException",
            "1 validation error detected: Value",
        ),
        (json!({"Tags": {"aws:x": "y"}}), "InvalidParameterValueException", "Tag keys that begin with aws:"),
        (
            json!({"Tags": {"": "y"}}),
            "ValidationException",
            "1 validation error detected: Value '{=y}' at 'tags'",
        ),
        (
            json!({"Timeout": "3"}),
            "SerializationException",
            "STRING_VALUE can not be converted to an Integer",
        ),
    ] {
        let refused = gateway.create(creation_with("greet", members.clone())).await.unwrap_err();
        assert_eq!(refused.1, code, "{members}");
        assert!(refused.2.starts_with(message), "{members}: {}", refused.2);
    }
    assert_eq!(gateway.fixture.functions.count(), 0);
}

#[tokio::test]
async fn every_member_that_is_not_implemented_is_refused_by_name() {
    let gateway = Gateway::new().await;
    for (name, support) in create_function::MEMBERS.members {
        let Support::Refused(instead) = support else { continue };
        // A value that is refused of a member that is not.
        if name.contains(' ') {
            continue;
        }
        let value = json!({"Some": "thing"});
        let body = match name.split_once('.') {
            Some((structure, member)) => creation_with("greet", json!({structure: {member: value}})),
            None => creation_with("greet", json!({*name: value})),
        };
        assert_eq!(
            gateway.create(body).await.unwrap_err(),
            (
                400,
                "InvalidParameterValueException".to_owned(),
                format!("{name} is not supported by Callgate: {instead}")
            )
        );
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_told_which_size_it_may_have() {
    let gateway = Gateway::new().await;
    let mut body = creation_with("greet", json!({"Environment": {"Variables": {"LARGE": "@"}}})).to_string();
    body = body.replace('@', &"x".repeat(70_167_212 - body.len() + 1));
    let error = gateway.perform("CreateFunction", &[], &[], body).await.unwrap_err();
    assert_eq!((error.status.as_u16(), error.code.as_ref()), (413, "RequestEntityTooLargeException"));
    assert_eq!(
        error.message.unwrap(),
        "Request must be smaller than 70167211 bytes for the CreateFunction operation"
    );
}
