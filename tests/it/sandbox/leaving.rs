//! Callers who leave before their answer. It is owed all the same, and nobody else ever gets it.

use std::time::Duration;

use callgate::dispatch::Options;
use tokio::time::timeout;

use super::stand::{Plan, Stand};

const SLOW_ECHO: &str = "exports.handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, event.wait));
  return event;
}";

async fn stand_of(sandboxes: usize) -> Stand {
    let options = Options { function_sandboxes_max: sandboxes, ..Plan::default().options };
    let stand = Stand::of(Plan { options, ..Plan::default() }).await;
    stand.deploy("echo", SLOW_ECHO).await;
    stand
}

#[tokio::test]
async fn the_next_caller_of_the_sandbox_gets_an_answer_of_its_own() {
    let stand = stand_of(1).await;
    stand.value("echo", r#"{"wait":0}"#).await;
    let left = timeout(Duration::from_millis(50), stand.value("echo", r#"{"wait":400,"who":"first"}"#)).await;
    assert!(left.is_err());
    // The function runs on, and its owner's slot is taken for as long as it does.
    assert_eq!(stand.running(), 1);
    let next = stand.outcome("echo", r#"{"wait":0,"who":"second"}"#).await;
    assert_eq!(&next.payload[..], br#"{"wait":0,"who":"second"}"#);
    assert!(next.cold.is_none(), "the sandbox was used again");
    assert_eq!(stand.running(), 0);
    stand.close().await;
}

#[tokio::test]
async fn one_that_does_not_end_in_time_is_ended() {
    let stand = Stand::new().await;
    stand
        .deploy_with(
            "spin",
            "exports.handler = async (event) => { if (event.spin) for (;;) {} }",
            |settings| {
                settings.timeout_seconds = Some(1);
            },
        )
        .await;
    stand.value("spin", "{}").await;
    let spinning = super::processes::Living::of(stand.mark);
    assert!(timeout(Duration::from_millis(50), stand.value("spin", r#"{"spin":true}"#)).await.is_err());
    spinning.ended().await;
    stand.close().await;
}

#[tokio::test]
async fn who_leaves_while_waiting_costs_nothing() {
    let stand = stand_of(1).await;
    stand.value("echo", r#"{"wait":0}"#).await;
    let (long, left) = tokio::join!(
        stand.value("echo", r#"{"wait":200,"who":"long"}"#),
        timeout(Duration::from_millis(50), stand.value("echo", r#"{"wait":0,"who":"left"}"#)),
    );
    assert_eq!(long["who"], "long");
    assert!(left.is_err());
    assert_eq!(stand.value("echo", r#"{"wait":0,"who":"next"}"#).await["who"], "next");
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn half_an_invocation_ends_the_sandbox_at_once() {
    let stand = Stand::new().await;
    stand
        .deploy(
            "busy",
            "exports.handler = async (event) => {
  if (event.busy) setImmediate(() => { const end = Date.now() + 10_000; while (Date.now() < end); });
  return 'here';
}",
        )
        .await;
    assert_eq!(stand.value("busy", r#"{"busy":true}"#).await, "here");
    // The sandbox does not read, and its socket cannot take all of this.
    let large = format!("\"{}\"", "x".repeat(4 << 20));
    assert!(timeout(Duration::from_millis(50), stand.value("busy", &large)).await.is_err());
    assert_eq!((stand.running(), stand.dispatch.sandboxes()), (0, 0));
    assert_eq!(stand.value("busy", "{}").await, "here");
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_never_cross_under_load() {
    let stand = stand_of(4).await;
    let callers = (0..8_u64).map(|caller| {
        let stand = &stand;
        async move {
            let mut answered = 0;
            for call in 0..60_u64 {
                let payload = format!(r#"{{"wait":{},"caller":{caller},"call":{call}}}"#, call % 4);
                // Some leave at different points of the exchange, some at once.
                let patience = if call % 3 == 0 { (caller * 7 + call) % 6 } else { 20_000 };
                if let Ok(outcome) =
                    timeout(Duration::from_millis(patience), stand.outcome("echo", &payload)).await
                {
                    assert_eq!(outcome.payload, payload.as_bytes());
                    answered += 1;
                }
            }
            answered
        }
    });
    let answered: u32 = futures_util::future::join_all(callers).await.into_iter().sum();
    assert!(answered >= 8 * 40, "{answered}");
    stand.close().await;
}
