//! TagResource, UntagResource, ListTags

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    api::lambda::testing::{Gateway, arn},
    functions::testing::ACCOUNT,
};

async fn tags(gateway: &Gateway) -> Value {
    let (status, answer) = gateway.on_tags("ListTags", &arn("greet"), &[], Value::Null).await.unwrap();
    assert_eq!(status, 200);
    answer["Tags"].clone()
}

#[tokio::test]
async fn tags_are_given_replaced_and_taken() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let function = || gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    let before = function();
    assert_eq!(tags(&gateway).await, json!({}));
    let tag =
        async |tags: Value| gateway.on_tags("TagResource", &arn("greet"), &[], json!({ "Tags": tags })).await;
    assert_eq!(tag(json!({"A": "a", "B": "b"})).await, Ok((204, Value::Null)));
    assert_eq!(tag(json!({"B": "new", "C": "c"})).await, Ok((204, Value::Null)));
    assert_eq!(tags(&gateway).await, json!({"A": "a", "B": "new", "C": "c"}));
    let untag = [("tagKeys", "A"), ("tagKeys", "C"), ("tagKeys", "unknown")];
    assert_eq!(
        gateway.on_tags("UntagResource", &arn("greet"), &untag, Value::Null).await,
        Ok((204, Value::Null))
    );
    assert_eq!(tags(&gateway).await, json!({"B": "new"}));
    assert_ne!(function().record.revision, before.record.revision);
    assert_eq!(function().generation, before.generation, "tags mean nothing to sandboxes");
}

#[tokio::test]
async fn a_tag_says_where_a_function_may_connect_to() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let function = || gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    let tag = async |text: &str| {
        let tags = json!({ "Tags": { "callgate:network": text } });
        gateway.on_tags("TagResource", &arn("greet"), &[], tags).await
    };
    assert_eq!(function().egress, None);
    let mut generation = function().generation.clone();
    for said in ["none", "api.example.com:443 8.8.8.8:53/udp", "internet"] {
        assert_eq!(tag(said).await, Ok((204, Value::Null)));
        assert_eq!(function().egress.as_ref().unwrap().to_string(), said);
        assert_ne!(function().generation, generation, "sandboxes of before may go elsewhere");
        generation = function().generation.clone();
    }
    assert_eq!(tag("internet").await, Ok((204, Value::Null)));
    assert_eq!(function().generation, generation);
    for (said, why) in [
        ("all", "\"all\" must be a host and a port, such as api.example.com:443"),
        ("10.0.0.1:80", "\"10.0.0.1:80\" is not a public address: functions reach public addresses only"),
    ] {
        let refused = tag(said).await.unwrap_err();
        assert!(format!("{refused:?}").contains("The tag callgate:network"), "{refused:?}");
        assert!(
            format!("{refused:?}").contains(&why.replace('"', "\\\""))
                || format!("{refused:?}").contains(why),
            "{refused:?}"
        );
    }
    assert_eq!(function().egress.as_ref().unwrap().to_string(), "internet");
}

#[tokio::test]
async fn a_tag_says_what_a_callers_leaving_means() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let function = || gateway.fixture.functions.find(ACCOUNT, "greet").unwrap();
    let before = function();
    assert!(!before.leaving_cancels);
    let tag = async |text: &str| {
        let tags = json!({ "Tags": { "callgate:on-disconnect": text } });
        gateway.on_tags("TagResource", &arn("greet"), &[], tags).await
    };
    for said in ["", "continue", "Cancel"] {
        let refused = format!("{:?}", tag(said).await.unwrap_err());
        assert!(refused.contains("The tag callgate:on-disconnect must be cancel"), "{refused}");
    }
    assert_eq!(tag("cancel").await, Ok((204, Value::Null)));
    assert!(function().leaving_cancels);
    assert_eq!(function().generation, before.generation, "its sandboxes stay");
    let untag = [("tagKeys", "callgate:on-disconnect")];
    gateway.on_tags("UntagResource", &arn("greet"), &untag, Value::Null).await.unwrap();
    assert!(!function().leaving_cancels);
}

#[tokio::test]
async fn policy_sees_the_tags_that_are_set() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.resources();
    gateway.asked();
    gateway.on_tags("TagResource", &arn("greet"), &[], json!({"Tags": {"A": "a"}})).await.unwrap();
    assert_eq!(gateway.asked(), [format!("lambda:TagResource {}", arn("greet"))]);
    let asked = gateway.resources();
    assert_eq!(asked[0].request_tags.as_ref().unwrap()["A"], "a");
    assert!(asked[0].tags.as_ref().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_function_has_no_tags() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let uuid = "3e1a4a41-1c67-4f79-a4f6-0b4b4e7ad1c5";
    let mapping = format!("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}");
    for (resource, status, code, message) in [
        (arn("other"), 404, "ResourceNotFoundException", format!("Function not found: {}", arn("other"))),
        (
            arn("greet:v1"),
            400,
            "InvalidParameterValueException",
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
                .to_owned(),
        ),
        (
            mapping.clone(),
            404,
            "ResourceNotFoundException",
            format!("Event source mapping not found: {mapping}"),
        ),
        (
            arn("greet").replace("us-east-1", "eu-west-1"),
            404,
            "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')".to_owned(),
        ),
    ] {
        let refused = gateway.on_tags("ListTags", &resource, &[], Value::Null).await.unwrap_err();
        assert_eq!(refused, (status, code.to_owned(), message), "{resource}");
    }
    for resource in
        ["arn:aws:something", "greet", &format!("{mapping}:alias"), &mapping.replace("event", "foo")]
    {
        let (_, code, message) = gateway.on_tags("ListTags", resource, &[], Value::Null).await.unwrap_err();
        assert_eq!(code, "ValidationException", "{resource}");
        assert!(
            message.starts_with(&format!(
                "1 validation error detected: Value '{resource}' at 'resource' failed"
            ))
        );
    }
}

#[tokio::test]
async fn nothing_to_tag_or_untag_is_refused_as_aws_does() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    assert_eq!(
        gateway.on_tags("TagResource", &arn("greet"), &[], json!({"Tags": {}})).await.unwrap_err(),
        (
            400,
            "InvalidParameterValueException".to_owned(),
            "An error occurred and the request cannot be processed.".to_owned()
        )
    );
    assert_eq!(
        gateway.on_tags("UntagResource", &arn("greet"), &[], Value::Null).await.unwrap_err(),
        (
            400,
            "ValidationException".to_owned(),
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
                .to_owned()
        )
    );
}

#[tokio::test]
async fn a_function_has_at_most_fifty_tags() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let many = |count: usize| {
        let tags: BTreeMap<_, _> = (0..count).map(|n| (n.to_string(), "x")).collect();
        json!({ "Tags": tags })
    };
    let refused = gateway.on_tags("TagResource", &arn("greet"), &[], many(51)).await.unwrap_err();
    assert_eq!(refused.1, "InvalidParameterValueException");
    gateway.on_tags("TagResource", &arn("greet"), &[], many(50)).await.unwrap();
    assert_eq!(tags(&gateway).await.as_object().unwrap().len(), 50);
}
