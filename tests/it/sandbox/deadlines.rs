//! A client says how long it waits: nothing of its call begins after that, and what has begun is over.

use std::time::Duration;

use super::stand::{Plan, Stand, invocation, value};
use callgate::dispatch::{DispatchError, FunctionError, Invocation, Options, Terms};

const CODE: &str = "
let calls = 0;
exports.handler = async (event, context) => {
  calls += 1;
  const left = context.getRemainingTimeInMillis();
  await new Promise((resolve) => setTimeout(resolve, event.wait ?? 0));
  return { left, calls };
};";

struct Scene {
    stand: Stand,
}

impl Scene {
    async fn new() -> Self {
        let options = Options { function_sandboxes_max: 1, ..Plan::default().options };
        let stand = Stand::of(Plan { options, ..Plan::default() }).await;
        stand.deploy("fn", CODE).await;
        Self { stand }
    }

    /// A call whose client gives up so many milliseconds from now.
    fn call(&self, millis: u64, payload: &str) -> Invocation {
        let deadline = self.stand.now() + Duration::from_millis(millis);
        let terms = Terms { client_deadline: Some(deadline), ..Terms::default() };
        Invocation { terms, ..invocation("fn", payload) }
    }
}

#[tokio::test]
async fn the_smaller_time_is_what_the_function_sees() {
    let scene = Scene::new().await;
    scene.stand.value("fn", "{}").await;
    for (client, least, most) in [(5_000, 3_000, 5_000), (60_000, 18_000, 20_000)] {
        let seen = value(&scene.stand.run("fn", scene.call(client, "{}")).await.unwrap());
        let left = seen["left"].as_u64().unwrap();
        assert!((least..=most).contains(&left), "{left} ms of {client}");
    }
    scene.stand.close().await;
}

#[tokio::test]
async fn what_has_begun_is_over_when_the_client_gives_up() {
    let scene = Scene::new().await;
    scene.stand.value("fn", "{}").await;
    let call = scene.call(300, r#"{"wait":10000}"#);
    let id = call.id.to_string();
    let began = scene.stand.now();
    let outcome = scene.stand.run("fn", call).await.unwrap();
    let took = scene.stand.now() - began;
    assert!((250..5_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(outcome.function_error, Some(FunctionError::Unhandled));
    let error = String::from_utf8(outcome.payload.to_vec()).unwrap();
    assert!(error.contains(r#""errorType":"Sandbox.Timedout""#), "{error}");
    assert!(error.contains(&format!("RequestId: {id} Error: Task timed out after 0.")), "{error}");
    assert_eq!(scene.stand.dispatch.tally().too_late(), 0);
    assert_eq!(scene.stand.value("fn", "{}").await["calls"], 1, "the sandbox was used again");
    scene.stand.close().await;
}

#[tokio::test]
async fn who_has_given_up_before_is_never_run() {
    let scene = Scene::new().await;
    scene.stand.value("fn", "{}").await;
    let call = scene.call(0, "{}");
    assert_eq!(scene.stand.run("fn", call).await, Err(DispatchError::TooLate));
    assert_eq!(scene.stand.value("fn", "{}").await["calls"], 2);
    assert_eq!((scene.stand.dispatch.tally().too_late(), scene.stand.running()), (1, 0));
    scene.stand.close().await;
}

#[tokio::test]
async fn who_gives_up_in_the_line_is_never_run() {
    let scene = Scene::new().await;
    scene.stand.value("fn", "{}").await;
    let (long, late) = tokio::join!(
        scene.stand.value("fn", r#"{"wait":1000}"#),
        scene.stand.run("fn", scene.call(100, "{}"))
    );
    assert_eq!((&long["calls"], late), (&2.into(), Err(DispatchError::TooLate)));
    assert_eq!(scene.stand.value("fn", "{}").await["calls"], 3);
    assert_eq!((scene.stand.dispatch.tally().too_late(), scene.stand.dispatch.sandboxes()), (1, 1));
    scene.stand.close().await;
}

#[tokio::test]
async fn who_gives_up_while_a_sandbox_is_made_leaves_it_to_the_next() {
    let scene = Scene::new().await;
    // No sandbox is made in a millisecond.
    assert_eq!(scene.stand.run("fn", scene.call(1, "{}")).await, Err(DispatchError::TooLate));
    assert_eq!(scene.stand.value("fn", "{}").await["calls"], 1);
    assert_eq!(scene.stand.dispatch.sandboxes(), 1);
    scene.stand.close().await;
}

#[tokio::test]
async fn half_an_invocation_is_none() {
    let scene = Scene::new().await;
    let busy = "exports.handler = async (event) => {
  if (event.busy) setImmediate(() => { const end = Date.now() + 10_000; while (Date.now() < end); });
  return 'here';
}";
    scene.stand.deploy("busy", busy).await;
    assert_eq!(scene.stand.value("busy", r#"{"busy":true}"#).await, "here");
    // The sandbox does not read, and its socket cannot take all of this.
    let large = format!("\"{}\"", "x".repeat(4 << 20));
    let call = Invocation { terms: scene.call(200, "").terms, ..invocation("busy", &large) };
    assert_eq!(scene.stand.run("busy", call).await, Err(DispatchError::TooLate));
    assert_eq!(scene.stand.dispatch.sandboxes(), 0);
    assert_eq!(scene.stand.value("busy", "{}").await, "here");
    scene.stand.close().await;
}
