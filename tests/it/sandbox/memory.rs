//! Taking more memory than the function has: by the heap, by worker threads, by buffers, by native code. Each ends in an error
//! with a name, and in time.

use serde_json::Value;

use super::hostile::Hostile;

const KILLED: &str = "RequestId: ID Error: Runtime exited with error: signal: killed";

/// Has a function of 128 MB end for want of memory, twice: the second time in a sandbox of its own.
async fn runs_out(body: &str) {
    let hostile = Hostile::handling(body).await;
    for _ in 0..2 {
        assert_eq!(hostile.error("").await, ("Runtime.OutOfMemory".to_owned(), KILLED.to_owned()));
        // The neighbour's alone is left.
        assert_eq!(hostile.stand.dispatch.sandboxes(), 1);
    }
    hostile.over().await;
}

#[tokio::test]
async fn by_the_heap() {
    runs_out("const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));").await;
}

#[tokio::test]
async fn by_one_large_piece_after_the_other() {
    runs_out("const kept = []; for (;;) kept.push(new Array(4e6).fill(1.5));").await;
}

#[tokio::test]
async fn while_it_is_loaded() {
    let hostile =
        Hostile::with("const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));").await;
    assert_eq!(hostile.error("").await, ("Runtime.OutOfMemory".to_owned(), KILLED.to_owned()));
    hostile.over().await;
}

#[tokio::test]
async fn by_a_worker_thread() {
    let hostile = Hostile::handling(
        "const { Worker } = require('node:worker_threads');
const hoard = 'const kept = []; for (let n = 0;; n += 1) kept.push({ n, list: [n, n, n, n] })';
const worker = new Worker(hoard, { eval: true });
return new Promise((resolve) => worker.on('error', (error) => resolve(error.code)));",
    )
    .await;
    // Where no control group counts, the watch on all of its memory may be first.
    let outcome = hostile.stand.outcome("fn", "").await;
    let told = String::from_utf8_lossy(&outcome.payload);
    assert!(
        told.contains("ERR_WORKER_OUT_OF_MEMORY") || watched() && told.contains("Runtime.OutOfMemory"),
        "{told}"
    );
    hostile.over().await;
}

/// Whether a watch looks at all of a sandbox's memory, since there is no control group for it.
fn watched() -> bool {
    !rustix::process::geteuid().is_root()
}

/// Whether RLIMIT_DATA can be used with this Node.js.
async fn data_is_limited(hostile: &Hostile) -> bool {
    let limit = hostile.value(r#"{"limit":true}"#).await;
    limit != "unlimited"
}

const LIMIT: &str = "if (event.limit) return fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max data size +(\\S+)/m)[1];";

#[tokio::test]
async fn by_buffers() {
    let hostile =
        Hostile::handling(&format!("{LIMIT} const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1));"))
            .await;
    if data_is_limited(&hostile).await {
        // Whichever of V8 and the buffer's own allocator is refused first.
        let (kind, message) = hostile.error("{}").await;
        let known = (kind == "Runtime.OutOfMemory" && message == KILLED) || kind == "RangeError";
        assert!(known, "{kind}: {message}");
    }
    hostile.over().await;
}

#[tokio::test]
async fn by_native_code_of_a_child() {
    let hostile = Hostile::handling(&format!("{LIMIT} return Number(run('hoard')[0]);")).await;
    if data_is_limited(&hostile).await {
        let outcome = hostile.stand.outcome("fn", "{}").await;
        let told = String::from_utf8_lossy(&outcome.payload);
        // 128 MB, 256 beside it, and what Node.js had when it was limited; or less, if the watch was faster.
        let refused = told.parse().is_ok_and(|mebibytes: u64| (128..600).contains(&mebibytes));
        assert!(refused || watched() && told.contains("Runtime.OutOfMemory"), "{told}");
    }
    hostile.over().await;
}

#[tokio::test]
async fn each_function_has_its_own_limit() {
    let hostile = Hostile::handling("").await;
    let limit = "exports.handler = async () => Math.round(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20)";
    for (name, memory_mb, heap_mb) in [("small", 128, 116), ("large", 1024, 922), ("largest", 10_240, 9216)] {
        hostile.stand.deploy_with(name, limit, |settings| settings.memory_mb = Some(memory_mb)).await;
        // The youngest part of the heap comes on top: three times 16 MiB.
        assert_eq!(hostile.stand.value(name, "").await, Value::from(heap_mb + 48), "{name}");
    }
    hostile.over().await;
}
