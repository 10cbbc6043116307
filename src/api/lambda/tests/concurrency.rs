//! PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency, GetAccountSettings; their texts are AWS's (the
//! recordings of lambda-concurrency).

use serde_json::{Value, json};

use crate::api::lambda::testing::Gateway;

async fn put(gateway: &Gateway, name: &str, units: i64) -> Result<Value, (u16, String, String)> {
    let body = json!({"ReservedConcurrentExecutions": units});
    gateway.on("PutFunctionConcurrency", name, &[], body).await.map(|(status, answer)| {
        assert_eq!(status, 200);
        answer
    })
}

#[tokio::test]
async fn a_reserve_is_put_shown_and_taken_back() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let get = async || gateway.on("GetFunctionConcurrency", "greet", &[], Value::Null).await.unwrap().1;
    let shown = async || gateway.on("GetFunction", "greet", &[], Value::Null).await.unwrap().1;
    assert_eq!(get().await, json!({}));
    assert_eq!(shown().await.get("Concurrency"), None);
    let units = |units| json!({"ReservedConcurrentExecutions": units});
    for number in [5, 0, 90] {
        assert_eq!(put(&gateway, "greet", number).await.unwrap(), units(number));
        assert_eq!(get().await, units(number));
        assert_eq!(shown().await["Concurrency"], units(number));
    }
    let settings = gateway.call("GetAccountSettings", &[], &[], &Value::Null).await.unwrap().1;
    assert_eq!(settings["AccountLimit"]["ConcurrentExecutions"], 100);
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 10);
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 1);
    assert!(settings["AccountUsage"]["TotalCodeSize"].as_u64().unwrap() > 0);
    let deleted = gateway.on("DeleteFunctionConcurrency", "greet", &[], Value::Null).await;
    assert_eq!(deleted, Ok((204, Value::Null)));
    assert_eq!(get().await, json!({}));
}

#[tokio::test]
async fn an_unreserved_remainder_is_kept() {
    let gateway = Gateway::new().await;
    gateway.settled("one").await;
    gateway.settled("two").await;
    let refused = |minimum: u32| {
        let text = format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [{minimum}]."
        );
        (400, "InvalidParameterValueException".to_owned(), text)
    };
    assert_eq!(put(&gateway, "one", 91).await, Err(refused(10)));
    put(&gateway, "one", 60).await.unwrap();
    assert_eq!(put(&gateway, "two", 31).await, Err(refused(10)));
    put(&gateway, "two", 30).await.unwrap();
    // Less is never too much, and what a function has counts for it.
    put(&gateway, "one", 59).await.unwrap();
    put(&gateway, "two", 31).await.unwrap();
    assert_eq!(put(&gateway, "one", 60).await, Err(refused(10)));
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_aws_words() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let missing = (
        404,
        "ResourceNotFoundException".to_owned(),
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist:$LATEST".to_owned(),
    );
    assert_eq!(put(&gateway, "doesnotexist", 1).await, Err(missing));
    let (status, code, text) = put(&gateway, "greet:$LATEST", 0).await.unwrap_err();
    assert_eq!((status, &*code), (400, "InvalidParameterValueException"));
    assert_eq!(
        text,
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please \
         specify either a function name or an unqualified function ARN."
    );
    let (status, _, text) = put(&gateway, "greet", -1).await.unwrap_err();
    assert_eq!(status, 400);
    assert!(text.contains("'reservedConcurrentExecutions' failed to satisfy constraint"), "{text}");
    let (_, _, text) = gateway.on("PutFunctionConcurrency", "greet", &[], json!({})).await.unwrap_err();
    assert!(text.contains("Member must not be null"), "{text}");
}

#[tokio::test]
async fn a_function_takes_its_reserve_along() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    put(&gateway, "greet", 90).await.unwrap();
    gateway.on("DeleteFunction", "greet", &[], Value::Null).await.unwrap();
    gateway.feed.catch_up().await.unwrap();
    let settings = gateway.call("GetAccountSettings", &[], &[], &Value::Null).await.unwrap().1;
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    // One of the same name begins without.
    gateway.settled("greet").await;
    let reserved = gateway.on("GetFunctionConcurrency", "greet", &[], Value::Null).await.unwrap().1;
    assert_eq!(reserved, json!({}));
}
