//! Invocations that are told to stop: by a cancel, or by their caller's leaving where that was asked for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use callgate::{
    base::{ColdStart, RequestId},
    dispatch::{FunctionError, Invocation, Options, Outcome, Terms, cancel::Cancel, logs::LogSink},
    functions::Function,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    processes::Living,
    stand::{Plan, Stand, invocation, until},
};

/// What it does with a cancel is what it is asked for.
const CODE: &str = "
const { setTimeout: sleep } = require('node:timers/promises');
let calls = 0;
exports.handler = async (event, context) => {
  calls += 1;
  switch (event.what) {
    case 'obey':
      console.log('begun');
      try { await sleep(60_000, null, { signal: context.signal }); } catch (error) { console.log('stopped by', error.cause); }
      break;
    case 'finish': console.log('begun'); await sleep(50); break;
    case 'ignore': console.log('begun'); await sleep(60_000); break;
    case 'spin': console.log('begun'); for (;;);
    case 'exit': console.log('begun'); context.signal.addEventListener('abort', () => process.exit(3)); await sleep(60_000); break;
    case 'busy': setImmediate(() => { const end = Date.now() + 60_000; while (Date.now() < end); }); break;
  }
  return { calls };
};";

/// Keeps what is logged.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Kept {
    fn has(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|line| line.contains(text))
    }

    fn count(&self, text: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }
}

impl LogSink for Kept {
    fn is_on(&self) -> bool {
        true
    }

