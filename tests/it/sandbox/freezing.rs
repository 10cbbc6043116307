//! Sandboxes that stand still, by each means that there is here.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::json;

use super::{
    bare::{Bare, Ground},
    processes,
};

/// How long each thread of a sandbox has run, in nanoseconds.
fn ran(mark: u32) -> BTreeMap<(u32, String), u64> {
    let mut found = BTreeMap::new();
    // Without bubblewrap's monitor and the first process, which wait for others and are told when those stop.
    for pid in processes::of(mark).into_iter().skip(2) {
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let thread = thread.unwrap();
            let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap();
            let time = stat.split(' ').next().unwrap().parse().unwrap();
            found.insert((pid, thread.file_name().into_string().unwrap()), time);
        }
    }
    found
}

/// What counts on its own, between calls too: a child process and a worker thread.
const COMPANIONS: &str = "(() => {
  const { Worker } = require('node:worker_threads');
  const counter = 'let n = 0; const { writeFileSync } = require(\"node:fs\"); for (;;) writeFileSync(process.argv[1] ?? \"/tmp/worker\", String(n++));';
  spawn(process.execPath, ['-e', counter, '/tmp/child'], { stdio: 'ignore' }).unref();
  new Worker('process.argv[1] = undefined;' + counter, { eval: true }).unref();
})()";

async fn counts(bare: &mut Bare) -> Vec<u64> {
    let read = "['/tmp/child', '/tmp/worker'].map((file) => { try { return Number(fs.readFileSync(file, 'utf8')); } catch { return 0; } })";
    let value = bare.evaluate(read).await.unwrap();
    value.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
}

/// Waits until every companion has counted on.
async fn count_on(bare: &mut Bare, from: &[u64]) -> Vec<u64> {
    let counting = async {
        loop {
            let now = counts(bare).await;
            if now.iter().zip(from).all(|(now, from)| now > from) {
                return now;
            }
            // They need the processor that this would take.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), counting).await.expect("a companion does not count")
}

async fn stands_still_and_goes_on(ground: Ground) {
    let mut bare = ground.bound().await;
    bare.evaluate(COMPANIONS).await.unwrap();
    let mut counted = count_on(&mut bare, &[0, 0]).await;
    for _ in 0..3 {
        bare.control.freeze().await.unwrap();
        let before = ran(ground.mark);
        assert!(before.len() > 8, "{before:?}");
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(ran(ground.mark), before);
        bare.control.thaw().await.unwrap();
        counted = count_on(&mut bare, &counted).await;
    }
    let groups = bare.control.groups();
    drop(bare);
    ground.close(groups).await;
}

#[tokio::test]
async fn everything_stands_still_and_goes_on() {
    stands_still_and_goes_on(Ground::new()).await;
}

#[tokio::test]
async fn everything_stands_still_and_goes_on_by_signals() {
    stands_still_and_goes_on(Ground::without_groups()).await;
}

#[tokio::test]
async fn who_wakes_others_against_it_is_frozen_too() {
    for ground in [Ground::new(), Ground::without_groups()] {
        let mut bare = ground.bound().await;
        // As many as may be awake at once on any machine, each waking all others as fast as it can.
        let fight = "(() => { for (let n = 0; n < 4; n++) spawn('python3', ['-c', 'import os\\nwhile True:\\n try: os.kill(-1, 18)\\n except OSError: pass'], { stdio: 'ignore' }).unref(); })()";
        bare.evaluate(fight).await.unwrap();
        bare.control.freeze().await.unwrap();
        let before = ran(ground.mark);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(ran(ground.mark), before);
        bare.control.thaw().await.unwrap();
        assert_eq!(bare.evaluate("1 + 1").await.unwrap(), json!(2));
        let groups = bare.control.groups();
        drop(bare);
        ground.close(groups).await;
    }
}

#[tokio::test]
async fn a_frozen_sandbox_can_be_ended() {
    for ground in [Ground::new(), Ground::without_groups()] {
        let mut bare = ground.bound().await;
        bare.evaluate(COMPANIONS).await.unwrap();
        bare.control.freeze().await.unwrap();
        let groups = bare.control.groups();
        drop(bare);
        ground.close(groups).await;
    }
}

#[tokio::test]
async fn a_sandbox_that_has_ended_cannot_be_frozen() {
    let ground = Ground::without_groups();
    let mut bare = ground.bound().await;
    bare.control.kill();
    bare.process.wait().await.unwrap();
    let error = bare.control.freeze().await.unwrap_err().to_string();
    assert!(error.contains("the sandbox has ended") || error.contains("No such file"), "{error}");
    drop(bare);
    ground.close(Vec::new()).await;
}
