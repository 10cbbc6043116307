//! Signals from inside: to the first process, to all at once, and those that would undo a freeze.

use serde_json::json;

use super::hostile::{Hostile, all_end, tried};

#[tokio::test]
async fn the_first_process_is_not_reached() {
    let hostile = Hostile::handling(
        "const said = ['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGUSR1', 'SIGSEGV'].map((name) => {
  const { signals } = require('node:os').constants;
  return [name, run('signal', 1, signals[name])[0]];
});
return Object.fromEntries(said);",
    )
    .await;
    let first = hostile.value("").await;
    // Without Landlock's scope the kernel drops what is sent to a first process that does not ask for it.
    let word = if callgate::sandbox::detect::landlock_version() >= 6 { "kill EPERM" } else { "kill ok" };
    for (name, result) in first.as_object().unwrap() {
        assert_eq!(result, word, "{name}");
    }
    assert_eq!(hostile.value("").await, first, "the sandbox lives");
    assert_eq!(hostile.stand.dispatch.sandboxes(), 2);
    hostile.over().await;
}

#[tokio::test]
async fn a_signal_to_all_ends_its_own_sandbox_alone() {
    let hostile = Hostile::handling(
        "if (event.kill) { spawnSync('sh', ['-c', 'kill -9 -1']); await new Promise((ok) => setTimeout(ok, 10_000)); }
         return 'lives';",
    )
    .await;
    assert_eq!(hostile.value("{}").await, "lives");
    let (kind, message) = hostile.error(r#"{"kill":true}"#).await;
    assert_eq!(
        (&*kind, &*message),
        ("Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: signal: killed")
    );
    assert_eq!(hostile.value("{}").await, "lives");
    hostile.over().await;
}

#[tokio::test]
async fn nobody_goes_on_before_the_gateway_says_so() {
    all_end(&tried("'continue', process.pid").await, "EPERM", &[]);
}

#[tokio::test]
async fn nobody_in_another_sandbox_or_outside_is_reached() {
    let hostile = Hostile::handling(
        "const said = {};
for (const pid of [2 ** 15, process.ppid + 100, event.host]) {
  try { process.kill(pid, 0); said[pid] = 'reached'; } catch (error) { said[pid] = error.code; }
}
return Object.values(said);",
    )
    .await;
    let host = json!({ "host": std::process::id() });
    assert_eq!(hostile.value(&host.to_string()).await, json!(["ESRCH", "ESRCH", "ESRCH"]));
    hostile.over().await;
}

#[tokio::test]
async fn what_is_left_without_a_parent_is_reaped() {
    let hostile = Hostile::handling(
        "for (let n = 0; n < 50; n += 1) spawnSync('sh', ['-c', 'true & true & exit']);
const states = () => fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => {
  try { return fs.readFileSync(`/proc/${pid}/stat`, 'latin1').match(/\\) (.)/)[1]; } catch { return '-'; }
});
const until = Date.now() + 10_000;
while (states().includes('Z') && Date.now() < until) await new Promise((ok) => setImmediate(ok));
return states().filter((state) => state === 'Z').length;",
    )
    .await;
    assert_eq!(hostile.value("").await, 0);
    hostile.over().await;
}
