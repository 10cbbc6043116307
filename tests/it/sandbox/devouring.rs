//! Taking more than there is: processes, `/tmp`, the log. Memory has a file of its own.

use serde_json::json;

use super::{hostile::Hostile, processes, stand::invocation};

#[tokio::test]
async fn a_fork_bomb_ends_at_the_sandboxs_limit() {
    let hostile = Hostile::handling("return run('bomb')[0].split(' ')").await;
    let said = hostile.value("").await;
    let started: u32 = said[1].as_str().unwrap().parse().unwrap();
    let most = hostile.stand.mark;
    // Node.js and its threads count too.
    assert!(said[0] == "EAGAIN" && started > most / 2 && started < most, "{said} of {most}");
    assert!(processes::of(hostile.stand.mark).len() > started as usize);
    hostile.over().await;
}

#[tokio::test]
async fn threads_end_at_the_same_limit() {
    let hostile = Hostile::handling(
        "const program = 'import threading, time\\nn = 0\\ntry:\\n  while n < 5000:\\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\\n    n += 1\\nexcept RuntimeError: pass\\nprint(n, flush=True)\\nimport os; os._exit(0)';
         return Number(execFileSync('python3', ['-c', program], { encoding: 'utf8' }));",
    )
    .await;
    let started = hostile.value("").await.as_u64().unwrap();
    assert!(started < hostile.stand.mark.into(), "{started}");
    hostile.over().await;
}

#[tokio::test]
async fn a_full_tmp_is_the_functions_own() {
    let hostile = Hostile::handling(
        "if (event.look) return [fs.readdirSync('/tmp').length, fs.statfsSync('/tmp').bavail];
const piece = Buffer.alloc(1 << 20);
const said = {};
for (const folder of ['/tmp', '/dev/shm']) {
  let pieces = 0;
  try { for (;;) { fs.writeFileSync(`${folder}/${pieces}`, piece); pieces += 1; } } catch (error) { said[folder] = [error.code, pieces]; }
}
return said;",
    )
    .await;
    assert_eq!(hostile.value("{}").await, json!({ "/tmp": ["ENOSPC", 512], "/dev/shm": ["ENOSPC", 16] }));
    let full = hostile.value(r#"{"look":true}"#).await;
    assert_eq!(full, json!([513, 0]), "the same sandbox answers on");
    hostile
        .stand
        .deploy("beside", "exports.handler = async () => require('node:fs').readdirSync('/tmp')")
        .await;
    assert_eq!(hostile.stand.value("beside", "").await, json!([]));
    hostile.over().await;
}

#[tokio::test]
async fn a_million_log_lines_delay_nobody() {
    let hostile = Hostile::handling(
        "const lines = Buffer.from('line\\n'.repeat(10_000));
         for (let n = 0; n < 100; n += 1) fs.writeSync(1, lines);
         for (let n = 0; n < 10_000; n += 1) console.log('event');
         return 'said';",
    )
    .await;
    let call = callgate::dispatch::Invocation { log_tail: true, ..invocation("fn", "") };
    let (said, neighbour) =
        tokio::join!(hostile.stand.run("fn", call), hostile.stand.value("neighbour", "3"));
    let said = said.unwrap();
    assert_eq!((&*said.payload, said.log_tail.unwrap().len() <= 4096), (&b"\"said\""[..], true));
    assert_eq!(neighbour, 3);
    hostile.over().await;
}

#[tokio::test]
async fn a_log_without_a_newline_is_cut() {
    let hostile = Hostile::handling(
        "const piece = Buffer.alloc(1 << 20, 120);
         for (let n = 0; n < 64; n += 1) fs.writeSync(2, piece);
         return 'said';",
    )
    .await;
    let call = callgate::dispatch::Invocation { log_tail: true, ..invocation("fn", "") };
    let said = hostile.stand.run("fn", call).await.unwrap();
    assert_eq!((&*said.payload, said.log_tail.unwrap().len() <= 4096), (&b"\"said\""[..], true));
    hostile.over().await;
}
