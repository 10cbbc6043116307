//! AddPermission, RemovePermission, GetPolicy, PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy

use serde_json::{Value, json};

use crate::{
    api::lambda::testing::{Gateway, arn},
    base::Timestamp,
    functions::{
        EventSource, FunctionRef,
        testing::{ACCOUNT, named},
    },
    policy::Reason,
};

const NOW: Timestamp = Timestamp::from_seconds(1_435_752_000);

fn of_s3(sid: &str, bucket: &str) -> Value {
    json!({
        "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": format!("arn:aws:s3:::{bucket}"),
    })
}

async fn policy(gateway: &Gateway, function: &str) -> (Value, String) {
    let (status, answer) = gateway.on("GetPolicy", function, &[], Value::Null).await.unwrap();
    assert_eq!(status, 200);
    let policy = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
    (policy, answer["RevisionId"].as_str().unwrap().to_owned())
}

fn sids(policy: &Value) -> Vec<&str> {
    policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn statements_are_added_as_aws_writes_them() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let add = async |body: Value| {
        let (status, answer) = gateway.on("AddPermission", "greet", &[], body).await.unwrap();
        assert_eq!(status, 201);
        answer["Statement"].as_str().unwrap().to_owned()
    };
    let statement = add(of_s3("s3", "photos")).await;
    assert_eq!(
        statement,
        format!(
            r#"{{"Sid":"s3","Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Action":"lambda:InvokeFunction","Resource":"{}","Condition":{{"ArnLike":{{"AWS:SourceArn":"arn:aws:s3:::photos"}}}}}}"#,
            arn("greet")
        )
    );
    for (sid, principal, written) in [
        ("account", "111122223333", json!({ "AWS": "arn:aws:iam::111122223333:root" })),
        ("user", "arn:aws:iam::111122223333:user/a", json!({ "AWS": "arn:aws:iam::111122223333:user/a" })),
        ("all", "*", json!("*")),
        ("alexa", "alexa-appkit.amazon.com", json!({ "Service": "alexa-appkit.amazon.com" })),
    ] {
        let body = json!({ "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": principal });
        let statement: Value = serde_json::from_str(&add(body).await).unwrap();
        assert_eq!(statement["Principal"], written, "{sid}");
        assert_eq!(statement.get("Condition"), None, "{sid}");
    }
    let all = json!({
        "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "SourceArn": "arn:aws:s3:::b",
        "SourceAccount": "111111111111", "PrincipalOrgID": "o-1234567890", "FunctionUrlAuthType": "NONE",
        "EventSourceToken": "amzn1.ask", "InvokedViaFunctionUrl": true,
    });
    let statement: Value = serde_json::from_str(&add(all).await).unwrap();
    assert_eq!(
        statement["Condition"],
        json!({
            "StringEquals": {
                "AWS:SourceAccount": "111111111111", "lambda:FunctionUrlAuthType": "NONE",
                "aws:PrincipalOrgID": "o-1234567890", "lambda:EventSourceToken": "amzn1.ask",
            },
            "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::b" },
            "Bool": { "lambda:InvokedViaFunctionUrl": "true" },
        })
    );
    let (policy, _) = policy(&gateway, "greet").await;
    assert_eq!((&policy["Version"], &policy["Id"]), (&json!("2012-10-17"), &json!("default")));
    assert_eq!(sids(&policy), ["s3", "account", "user", "all", "alexa", "url"]);
}

#[tokio::test]
async fn revisions_and_sids_guard_a_policy() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let add = async |body: Value| gateway.on("AddPermission", "greet", &[], body).await;
    add(of_s3("s3", "a")).await.unwrap();
    let (_, first) = policy(&gateway, "greet").await;
    assert_eq!(first, gateway.fixture.functions.find(ACCOUNT, "greet").unwrap().record.revision);
    let refused = add(of_s3("s3", "b")).await.unwrap_err();
    assert_eq!((refused.0, &*refused.1), (409, "ResourceConflictException"));
    assert!(refused.2.starts_with("The statement id (s3) provided already exists."), "{}", refused.2);
    let mut stale = of_s3("more", "b");
    stale["RevisionId"] = json!("another");
    let refused = add(stale.clone()).await.unwrap_err();
    assert_eq!((refused.0, &*refused.1), (412, "PreconditionFailedException"));
    stale["RevisionId"] = json!(first);
    add(stale).await.unwrap();
    let (_, second) = policy(&gateway, "greet").await;
    assert_ne!(first, second);

    let remove = async |sid: &str, query: &[(&str, &str)]| {
        let path = [("FunctionName", "greet"), ("StatementId", sid)];
        gateway.call("RemovePermission", &path, query, &Value::Null).await
    };
    assert_eq!(remove("s3", &[("RevisionId", &first)]).await.unwrap_err().0, 412);
    let refused = remove("none", &[]).await.unwrap_err();
    assert_eq!((refused.0, &*refused.2), (404, "Statement none is not found in resource policy."));
    assert_eq!(remove("s3", &[("RevisionId", &second)]).await, Ok((204, Value::Null)));
    assert_eq!(sids(&policy(&gateway, "greet").await.0), ["more"]);
    assert_eq!(remove("more", &[]).await, Ok((204, Value::Null)));
    let refused = gateway.on("GetPolicy", "greet", &[], Value::Null).await.unwrap_err();
    assert_eq!((refused.0, &*refused.2), (404, "The resource you requested does not exist."));
}

