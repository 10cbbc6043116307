//! Idle sandboxes stand still, and the next call wakes them.

use std::time::Duration;

use serde_json::json;

use super::stand::{Plan, Stand};

/// Only a failing test gets there.
const HANG: Duration = Duration::from_secs(20);

async fn stand(freeze_delay_ms: u64) -> Stand {
    Stand::of(Plan { freeze_delay: Duration::from_millis(freeze_delay_ms), ..Plan::default() }).await
}

/// Waits until so many stand still.
async fn frozen(stand: &Stand, count: usize) {
    let until = async {
        while stand.dispatch.frozen() != count {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(HANG, until).await.is_ok(), "{} stand still", stand.dispatch.frozen());
}

#[tokio::test]
async fn an_idle_sandbox_is_frozen_and_the_next_call_wakes_it() {
    let stand = stand(0).await;
    // What a call leaves to a timer goes on in a later call.
    stand
        .deploy(
            "fn",
            "let fired = 0;
             const again = () => { fired += 1; setTimeout(again, 1); };
             again();
             exports.handler = async (event, context) => {
               const before = fired;
               while (fired === before) await new Promise((ok) => setImmediate(ok));
               return [context.frozenMs, fired > before];
             };",
        )
        .await;
    assert_eq!(stand.value("fn", "").await[0], 0, "it has just loaded");
    for _ in 0..3 {
        frozen(&stand, 1).await;
        let woken = stand.value("fn", "").await;
        assert!(woken[0].as_u64().unwrap() > 0 && woken[1] == true, "{woken}");
    }
    stand.close().await;
}

#[tokio::test]
async fn a_busy_function_is_never_frozen() {
    let stand = stand(1_000).await;
    stand.deploy("fn", "exports.handler = async (event, context) => context.frozenMs").await;
    for _ in 0..50 {
        assert_eq!(stand.value("fn", "").await, json!(0));
    }
    stand.close().await;
}

#[tokio::test]
async fn frozen_sandboxes_are_ended_like_others() {
    let stand = stand(0).await;
    stand.deploy("fn", "exports.handler = async (event, context) => [context.frozenMs]").await;
    stand.value("fn", "").await;
    frozen(&stand, 1).await;
    // `close` looks that nothing is left.
    stand.close().await;
}

#[tokio::test]
async fn many_calls_at_once_wake_one_each() {
    let stand = stand(0).await;
    stand.deploy("fn", "exports.handler = async (event) => { await new Promise((ok) => setTimeout(ok, 20)); return event; }").await;
    for round in 0..5 {
        let calls = (0..8).map(|call| {
            let payload = (round * 100 + call).to_string();
            let stand = &stand;
            async move { (stand.value("fn", &payload).await, payload) }
        });
        for (value, payload) in futures_util::future::join_all(calls).await {
            assert_eq!(value.to_string(), payload);
        }
    }
    stand.close().await;
}
