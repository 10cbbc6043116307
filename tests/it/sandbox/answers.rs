//! What callers get, and from which sandbox.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use callgate::{
    base::{CallerIdentity, ColdStart, Timestamp, clock::MockClock},
    dispatch::{Invocation, Options},
    functions::{FunctionError, change::CodeUpdate},
};
use serde_json::json;

use super::{
    processes::Living,
    stand::{Plan, Stand, invocation, package, until, value},
};

/// Says which sandbox it is, and how often it was called.
const COUNTER: &str = "
const id = require('node:crypto').randomUUID();
let calls = 0;
exports.handler = async (event) => {
  calls += 1;
  await new Promise((resolve) => setTimeout(resolve, event.wait ?? 0));
  return { id, calls, event };
};";

#[tokio::test]
async fn a_sandbox_is_used_again_and_loads_once() {
    let stand = Stand::new().await;
    stand.deploy("counter", COUNTER).await;
    let first = stand.outcome("counter", r#"{"n":1}"#).await;
    let second = stand.outcome("counter", r#"{"n":2}"#).await;
    assert_eq!((first.cold, second.cold), (Some(ColdStart::NewFunction), None));
    let (first, second) = (value(&first), value(&second));
    assert_eq!(first["event"], json!({ "n": 1 }));
    assert_eq!(second, json!({ "id": first["id"], "calls": 2, "event": { "n": 2 } }));
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn calls_at_the_same_time_get_different_sandboxes() {
    let stand = Stand::new().await;
    stand.deploy("counter", COUNTER).await;
    let both = async || {
        tokio::join!(stand.value("counter", r#"{"wait":300}"#), stand.value("counter", r#"{"wait":300}"#))
    };
    both().await;
    // A second sandbox was started; on a busy machine it may have come too late for the second call.
    until("both stand still", || stand.dispatch.frozen() == 2).await;
    let (first, second) = both().await;
    assert_ne!(first["id"], second["id"]);
    stand.close().await;
}

#[tokio::test]
async fn more_calls_than_sandboxes_are_all_answered() {
    let options = Options { function_sandboxes_max: 2, ..Plan::default().options };
    let stand = Stand::of(Plan { options, ..Plan::default() }).await;
    stand.deploy("counter", COUNTER).await;
    let calls = (0..20).map(|n| {
        let stand = &stand;
        async move {
            let payload = format!(r#"{{"n":{n},"wait":5}}"#);
            assert_eq!(stand.value("counter", &payload).await["event"]["n"], n);
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(stand.dispatch.sandboxes(), 2);
    stand.close().await;
}

#[tokio::test]
async fn quick_calls_do_not_wait_for_sandboxes_that_long_ones_hold_up() {
    let options = Options { busy_sandboxes: 2, ..Plan::default().options };
    let stand = Stand::of(Plan { options, ..Plan::default() }).await;
    stand.deploy("counter", COUNTER).await;
    // So that it is known for a quick one.
    for _ in 0..20 {
        stand.value("counter", "{}").await;
    }
    let long = || stand.value("counter", r#"{"wait":20000}"#);
    let quick = async {
        for _ in 0..10 {
            stand.value("counter", "{}").await;
        }
    };
    tokio::select! {
        biased;
        _ = async { tokio::join!(long(), long()) } => panic!("the quick ones came after the long ones"),
        () = quick => {}
    }
    stand.close().await;
}

#[tokio::test]
async fn tmp_is_kept_and_private() {
    let stand = Stand::new().await;
    let code = "
const fs = require('node:fs');
exports.handler = async () => {
  const before = fs.readdirSync('/tmp');
  fs.writeFileSync('/tmp/kept', 'x');
  return before;
};";
    stand.deploy("one", code).await;
    stand.deploy("other", code).await;
    assert_eq!(stand.value("one", "").await, json!([]));
    assert_eq!(stand.value("one", "").await, json!(["kept"]));
    assert_eq!(stand.value("other", "").await, json!([]));
    stand.close().await;
}

#[tokio::test]
async fn new_code_gets_a_new_sandbox_and_the_old_one_goes() {
    let stand = Stand::new().await;
    stand.deploy("fn", "exports.handler = async () => 'old'").await;
    assert_eq!(stand.value("fn", "").await, "old");
    let old = Living::of(stand.mark);
    let zip = package("exports.handler = async () => 'new'");
    let update = async {
        // It becomes active in the background, and cannot be changed before.
        while let Err(refused) = stand
            .functions
            .update_code(&stand.named("fn"), CodeUpdate { zip: zip.clone(), ..CodeUpdate::default() })
            .await
        {
            assert!(matches!(refused, FunctionError::Busy(_)), "{refused}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), update).await.unwrap();
    assert_eq!(stand.value("fn", "").await, "new");
    old.ended().await;
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn a_sandbox_goes_when_it_was_idle_for_long() {
    let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
    let stand = Stand::of(Plan { clock: clock.clone(), ..Plan::default() }).await;
    stand.deploy("counter", COUNTER).await;
    stand.value("counter", "{}").await;
    clock.advance(Duration::from_secs(299));
    stand.dispatch.sweep();
    assert_eq!(stand.value("counter", "{}").await["calls"], 2);
    let idle = Living::of(stand.mark);
    clock.advance(Duration::from_secs(301));
    stand.dispatch.sweep();
    assert_eq!(stand.dispatch.sandboxes(), 0);
    idle.ended().await;
    assert_eq!(stand.value("counter", "{}").await["calls"], 1);
    stand.close().await;
}

#[tokio::test]
async fn the_coldest_sandbox_of_another_function_makes_room() {
    let options = Options { sandboxes_max: 1, ..Plan::default().options };
    let stand = Stand::of(Plan { options, ..Plan::default() }).await;
    stand.deploy("one", COUNTER).await;
    stand.deploy("other", COUNTER).await;
    assert_eq!(stand.value("one", "{}").await["calls"], 1);
    assert_eq!(stand.value("other", "{}").await["calls"], 1);
    assert_eq!(stand.value("one", "{}").await["calls"], 1);
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn the_sandboxes_of_a_deleted_function_go() {
    let stand = Stand::new().await;
    stand.deploy("counter", COUNTER).await;
    stand.value("counter", "{}").await;
    let living = Living::of(stand.mark);
    stand.dispatch.retire(callgate::base::AccountId::DEFAULT, "counter");
    living.ended().await;
    assert_eq!(stand.dispatch.sandboxes(), 0);
    stand.close().await;
}

#[tokio::test]
async fn a_sandbox_that_ended_by_itself_costs_no_call() {
    // It must not be frozen on its way out.
    let stand = Stand::of(Plan { freeze_delay: Duration::from_secs(1), ..Plan::default() }).await;
    stand
        .deploy(
            "leaver",
            "exports.handler = async () => { setImmediate(() => process.exit(7)); return 'bye'; }",
        )
        .await;
    let began = Living::of(stand.mark);
    assert_eq!(began.count(), 0);
    assert_eq!(stand.value("leaver", "").await, "bye");
    Living::of(stand.mark).ended().await;
    let again = stand.outcome("leaver", "").await;
    assert_eq!((value(&again), again.cold), (json!("bye"), Some(ColdStart::AfterFailure)));
    stand.close().await;
}

#[tokio::test]
async fn the_largest_payload_comes_back_whole() {
    let stand = Stand::new().await;
    stand.deploy("echo", "exports.handler = async (event) => event").await;
    let payload = format!("\"{}\"", "é".repeat((6_291_456 - 2) / 2));
    assert_eq!(payload.len(), 6_291_456);
    for _ in 0..2 {
        let outcome = stand.outcome("echo", &payload).await;
        assert!(outcome.payload == payload.as_bytes());
    }
    stand.close().await;
}

#[tokio::test]
async fn the_context_says_who_calls_and_what_the_device_claims() {
    let stand = Stand::new().await;
    stand
        .deploy(
            "who",
            "exports.handler = async (event, context) => ({
  identity: context.identity, client: context.clientContext, arn: context.invokedFunctionArn,
  id: context.awsRequestId, memory: context.memoryLimitInMB, left: context.getRemainingTimeInMillis(),
})",
        )
        .await;
    let identity = CallerIdentity {
        pool_id: "us-east-1:pool".to_owned(),
        identity_id: "us-east-1:me".to_owned(),
        ..CallerIdentity::default()
    };
    let call = Invocation {
        identity: Some(Arc::new(identity)),
        client_context: Some(Bytes::from_static(br#"{"client":{"app_title":"Demo"}}"#)),
        ..invocation("who", "")
    };
    let id = call.id.to_string();
    let seen = value(&stand.run("who", call).await.unwrap());
    assert_eq!(seen["identity"]["cognitoIdentityId"], "us-east-1:me");
    assert_eq!(seen["identity"]["cognitoIdentityPoolId"], "us-east-1:pool");
    assert_eq!(seen["client"]["client"]["app_title"], "Demo");
    assert_eq!(seen["arn"], "arn:aws:lambda:us-east-1:000000000000:function:who");
    assert_eq!((&seen["id"], &seen["memory"]), (&json!(id), &json!("128")));
    let left = seen["left"].as_f64().unwrap();
    assert!((0.0..=20_000.0).contains(&left), "{left}");
    // The next caller's is not the last one's.
    assert_eq!(stand.value("who", "").await.get("identity"), None);
    stand.close().await;
}