#[tokio::test]
async fn what_is_not_there_or_not_right_is_refused() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let refused = async |function: &str, change: Value| {
        let mut body = of_s3("s", "b");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        gateway.on("AddPermission", function, &[], body).await.unwrap_err()
    };
    for (function, change, status, code, says) in [
        ("none", json!({}), 404, "ResourceNotFoundException", "Function not found: arn:"),
        ("greet:7", json!({}), 404, "ResourceNotFoundException", "greet:7"),
        ("greet:PROD", json!({}), 404, "ResourceNotFoundException", "greet:PROD"),
        ("greet:$LATEST", json!({}), 400, "InvalidParameterValueException", "adding policies for $LATEST."),
        (
            "greet",
            json!({ "Principal": "example.com" }),
            400,
            "InvalidParameterValueException",
            "The provided principal was invalid.",
        ),
        (
            "greet",
            json!({ "Principal": "arn:aws:iam::1:user/a" }),
            400,
            "InvalidParameterValueException",
            "The provided principal was invalid.",
        ),
        ("greet", json!({ "Principal": null }), 400, "ValidationException", "'principal'"),
        ("greet", json!({ "StatementId": "a b" }), 400, "ValidationException", "'statementId'"),
        ("greet", json!({ "Action": "s3:GetObject" }), 400, "ValidationException", "'action'"),
        ("greet", json!({ "SourceArn": "photos" }), 400, "ValidationException", "'sourceArn'"),
        ("greet", json!({ "SourceAccount": "1" }), 400, "ValidationException", "'sourceAccount'"),
        ("greet", json!({ "PrincipalOrgID": "org" }), 400, "ValidationException", "'principalOrgID'"),
        (
            "greet",
            json!({ "FunctionUrlAuthType": "SOME" }),
            400,
            "ValidationException",
            "'functionUrlAuthType'",
        ),
    ] {
        let answer = refused(function, change.clone()).await;
        assert_eq!((answer.0, &*answer.1), (status, code), "{function} {change}");
        assert!(answer.2.contains(says), "{function} {change}: {}", answer.2);
    }
    let long = "x".repeat(9_000);
    let add = async |sid: &str| {
        let body = json!({ "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
                           "SourceArn": format!("arn:aws:s3:::{long}") });
        gateway.on("AddPermission", "greet", &[], body).await
    };
    add("one").await.unwrap();
    add("two").await.unwrap();
    let refused = add("three").await.unwrap_err();
    assert_eq!((refused.0, &*refused.1), (400, "PolicyLengthExceededException"));
    assert!(refused.2.starts_with("The final policy size (27"), "{}", refused.2);
    assert!(refused.2.ends_with("is bigger than the limit (20480)."), "{}", refused.2);
    assert_eq!(sids(&policy(&gateway, "greet").await.0), ["one", "two"]);
}

#[tokio::test]
async fn versions_and_aliases_have_policies_of_their_own() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.on("PublishVersion", "greet", &[], json!({})).await.unwrap();
    let alias = json!({ "Name": "PROD", "FunctionVersion": "1" });
    gateway.on("CreateAlias", "greet", &[], alias).await.unwrap();
    let function = || gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    let before = function().record.revision.clone();
    for qualifier in ["1", "PROD"] {
        let query = [("Qualifier", qualifier)];
        let (_, answer) = gateway.on("AddPermission", "greet", &query, of_s3("s3", "b")).await.unwrap();
        let statement: Value = serde_json::from_str(answer["Statement"].as_str().unwrap()).unwrap();
        assert_eq!(statement["Resource"], arn(&format!("greet:{qualifier}")));
        let named = format!("greet:{qualifier}");
        assert_eq!(sids(&policy(&gateway, &named).await.0), ["s3"]);
    }
    assert_eq!(function().record.revision, before, "the function's own revision is another one");
    assert!(gateway.on("GetPolicy", "greet", &[], Value::Null).await.is_err());
    let source = EventSource {
        service: "s3.amazonaws.com".to_owned(),
        arn: Some("arn:aws:s3:::b".to_owned()),
        ..EventSource::default()
    };
    for (qualifier, allowed) in
        [(None, false), (Some("1"), true), (Some("PROD"), true), (Some("$LATEST"), false)]
    {
        let reference = FunctionRef { qualifier: qualifier.map(str::to_owned), ..named("greet") };
        let permitted = gateway.fixture.functions.permit_source(&reference, &source, NOW);
        assert_eq!(permitted.is_ok(), allowed, "{qualifier:?}");
        if let Ok((_, target)) = permitted {
            assert_eq!(&*target.unwrap().version, "1");
        }
    }
    let path = [("FunctionName", "greet"), ("Name", "PROD")];
    gateway.call("DeleteAlias", &path, &[], &Value::Null).await.unwrap();
    assert!(gateway.on("GetPolicy", "greet", &[("Qualifier", "PROD")], Value::Null).await.is_err());
}

