//! Sandboxes that are ready before anybody wants them, and how a function gets one.

use std::time::Duration;

use callgate::{
    dispatch::{
        Options,
        heap::{default_mb, limit_mb},
    },
    functions::environment::GivenVariables,
    sandbox::detect::memory_mb,
};
use serde_json::json;

use super::stand::{Plan, Stand};

/// Only a failing test gets there.
const HANG: Duration = Duration::from_secs(20);

async fn stand(prewarmed_min: usize, prewarmed_max: usize, sandboxes_max: u64) -> Stand {
    let plan = Plan::default();
    let options = Options { prewarmed_min, prewarmed_max, sandboxes_max, ..plan.options };
    Stand::of(Plan { options, ..plan }).await
}

/// Waits until so many are ready.
async fn ready(stand: &Stand, count: usize) {
    let until = async {
        while stand.dispatch.prewarmed() != count {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(HANG, until).await.is_ok(),
        "{} are ready, not {count}",
        stand.dispatch.prewarmed()
    );
}

const MEMORY: &str =
    "exports.handler = async (event, context) => [context.memoryLimitInMB, process.env.MINE ?? null,
    Math.round(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20) < 500]";

#[tokio::test]
async fn a_ready_sandbox_becomes_whoever_calls_first() {
    let stand = stand(1, 4, 20).await;
    stand.deploy_with("one", MEMORY, |settings| settings.memory_mb = Some(128)).await;
    stand
        .deploy_with("two", MEMORY, |settings| {
            settings.memory_mb = Some(1024);
            settings.environment = Some(GivenVariables([("MINE".to_owned(), "2".to_owned())].into()));
        })
        .await;
    stand.dispatch.prewarm();
    ready(&stand, 1).await;
    assert_eq!(stand.value("one", "").await, json!(["128", null, true]));
    // It is replaced; now two were wanted of late.
    ready(&stand, 1).await;
    assert_eq!(stand.value("two", "").await, json!(["1024", "2", false]));
    ready(&stand, 2).await;
    // Both live on, and nothing else does.
    assert_eq!(stand.dispatch.sandboxes(), 4);
    stand.close().await;
}

#[tokio::test]
async fn what_is_ready_makes_room_for_what_is_wanted() {
    let stand = stand(1, 1, 1).await;
    stand
        .deploy_with("fn", "exports.handler = async () => process.env.NODE_OPTIONS", |settings| {
            let given = [("NODE_OPTIONS".to_owned(), "--no-warnings".to_owned())];
            settings.environment = Some(GivenVariables(given.into()));
        })
        .await;
    stand.dispatch.prewarm();
    ready(&stand, 1).await;
    // What must be there before Node.js boots needs a boot of its own.
    assert_eq!(stand.value("fn", "").await, json!("--no-warnings"));
    assert_eq!((stand.dispatch.prewarmed(), stand.dispatch.sandboxes()), (0, 1));
    stand.close().await;
}

#[tokio::test]
async fn a_heap_larger_than_by_default_needs_a_boot_of_its_own() {
    let stand = stand(1, 1, 2).await;
    let by_default = default_mb(memory_mb());
    // The most that is served by one that is ready, and the least that is not.
    let most = (1..=10_240).rev().find(|memory_mb| limit_mb(*memory_mb) <= by_default).unwrap();
    let limit =
        "exports.handler = async () => require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20";
    for (name, memory_mb, left) in [("largest", 10_240, 1), ("most", most, 0)] {
        stand.deploy_with(name, limit, |settings| settings.memory_mb = Some(memory_mb.into())).await;
        stand.dispatch.prewarm();
        ready(&stand, 1).await;
        let heap_mb = stand.value(name, "").await.as_f64().unwrap();
        assert!(heap_mb >= f64::from(limit_mb(memory_mb)), "{name}: {heap_mb}");
        assert_eq!(stand.dispatch.prewarmed(), left, "{name}");
    }
    stand.close().await;
}

#[tokio::test]
async fn one_that_ended_meanwhile_is_nobodys() {
    let stand = stand(2, 2, 20).await;
    stand.deploy("fn", "exports.handler = async () => 'answered'").await;
    stand.dispatch.prewarm();
    ready(&stand, 2).await;
    for process in super::processes::of(stand.mark) {
        let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        if command.starts_with("/var/lang/bin/node") {
            let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        }
    }
    assert_eq!(stand.value("fn", "").await, json!("answered"));
    stand.close().await;
}
