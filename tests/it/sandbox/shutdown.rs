//! The gateway's going down.

use std::time::Duration;

use callgate::dispatch::DispatchError;

use super::{
    processes::{self, Living},
    stand::{Stand, invocation, value},
};

const WAIT: &str = "exports.handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, event.wait));
  return 'done';
}";

/// Waits until a call runs.
async fn runs(stand: &Stand) {
    let running = async {
        while stand.running() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap();
}

#[tokio::test]
async fn running_calls_end_and_new_ones_are_refused() {
    let stand = Stand::new().await;
    stand.deploy("fn", WAIT).await;
    stand.value("fn", r#"{"wait":0}"#).await;
    let (begun, begins) = tokio::sync::oneshot::channel();
    let refused = async {
        begins.await.unwrap();
        stand.run("fn", invocation("fn", r#"{"wait":0}"#)).await
    };
    let down = async {
        runs(&stand).await;
        // Whoever hears it is polled only after the shutdown has been.
        begun.send(()).unwrap();
        stand.dispatch.shutdown(Duration::from_secs(10)).await;
    };
    let (answer, refused, ()) = tokio::join!(stand.value("fn", r#"{"wait":200}"#), refused, down);
    assert_eq!(answer, "done");
    assert_eq!(refused, Err(DispatchError::ShuttingDown));
    stand.close().await;
}

#[tokio::test]
async fn what_does_not_end_in_time_is_killed() {
    let stand = Stand::new().await;
    stand.deploy("fn", WAIT).await;
    stand.value("fn", r#"{"wait":0}"#).await;
    let living = Living::of(stand.mark);
    // Bubblewrap's monitor, our first process, Node.js.
    assert_eq!(living.count(), 3);
    let down = async {
        runs(&stand).await;
        stand.dispatch.shutdown(Duration::from_millis(50)).await;
    };
    let ((_, error), ()) = tokio::join!(stand.error("fn", r#"{"wait":15000}"#), down);
    assert_eq!(error["errorMessage"], "RequestId: ID Error: Runtime exited with error: signal: killed");
    living.ended().await;
    assert_eq!(processes::of(stand.mark), Vec::<u32>::new());
    stand.close().await;
}

#[tokio::test]
async fn children_of_a_function_go_with_its_sandbox() {
    let stand = Stand::new().await;
    stand
        .deploy(
            "fn",
            "exports.handler = async () => {
  const { spawn } = require('node:child_process');
  // One of its own session, one that ignores what it can, and one without a parent.
  spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref();
  spawn('sh', ['-c', \"trap '' TERM HUP INT; sleep 1000\"], { stdio: 'ignore' }).unref();
  spawn('sh', ['-c', 'sleep 1000 & exit'], { stdio: 'ignore' }).unref();
  return 'left';
}",
        )
        .await;
    assert_eq!(value(&stand.outcome("fn", "").await), "left");
    assert!(Living::of(stand.mark).count() >= 5);
    stand.close().await;
}