#[tokio::test]
async fn a_policy_is_put_whole_and_replaces_what_was_there() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.on("AddPermission", "greet", &[], of_s3("s3", "b")).await.unwrap();
    let (_, revision) = policy(&gateway, "greet").await;
    let greet = arn("greet");
    let put = async |text: &str, revision: Option<&str>| {
        let body = json!({ "Policy": text, "RevisionId": revision });
        gateway.call("PutResourcePolicy", &[("ResourceArn", &greet)], &[], &body).await
    };
    let text =
        json!({ "Version": "2012-10-17", "Statement": { "Sid": "No", "Effect": "Deny", "Principal": "*",
                       "Action": "lambda:*", "Resource": greet } })
        .to_string();
    assert_eq!(put(&text, Some("00000000-0000-0000-0000-000000000000")).await.unwrap_err().0, 412);
    let (status, answer) = put(&text, Some(&revision)).await.unwrap();
    assert_eq!((status, answer["Policy"].as_str()), (200, Some(&*text)));
    let got = gateway.call("GetResourcePolicy", &[("ResourceArn", &greet)], &[], &Value::Null).await.unwrap();
    assert_eq!(got.1, answer);
    assert_ne!(answer["RevisionId"], json!(revision));
    // What AddPermission adds stands beside it.
    gateway.on("AddPermission", "greet", &[], of_s3("s3", "b")).await.unwrap();
    assert_eq!(sids(&policy(&gateway, "greet").await.0), ["No", "s3"]);
    let source = EventSource {
        service: "s3.amazonaws.com".to_owned(),
        arn: Some("arn:aws:s3:::b".to_owned()),
        ..EventSource::default()
    };
    let denial = gateway.fixture.functions.permit_source(&named("greet"), &source, NOW).unwrap_err();
    assert!(matches!(denial.reason, Reason::ResourceDenies(by) if by.statement == 0), "{denial:?}");

    let refused =
        put(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#, None)
            .await
            .unwrap_err();
    assert_eq!(&*refused.1, "InvalidParameterValueException");
    assert_eq!(refused.2, "Statement 1, Principal: Missing required field Principal.");
    let delete = async |query: &[(&str, &str)]| {
        gateway.call("DeleteResourcePolicy", &[("ResourceArn", &greet)], query, &Value::Null).await
    };
    assert_eq!(delete(&[("RevisionId", &revision)]).await.unwrap_err().0, 412);
    assert_eq!(delete(&[]).await, Ok((204, Value::Null)));
    assert_eq!(delete(&[]).await.unwrap_err().0, 404);
    for wrong in ["greet", "arn:aws:s3:::b", "arn:aws:lambda:us-east-1:000000000000:runtime/x"] {
        let refused = gateway
            .call("GetResourcePolicy", &[("ResourceArn", wrong)], &[], &Value::Null)
            .await
            .unwrap_err();
        assert_eq!(&*refused.1, "ValidationException", "{wrong}");
    }
}

#[tokio::test]
async fn statements_that_say_the_same_are_kept_under_every_sid() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    for sid in ["one", "two", "three"] {
        gateway.on("AddPermission", "greet", &[], of_s3(sid, "b")).await.unwrap();
    }
    assert_eq!(sids(&policy(&gateway, "greet").await.0), ["one", "two", "three"]);
    let source = EventSource {
        service: "s3.amazonaws.com".to_owned(),
        arn: Some("arn:aws:s3:::b".to_owned()),
        ..EventSource::default()
    };
    for sid in ["one", "two", "three"] {
        assert!(gateway.fixture.functions.permit_source(&named("greet"), &source, NOW).is_ok());
        let path = [("FunctionName", "greet"), ("StatementId", sid)];
        gateway.call("RemovePermission", &path, &[], &Value::Null).await.unwrap();
    }
    assert!(gateway.fixture.functions.permit_source(&named("greet"), &source, NOW).is_err());
}

#[tokio::test]
async fn policy_is_asked_with_the_policy_and_the_principal() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.on("AddPermission", "greet", &[], of_s3("s3", "b")).await.unwrap();
    gateway.resources();
    gateway.asked();
    gateway.on("AddPermission", "greet", &[], of_s3("more", "b")).await.unwrap();
    assert_eq!(gateway.asked(), [format!("lambda:AddPermission {}", arn("greet"))]);
    let resources = gateway.resources();
    assert_eq!(resources[0].keys, [("lambda:principal", "s3.amazonaws.com".to_owned())]);
    assert!(resources[0].policy.is_some());
}
