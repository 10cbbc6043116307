//! The ways in which an invocation can end. After each that is not the function's own answer, its sandbox is gone.

use callgate::{
    base::ColdStart,
    dispatch::FunctionError::{Handled, Unhandled},
};
use serde_json::{Value, json};

use super::{
    processes::Living,
    stand::{Stand, invocation},
};

/// Has a function with this body end in `error`, then another call of it answered by a new sandbox.
async fn ends(body: &str, error: Value) {
    let stand = Stand::new().await;
    let code =
        format!("exports.handler = async (event, context) => {{ if (event.well) return 'well'; {body} }}");
    stand.deploy_with("fn", &code, |settings| settings.timeout_seconds = Some(2)).await;
    assert_eq!(stand.value("fn", r#"{"well":true}"#).await, "well");
    let ending = Living::of(stand.mark);
    assert_eq!(stand.error("fn", "{}").await, (Unhandled, error), "{body}");
    ending.ended().await;
    let after = stand.outcome("fn", r#"{"well":true}"#).await;
    assert_eq!(after.cold, Some(ColdStart::AfterFailure), "{body}");
    stand.close().await;
}

fn exit(how: &str) -> Value {
    json!({ "errorType": "Runtime.ExitError", "errorMessage": format!("RequestId: ID Error: Runtime {how}") })
}

#[tokio::test]
async fn out_of_time_in_a_busy_loop() {
    ends(
        "for (;;) {}",
        json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: ID Error: Task timed out after 2.00 seconds",
        }),
    )
    .await;
}

#[tokio::test]
async fn by_exiting_without_an_error() {
    ends("process.exit(0)", exit("exited without providing a reason")).await;
}

#[tokio::test]
async fn by_exiting_with_a_status() {
    ends("process.exit(3)", exit("exited with error: exit status 3")).await;
}

#[tokio::test]
async fn by_a_signal() {
    ends("process.kill(process.pid, 'SIGKILL'); for (;;) {}", exit("exited with error: signal: killed"))
        .await;
}

#[tokio::test]
async fn out_of_memory() {
    ends(
        "const all = []; for (;;) all.push(new Array(1e5).fill(0.5))",
        json!({
            "errorType": "Runtime.OutOfMemory",
            "errorMessage": "RequestId: ID Error: Runtime exited with error: signal: killed",
        }),
    )
    .await;
}

#[tokio::test]
async fn by_garbage_on_the_socket() {
    ends(
        "require('node:fs').writeSync(4, 'this is no frame'); for (;;) {}",
        exit("exited without providing a reason"),
    )
    .await;
}

#[tokio::test]
async fn by_answering_for_another_invocation() {
    // A RESULT whose id is all zeros.
    ends(
        "require('node:fs').writeSync(4, Buffer.concat([Buffer.from([18, 0, 0, 0, 0x84, 0, 0, 0]), Buffer.alloc(17), Buffer.from('1')]));
         for (;;) {}",
        exit("exited without providing a reason"),
    )
    .await;
}

#[tokio::test]
async fn by_announcing_more_than_may_be_sent() {
    ends(
        "require('node:fs').writeSync(4, Buffer.from([255, 255, 255, 255, 0x84, 0, 0, 0])); for (;;) {}",
        exit("exited without providing a reason"),
    )
    .await;
}

#[tokio::test]
async fn a_response_that_is_too_large_spares_the_sandbox() {
    let stand = Stand::new().await;
    stand.deploy("fn", "exports.handler = async (event) => 'x'.repeat(event.length)").await;
    assert_eq!(
        stand.error("fn", r#"{"length":6291555}"#).await,
        (
            Unhandled,
            json!({
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            })
        )
    );
    // With its quotes this one is exactly as long as may be.
    let largest = stand.outcome("fn", r#"{"length":6291554}"#).await;
    assert_eq!((largest.payload.len(), largest.cold), (6_291_556, None));
    stand.close().await;
}

#[tokio::test]
async fn with_an_error_that_was_thrown() {
    let stand = Stand::new().await;
    stand.deploy("fn", "exports.handler = async () => { throw new TypeError('no') }").await;
    for _ in 0..2 {
        let (kind, error) = stand.error("fn", "").await;
        assert_eq!(
            (kind, &error["errorType"], &error["errorMessage"]),
            (Unhandled, &json!("TypeError"), &json!("no"))
        );
        assert!(error["trace"][0].as_str().unwrap().contains("TypeError: no"), "{error}");
    }
    // It is the function's own answer.
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn the_classic_way() {
    let stand = Stand::new().await;
    let code = "exports.handler = (event, context) => {
  if (event.fail) context.fail(new Error('no'));
  else if (event.spin) for (;;) {}
  else if (event.exit) process.exit(1);
}";
    stand
        .deploy_with("fn", code, |settings| {
            settings.runtime = Some("nodejs".to_owned());
            settings.timeout_seconds = Some(1);
        })
        .await;
    let (kind, error) = stand.error("fn", r#"{"fail":true}"#).await;
    assert_eq!((kind, &error["errorMessage"]), (Handled, &json!("no")));
    let unfinished = json!({ "errorMessage": "RequestId: ID Process exited before completing request" });
    assert_eq!(stand.error("fn", "{}").await, (Unhandled, unfinished.clone()));
    assert_eq!(stand.error("fn", r#"{"exit":true}"#).await, (Unhandled, unfinished));
    let (kind, error) = stand.error("fn", r#"{"spin":true}"#).await;
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.ends_with("Z ID Task timed out after 1.00 seconds"), "{message}");
    assert_eq!((kind, error.get("errorType")), (Unhandled, None));
    stand.close().await;
}

/// Has a function with this code fail to load, with an error of this type and message.
async fn does_not_load(code: &str, kind: &str, message: &str) {
    let stand = Stand::new().await;
    stand.deploy("fn", code).await;
    for _ in 0..2 {
        let (whose, error) = stand.error("fn", "").await;
        assert_eq!((whose, error["errorType"].as_str()), (Unhandled, Some(kind)), "{error}");
        let told = error["errorMessage"].as_str().unwrap();
        assert!(told.contains(message), "{told}");
        assert_eq!(stand.dispatch.sandboxes(), 0);
    }
    stand.close().await;
}

#[tokio::test]
async fn before_it_began_because_of_a_missing_module() {
    does_not_load("require('missing')", "Runtime.ImportModuleError", "Cannot find module 'missing'").await;
}

#[tokio::test]
async fn before_it_began_because_of_a_missing_handler() {
    does_not_load("exports.other = 1", "Runtime.HandlerNotFound", "index.handler").await;
}

#[tokio::test]
async fn before_it_began_because_of_its_syntax() {
    does_not_load("exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError").await;
}

#[tokio::test]
async fn before_it_began_by_exiting() {
    does_not_load("process.exit(9)", "Runtime.ExitError", "Runtime exited with error: exit status 9").await;
}

#[tokio::test]
async fn a_function_that_does_not_load_fails_every_call_that_waits() {
    let stand = Stand::new().await;
    stand.deploy("fn", "throw new RangeError('never')").await;
    let calls = (0..6).map(|_| stand.run("fn", invocation("fn", "")));
    for outcome in futures_util::future::join_all(calls).await {
        let outcome = outcome.unwrap();
        assert_eq!(outcome.function_error, Some(Unhandled));
        assert!(String::from_utf8_lossy(&outcome.payload).contains("RangeError"), "{outcome:?}");
    }
    stand.close().await;
}