    fn event(&self, _: &Function, _: RequestId, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

struct Scene {
    stand: Stand,
    log: Arc<Kept>,
}

impl Scene {
    async fn of(grace: Duration) -> Self {
        let log = Arc::new(Kept::default());
        let options = Options { function_sandboxes_max: 1, cancel_grace: grace, ..Plan::default().options };
        let stand = Stand::of(Plan { options, sink: log.clone(), ..Plan::default() }).await;
        stand.deploy("fn", CODE).await;
        let scene = Self { stand, log };
        assert_eq!(scene.calls().await, (1, true));
        scene
    }

    /// How many calls the sandbox that answers has had, and whether it is a new one.
    async fn calls(&self) -> (u64, bool) {
        let outcome = self.stand.outcome("fn", "{}").await;
        (super::stand::value(&outcome)["calls"].as_u64().unwrap(), outcome.cold.is_some())
    }

    fn call(what: &str, terms: Terms) -> Invocation {
        Invocation { terms, ..invocation("fn", &json!({ "what": what }).to_string()) }
    }

    /// Waits until a function has begun, beside those of before.
    async fn begun(&self, before: usize) {
        until("it begins", || self.log.count("\tbegun") > before).await;
    }

    /// Calls and cancels once the function has begun. The request id is written as `ID`.
    async fn cancelled(&self, what: &str) -> (Outcome, Value) {
        let cancel = Arc::new(Cancel::default());
        let call = Self::call(what, Terms { cancel: Some(cancel.clone()), ..Terms::default() });
        let id = call.id.to_string();
        let before = self.log.count("\tbegun");
        let (outcome, ()) = tokio::join!(self.stand.run("fn", call), async {
            self.begun(before).await;
            cancel.ask();
        });
        let outcome = outcome.unwrap();
        let told = String::from_utf8(outcome.payload.to_vec()).unwrap().replace(&id, "ID");
        (outcome, serde_json::from_str(&told).unwrap())
    }

    /// Calls and leaves once the function has begun.
    async fn left(&self, what: &str, leaving_cancels: bool) {
        let call = Self::call(what, Terms { leaving_cancels, ..Terms::default() });
        let before = self.log.count("\tbegun");
        tokio::select! {
            _ = self.stand.run("fn", call) => panic!("it has answered"),
            () = self.begun(before) => {}
        }
    }

    fn told_to_stop(&self) -> [u64; 3] {
        self.stand.dispatch.tally().told_to_stop()
    }
}

fn cancelled() -> Value {
    json!({ "errorType": "Callgate.Cancelled", "errorMessage": "RequestId: ID Error: The call was cancelled" })
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn one_that_obeys_leaves_a_warm_sandbox() {
    let scene = Scene::of(LONG).await;
    for calls in [3, 5] {
        let (outcome, told) = scene.cancelled("obey").await;
        assert_eq!((outcome.function_error, told), (Some(FunctionError::Cancelled), cancelled()));
        assert_eq!(outcome.function_error.unwrap().as_str(), "Unhandled");
        assert_eq!(scene.calls().await, (calls, false));
    }
    assert!(scene.log.has("stopped by Cancelled"));
    assert_eq!(scene.log.count("\tStatus: Cancelled"), 2);
    assert_eq!(scene.told_to_stop(), [2, 0, 0]);
    scene.stand.close().await;
}

#[tokio::test]
async fn one_that_has_no_signal_and_ends_in_time_does_too() {
    let scene = Scene::of(LONG).await;
    // The frame that told it stays in its socket until the next invocation, which it does not touch.
    for calls in [3, 5] {
        let (outcome, told) = scene.cancelled("finish").await;
        assert_eq!((outcome.function_error, told), (Some(FunctionError::Cancelled), cancelled()));
        assert_eq!(scene.calls().await, (calls, false));
    }
    scene.stand.close().await;
}

#[tokio::test]
async fn one_that_does_not_stop_is_ended_with_its_sandbox() {
    let scene = Scene::of(SHORT).await;
    for (number, what) in ["ignore", "spin", "exit"].into_iter().enumerate() {
        let living = Living::of(scene.stand.mark);
        let began = scene.stand.now();
        let (outcome, told) = scene.cancelled(what).await;
        assert!(scene.stand.now() - began < LONG, "{what}");
        assert_eq!((outcome.function_error, told), (Some(FunctionError::Cancelled), cancelled()), "{what}");
        living.ended().await;
        assert_eq!(scene.told_to_stop(), [0, number as u64 + 1, 0]);
        let next = scene.stand.outcome("fn", "{}").await;
        assert_eq!(next.cold, Some(ColdStart::AfterFailure), "{what}");
    }
    assert_eq!(scene.log.count("\tStatus: Cancelled"), 3);
    scene.stand.close().await;
}

#[tokio::test]
async fn a_callers_leaving_stops_what_asked_for_it() {
    let scene = Scene::of(LONG).await;
    scene.left("obey", true).await;
    // The slot is taken until it has stopped; what it logs and how it ended is told though nobody waits.
    assert_eq!(scene.stand.running(), 1);
    until("it stops", || scene.log.has("\tStatus: Cancelled")).await;
    assert!(scene.log.has("stopped by Cancelled"));
    assert_eq!((scene.stand.running(), scene.told_to_stop()), (0, [1, 0, 0]));
    assert_eq!(scene.calls().await, (3, false));
    scene.stand.close().await;
}

#[tokio::test]
async fn a_callers_leaving_ends_what_does_not_stop() {
    let scene = Scene::of(SHORT).await;
    let living = Living::of(scene.stand.mark);
    scene.left("spin", true).await;
    living.ended().await;
    until("it is told", || scene.log.has("\tStatus: Cancelled")).await;
    assert_eq!((scene.stand.running(), scene.told_to_stop()), (0, [0, 1, 0]));
    scene.stand.close().await;
}

#[tokio::test]
async fn a_callers_leaving_stops_nothing_else() {
    let scene = Scene::of(Duration::ZERO).await;
    scene.left("finish", false).await;
    let before = scene.log.count("REPORT");
    until("it ends", || scene.log.count("REPORT") > before).await;
    assert!(!scene.log.has("Cancelled"));
    assert_eq!(scene.calls().await, (3, false));
    assert_eq!(scene.told_to_stop(), [0, 0, 0]);
    scene.stand.close().await;
}

#[tokio::test]
async fn who_leaves_while_one_is_told_to_stop_changes_nothing() {
    let scene = Scene::of(SHORT).await;
    let cancel = Arc::new(Cancel::default());
    let call = Scene::call("spin", Terms { cancel: Some(cancel.clone()), ..Terms::default() });
    let living = Living::of(scene.stand.mark);
    tokio::select! {
        _ = scene.stand.run("fn", call) => panic!("it has answered"),
        () = async {
            scene.begun(0).await;
            cancel.ask();
            tokio::task::yield_now().await;
        } => {}
    }
    living.ended().await;
    until("it is told", || scene.log.has("\tStatus: Cancelled")).await;
    assert_eq!(scene.told_to_stop(), [0, 1, 0]);
    scene.stand.close().await;
}

#[tokio::test]
async fn one_that_is_still_in_line_never_begins() {
    let scene = Scene::of(LONG).await;
    let cancel = Arc::new(Cancel::default());
    let waiting = Scene::call("obey", Terms { cancel: Some(cancel.clone()), ..Terms::default() });
    let (first, second) = tokio::join!(scene.stand.outcome("fn", r#"{"what":"finish"}"#), async {
        scene.begun(0).await;
        let (outcome, ()) = tokio::join!(scene.stand.run("fn", waiting), async { cancel.ask() });
        outcome.unwrap()
    });
    assert_eq!(first.function_error, None);
    assert_eq!(second.function_error, Some(FunctionError::Cancelled));
    assert_eq!(scene.told_to_stop(), [0, 0, 1]);
    // Cancelled before it came, it does not even join the line.
    let call = Scene::call("obey", Terms { cancel: Some(cancel), ..Terms::default() });
    let outcome = scene.stand.run("fn", call).await.unwrap();
    assert_eq!(outcome.function_error, Some(FunctionError::Cancelled));
    assert_eq!((scene.told_to_stop(), scene.log.count("\tbegun")), ([0, 0, 2], 1));
    assert_eq!(scene.calls().await, (3, false));
    scene.stand.close().await;
}

#[tokio::test]
async fn one_that_is_only_half_written_never_begins() {
    let scene = Scene::of(LONG).await;
    scene.stand.outcome("fn", r#"{"what":"busy"}"#).await;
    let cancel = Arc::new(Cancel::default());
    // The sandbox does not read, and its socket cannot take all of this.
    let large = format!("\"{}\"", "x".repeat(4 << 20));
    let terms = Terms { cancel: Some(cancel.clone()), ..Terms::default() };
    let call = Invocation { terms, ..invocation("fn", &large) };
    let (outcome, ()) = tokio::join!(scene.stand.run("fn", call), async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        cancel.ask();
    });
    assert_eq!(outcome.unwrap().function_error, Some(FunctionError::Cancelled));
    assert_eq!((scene.stand.running(), scene.stand.dispatch.sandboxes()), (0, 0));
    assert_eq!(scene.told_to_stop(), [0, 0, 1]);
    scene.stand.close().await;
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_is_nothing() {
    let scene = Scene::of(LONG).await;
    let cancel = Arc::new(Cancel::default());
    let call = Scene::call("answer", Terms { cancel: Some(cancel.clone()), ..Terms::default() });
    assert_eq!(scene.stand.run("fn", call).await.unwrap().function_error, None);
    cancel.ask();
    assert_eq!(scene.calls().await, (3, false));
    assert_eq!(scene.told_to_stop(), [0, 0, 0]);
    scene.stand.close().await;
}

#[tokio::test]
async fn its_own_time_ends_it_before_its_grace_does() {
    let scene = Scene::of(LONG).await;
    scene.stand.deploy_with("short", CODE, |settings| settings.timeout_seconds = Some(1)).await;
    let cancel = Arc::new(Cancel::default());
    let terms = Terms { cancel: Some(cancel.clone()), ..Terms::default() };
    let call = Invocation { terms, ..invocation("short", r#"{"what":"spin"}"#) };
    let (outcome, ()) = tokio::join!(timeout(LONG, scene.stand.run("short", call)), async {
        scene.begun(0).await;
        cancel.ask();
    });
    assert_eq!(outcome.unwrap().unwrap().function_error, Some(FunctionError::Cancelled));
    scene.stand.close().await;
}
