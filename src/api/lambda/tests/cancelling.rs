use serde_json::Value;

use crate::{
    api::lambda::testing::{Gateway, arn},
    base::{Caller, Principal, RequestId},
    dispatch::idempotency::{Call, Claim, First, Holders, Key, Kind, Owner, key},
    functions::{FunctionRef, testing::ACCOUNT, testing::region},
};

fn caller(name: &str) -> Caller {
    let principal = match name {
        "root" => Principal::Root,
        name => Principal::User { name: name.into(), id: name.into(), path: "/".into() },
    };
    Caller { account: ACCOUNT, principal, access_key_id: "AKIA".into(), identity: None, session: None }
}

/// A call that runs, for as long as this is held.
fn running(gateway: &Gateway, caller: &Caller, function: &str, kind: Kind, id: &str) -> Box<First> {
    let function = FunctionRef {
        region: region(),
        account: ACCOUNT,
        name: function.to_owned(),
        qualifier: Some("PROD".to_owned()),
    };
    let owner = Owner::of(caller);
    let call = Call {
        key: Key::new(owner, &function, kind, id),
        kind,
        shape: key::shape(function.qualifier.as_deref()),
        print: key::print(b"{}"),
        id: RequestId::from_bytes([1; 16]),
        began: crate::base::Clock::now(&*gateway.fixture.clock),
        holders: Holders::new(owner, [127, 0, 0, 1].into(), None),
        identity: None,
    };
    match gateway.calls.idempotency.claim(call) {
        Claim::First(first) => first,
        other => panic!("it is known: {other:?}"),
    }
}

async fn cancel(gateway: &Gateway, function: &str, id: &str) -> Result<(u16, Value), (u16, String)> {
    let path = [("FunctionName", function), ("InvocationId", id)];
    let answer = gateway.call("CancelInvocation", &path, &[], &Value::Null).await;
    answer.map_err(|(status, code, _)| (status, code))
}

fn not_found() -> (u16, String) {
    (404, "ResourceNotFoundException".to_owned())
}

#[tokio::test]
async fn a_running_call_is_told_to_stop_by_either_kind_of_id() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    gateway.asked();
    for (kind, id) in [(Kind::Key, "a/b c"), (Kind::Sdk, "0f1e")] {
        let first = running(&gateway, &caller("root"), "greet", kind, id);
        assert!(!first.run_of().cancel().is_asked());
        assert_eq!(cancel(&gateway, "greet", id).await, Ok((202, Value::Null)));
        assert!(first.run_of().cancel().is_asked());
        assert_eq!(gateway.asked(), [format!("lambda:InvokeFunction {}", arn("greet"))]);
        // It may be told again for as long as it runs, under any name of the function.
        assert_eq!(cancel(&gateway, &arn("greet:PROD"), id).await, Ok((202, Value::Null)));
        assert_eq!(gateway.asked(), [format!("lambda:InvokeFunction {}", arn("greet:PROD"))]);
        drop(first);
        assert_eq!(cancel(&gateway, "greet", id).await, Err(not_found()));
        gateway.asked();
    }
}

#[tokio::test]
async fn nobody_elses_call_is_and_no_other() {
    let gateway = Gateway::new().await;
    gateway.settled("greet").await;
    let others = running(&gateway, &caller("ann"), "greet", Kind::Key, "id");
    let elsewhere = running(&gateway, &caller("root"), "part", Kind::Key, "id");
    for id in ["id", "", "never", "id "] {
        assert_eq!(cancel(&gateway, "greet", id).await, Err(not_found()), "{id:?}");
    }
    assert!(!others.run_of().cancel().is_asked() && !elsewhere.run_of().cancel().is_asked());
}
