//! The log of an invocation: its lines in AWS's form, its tail, and floods.

use std::sync::{Arc, Mutex};

use callgate::{
    base::RequestId,
    dispatch::{Invocation, logs::LogSink},
    functions::Function,
};

use super::stand::{Plan, Stand, invocation};

/// The tail of a call, with its request id written as `ID` and figures as `N`.
async fn tail(stand: &Stand, payload: &str) -> String {
    let call = Invocation { log_tail: true, ..invocation("fn", payload) };
    let id = call.id.to_string();
    let outcome = stand.run("fn", call).await.unwrap();
    plain(&String::from_utf8(outcome.log_tail.unwrap()).unwrap(), &id)
}

fn plain(log: &str, id: &str) -> String {
    let mut plain = String::new();
    for character in log.replace(id, "ID").replace('\t', "|").chars() {
        match character {
            '0'..='9' if plain.ends_with('N') => {}
            '0'..='9' => plain.push('N'),
            other => plain.push(other),
        }
    }
    plain
}

const TALKER: &str = "
console.log('loading');
exports.handler = async (event) => {
  console.log('first');
  process.stdout.write('second\\n');
  require('node:child_process').execSync('echo third', { stdio: 'inherit' });
  process.stderr.write('without end');
}";

#[tokio::test]
async fn the_tail_has_this_invocations_lines_in_awss_form() {
    let stand = Stand::new().await;
    stand.deploy("fn", TALKER).await;
    let cold = tail(&stand, "{}").await;
    let lines: Vec<&str> = cold.lines().collect();
    assert!(lines[0].ends_with("|undefined|INFO|loading"), "{cold}");
    assert_eq!(lines[1], "START RequestId: ID Version: $LATEST");
    let mut middle: Vec<&str> = lines[2..lines.len() - 2].to_vec();
    middle.sort_unstable();
    assert_eq!(middle[..2], ["N-N-NTN:N:N.NZ|ID|INFO|first", "second"]);
    assert_eq!(middle[2..], ["third", "without end"]);
    assert_eq!(lines[lines.len() - 2], "END RequestId: ID");
    assert_eq!(
        lines[lines.len() - 1],
        "REPORT RequestId: ID|Duration: N.N ms|Billed Duration: N ms|Memory Size: N MB|Max Memory Used: N MB|\
         Init Duration: N.N ms|"
    );
    let warm = tail(&stand, "{}").await;
    assert!(warm.starts_with("START RequestId: ID"), "{warm}");
    assert!(!warm.contains("Init Duration") && warm.ends_with(" MB|\n"), "{warm}");
    stand.close().await;
}

#[tokio::test]
async fn a_flood_is_read_and_dropped() {
    let stand = Stand::new().await;
    stand
        .deploy(
            "fn",
            "exports.handler = async (event) => {
  for (let n = 0; n < event.lines; n += 1) console.log(n);
  const line = Buffer.alloc(1 << 20, 120);
  for (let n = 0; n < event.mebibytes; n += 1) require('node:fs').writeSync(1, line);
}",
        )
        .await;
    let log = tail(&stand, r#"{"lines":100000,"mebibytes":64}"#).await;
    assert!(log.len() <= 4096 && log.contains("END RequestId: ID"), "{log}");
    // Nobody asks for the log: it is read all the same.
    stand.value("fn", r#"{"lines":20000,"mebibytes":16}"#).await;
    let quiet = tail(&stand, "{}").await;
    assert!(quiet.starts_with("START"), "{quiet}");
    stand.close().await;
}

#[tokio::test]
async fn output_that_never_ends_does_not_hide_the_answer() {
    let stand = Stand::new().await;
    stand
        .deploy(
            "fn",
            "exports.handler = async () => {
  require('node:child_process').spawn('sh', ['-c', 'while :; do echo flood; done'], { stdio: ['ignore', 'inherit', 'inherit'] }).unref();
  return 'here';
}",
        )
        .await;
    assert_eq!(stand.value("fn", "").await, "here");
    assert!(tail(&stand, "").await.contains("REPORT"));
    stand.close().await;
}

#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl LogSink for Kept {
    fn is_on(&self) -> bool {
        true
    }

    fn event(&self, function: &Function, _: RequestId, text: &str) {
        assert_eq!(&*function.name, "fn");
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[tokio::test]
async fn a_listener_gets_every_line_of_a_stream() {
    let kept = Arc::new(Kept::default());
    let stand = Stand::of(Plan { sink: kept.clone(), ..Plan::default() }).await;
    stand.deploy("fn", TALKER).await;
    stand.value("fn", "{}").await;
    let events = kept.0.lock().unwrap().clone();
    assert!(events[0].starts_with("INIT_START Runtime Version: node:v"), "{events:?}");
    assert!(events[1].ends_with("\tundefined\tINFO\tloading"), "{events:?}");
    assert!(events[2].starts_with("START "), "{events:?}");
    assert_eq!(events.len(), 9, "{events:?}");
    stand.close().await;
}
