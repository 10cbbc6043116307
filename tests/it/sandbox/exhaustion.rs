//! Memory that no process has for itself alone, or that many have together: what the limit of one process does not see.

use callgate::{dispatch::FunctionError::Unhandled, functions::config::Settings};
use serde_json::json;

use super::stand::Stand;

fn small(settings: &mut Settings) {
    settings.memory_mb = Some(128);
    settings.tmp_mb = Some(512);
}

const COUNT: &str = "let count = 0; exports.handler = async () => ++count;";

/// Takes memory in a child process: private, or shared by all who would have it mapped.
const CHILDREN: &str = "
const { spawnSync } = require('node:child_process');
const TAKE = `
import mmap, sys
kept = []
for _ in range(4096):
    if sys.argv[1] == 'shared':
        block = mmap.mmap(-1, 1 << 20)
        for page in range(0, 1 << 20, 4096):
            block[page] = 1
    else:
        block = b'x' * (1 << 20)
    kept.append(block)
`;
exports.handler = async (event) => {
  for (let more = 0; more < 8; more++) spawnSync('python3', ['-c', TAKE, event.kind]);
};";

async fn ends_out_of_memory(code: &str, payload: &str) {
    let stand = Stand::new().await;
    stand.deploy_with("neighbour", COUNT, small).await;
    stand.deploy_with("fn", code, small).await;
    assert_eq!(stand.value("neighbour", "{}").await, json!(1));
    let (kind, error) = stand.error("fn", payload).await;
    assert_eq!((kind, &error["errorType"]), (Unhandled, &json!("Runtime.OutOfMemory")), "{error}");
    assert_eq!(stand.value("neighbour", "{}").await, json!(2));
    assert_eq!(stand.dispatch.sandboxes(), 1);
    stand.close().await;
}

#[tokio::test]
async fn by_shared_mappings() {
    ends_out_of_memory(CHILDREN, r#"{"kind":"shared"}"#).await;
}

/// Several processes, each below what one may have for itself.
#[tokio::test]
async fn by_many_processes_together() {
    let code = "
const { spawn } = require('node:child_process');
const TAKE = 'import time\\nkept = b\"x\" * (100 << 20)\\ntime.sleep(1000)';
exports.handler = async () => {
  for (let more = 0; more < 8; more++) spawn('python3', ['-c', TAKE], { stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, 15000));
};";
    ends_out_of_memory(code, "{}").await;
}

#[tokio::test]
async fn files_are_limited_apart() {
    let stand = Stand::new().await;
    let code = "
const { appendFileSync } = require('node:fs');
exports.handler = async () => {
  for (let mb = 0; ; mb++) {
    try { appendFileSync('/tmp/file', Buffer.alloc(1 << 20, 1)); } catch (error) { return [mb, error.code]; }
  }
};";
    stand.deploy_with("fn", code, small).await;
    // Called twice: it is neither ended nor spent.
    assert_eq!(stand.value("fn", "{}").await, json!([512, "ENOSPC"]));
    assert_eq!(stand.value("fn", "{}").await, json!([0, "ENOSPC"]));
    stand.close().await;
}
