//! Many calls that are told to stop, at every moment of their lives, in a process of its own: what it holds at the end is what
//! it held at the start.
//!
//! The number is that of the other soak, `CALLGATE_SOAK`: `make soak` has 200,000 calls cancelled.

use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use callgate::{
    base::rng::SeededRng,
    dispatch::{DispatchError, FunctionError, Invocation, Options, Terms, cancel::Cancel},
    quota::QuotaConfig,
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{
    soak::{COUNT, Held, MEMORY_SLACK_KIB, SHORT, by_callers, draw, is_alone, memory_kib, settled},
    stand::{Plan, Stand, invocation},
};

/// What `make test` has time for.
const USUAL: usize = 1_000;
/// As many as there may be sandboxes.
const CALLERS: usize = 8;
/// A call that is not over by then hangs.
const HANG: Duration = Duration::from_secs(60);

/// Most stop when they are told; some end by themselves, and some take no notice.
const CODE: &str = "
exports.handler = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  if (event.what === 'spin') for (;;);
  const timer = setTimeout(() => callback(null, event.n), event.wait);
  if (event.what === 'obey') {
    context.signal.addEventListener('abort', () => { clearTimeout(timer); callback(null, 'stopped'); });
  }
};";

#[test]
fn nothing_is_left_of_many_cancels() {
    if is_alone("sandbox::soak_cancels::nothing_is_left_of_many_cancels") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(soak());
    }
}

/// What is this process's alone: no sandbox here has a network, and the host's links are others'.
fn own(mut held: Held) -> Held {
    held.links = 0;
    held
}

/// Whether nothing is there that was not there before; what was about to be closed then may be gone.
fn is_nothing_more(held: &Held, before: &Held) -> bool {
    let mut others = own(held.clone());
    others.descriptors = before.descriptors;
    others == *before && held.descriptors <= before.descriptors
}

async fn soak() {
    let calls = std::env::var(COUNT).map_or(USUAL, |count| count.parse().unwrap());
    let plan = Plan {
        options: Options {
            sandboxes_max: 20,
            function_sandboxes_max: CALLERS,
            prewarmed_min: 1,
            prewarmed_max: 2,
            cancel_grace: Duration::from_millis(20),
            is_memory_short: || SHORT.load(Ordering::SeqCst),
            ..Plan::default().options
        },
        quota: QuotaConfig {
            account_concurrency: 1_000,
            account_rate: 1_000_000.try_into().unwrap(),
            ..QuotaConfig::default()
        },
        ..Plan::default()
    };
    let stand = Stand::of(plan).await;
    let first = Held::now();
    stand.deploy_with("fn", CODE, |settings| settings.timeout_seconds = Some(5)).await;
    // What is opened once and kept is there after that.
    Round::of(&stand, 1).calls(calls / 10).await;
    let is_settled = |held: &Held| (held.groups, held.free_users) == (first.groups, first.free_users);
    let before = own(settled(&stand, is_settled).await);
    let memory_before = memory_kib();
    let round = Round::of(&stand, 2);
    round.calls(calls).await;
    let after = own(settled(&stand, |held| is_nothing_more(held, &before)).await);
    let memory_after = memory_kib();
    let [stopped, killed, never_began] = stand.dispatch.tally().told_to_stop();
    println!(
        "soak: {calls} calls: {} answered, {} cancelled, {} too late, {} callers left; {stopped} stopped, {killed} killed, \
         {never_began} never began",
        round.answered.get(),
        round.cancelled.get(),
        round.late.get(),
        round.left.get()
    );
    println!("soak: {before:?}, then {after:?}; private memory {memory_before} KiB, then {memory_after} KiB");
    assert!(is_nothing_more(&after, &before), "{before:?} became {after:?}");
    assert!(
        memory_after <= memory_before + MEMORY_SLACK_KIB,
        "{memory_before} KiB became {memory_after} KiB"
    );
    assert_eq!(stand.running(), 0);
    // Each way was gone often.
    let often = u64::try_from(calls).unwrap() / 400;
    assert!(stopped > often && killed > often && never_began > often, "{stopped} {killed} {never_began}");
    assert!(stand.dispatch.tally().too_late() > often);
    stand.close().await;
}

struct Round<'s> {
    stand: &'s Stand,
    rng: SeededRng,
    answered: Cell<usize>,
    cancelled: Cell<usize>,
    late: Cell<usize>,
    left: Cell<usize>,
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

impl<'s> Round<'s> {
    fn of(stand: &'s Stand, seed: u64) -> Self {
        let zero = || Cell::new(0);
        let rng = SeededRng::new(seed);
        Self { stand, rng, answered: zero(), cancelled: zero(), late: zero(), left: zero() }
    }

    fn draw(&self, below: u32) -> u32 {
        draw(&self.rng, below)
    }

    /// So many calls, by a few callers at once.
    async fn calls(&self, calls: usize) {
        by_callers(CALLERS, calls, async |number| self.call(number).await).await;
    }

    async fn call(&self, number: usize) {
        let (what, is_cancelled) = match self.draw(1_000) {
            0..6 => ("ignore", true),
            6..10 => ("spin", true),
            // Whoever waits for a sandbox keeps the others from running through the rest without any.
            10..100 => ("finish", false),
            100..250 => ("finish", true),
            _ => ("obey", true),
        };
        let wait = if what == "finish" { self.draw(4) } else { 60_000 };
        let payload = json!({ "what": what, "n": number, "wait": wait }).to_string();
        let cancel = Arc::new(Cancel::default());
        let mut terms = Terms { cancel: Some(cancel.clone()), ..Terms::default() };
        let after = Duration::from_micros(self.draw(4_000).into());
        let leaves = is_cancelled && self.draw(4) == 0;
        terms.leaving_cancels = leaves && self.draw(2) == 0;
        if is_cancelled && self.draw(100) == 0 {
            terms.client_deadline = Some(self.stand.now() + after * self.draw(2));
        }
        let asks = is_cancelled && !terms.leaving_cancels;
        let call = Invocation { terms, ..invocation("fn", &payload) };
        let leaves_after = if leaves { after } else { HANG };
        let running = timeout(leaves_after, self.stand.run("fn", call));
        let asking = async {
            sleep(after).await;
            if asks {
                cancel.ask();
            }
        };
        match tokio::join!(running, asking).0 {
            Err(_) => {
                assert!(leaves, "a call hung");
                count(&self.left);
            }
            Ok(Err(DispatchError::TooLate)) => count(&self.late),
            Ok(Err(error)) => panic!("{error}"),
            Ok(Ok(outcome)) => match outcome.function_error {
                None => {
                    assert_eq!(outcome.payload, number.to_string());
                    count(&self.answered);
                }
                Some(FunctionError::Cancelled) => count(&self.cancelled),
                // Its client's time was over.
                Some(_) => count(&self.late),
            },
        }
    }
}
