//! The sandboxes of one generation of one function.
//!
//! Who finds no idle sandbox waits in line, and every sandbox that comes free, or is newly started, goes to the first in
//! line. Another is started when waiting for those that run is expected to take longer than starting one, as it is for
//! functions that wait for something themselves. A function that is done in a fraction of a millisecond is served faster by
//! few processes than by many that take the processor from each other: once as many run as can be busy at the same time, its
//! calls wait for those, for as long as that is a matter of a millisecond or two, although others are idle.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    DispatchError, lease::Lease, lifecycle::Event, pools::Pools, start::StartFailure, worker::Worker,
};
use crate::functions::Target;

/// What a waiting call gets.
#[derive(Debug)]
pub enum Handed {
    /// A sandbox.
    Lease(Lease),
    /// None could be started.
    Failed(Arc<StartFailure>),
}

/// A place in line.
pub type Waiting = oneshot::Receiver<Handed>;

/// The sandboxes of one generation of one function.
pub struct Pool {
    target: Target,
    shared: Arc<Pools>,
    state: Mutex<State>,
}

/// How long a call may be expected to wait in line while sandboxes are idle.
const IN_LINE_MAX: Duration = Duration::from_millis(2);

/// How long the last of `waiting` calls waits for `running` sandboxes that take `service` for each.
fn expected(service: Duration, waiting: usize, running: usize) -> Duration {
    let rounds = waiting.div_ceil(running.max(1));
    service.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
}

#[derive(Default)]
struct State {
    /// The last one given back is the first to be taken: it is the warmest.
    #[expect(clippy::vec_box, reason = "a sandbox moves between pool and lease by its pointer")]
    idle: Vec<Box<Worker>>,
    line: VecDeque<oneshot::Sender<Handed>>,
    /// Sandboxes that can serve, idle and lent.
    alive: usize,
    /// Sandboxes being started.
    starting: usize,
    /// How long an invocation takes at the least, of late; `None` until one has ended. The least, because whatever more it
    /// takes under load is the load's doing, and more processes would not mend that.
    service: Option<Duration>,
    /// A newer generation has taken its place, or the gateway goes down.
    retired: bool,
}

impl Pool {
    /// A pool without sandboxes.
    pub(super) fn new(target: Target, shared: Arc<Pools>) -> Arc<Self> {
        Arc::new(Self { target, shared, state: Mutex::default() })
    }

    /// The generation of its function.
    pub fn generation(&self) -> &str {
        &self.target.function.generation
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an idle sandbox, or a place in line.
    pub fn take(self: &Arc<Self>) -> Result<Result<Lease, Waiting>, DispatchError> {
        let mut state = self.state();
        while !self.is_quicker_in_line(&state)
            && let Some(worker) = state.idle.pop()
        {
            drop(state);
            if !worker.link.is_closed() {
                return Ok(Ok(Lease::of(worker, self.clone())));
            }
            // It ended while it was idle: a timer of the function's that threw, for one.
            self.end([worker], Event::Failed);
            state = self.state();
        }
        if state.line.len() >= self.shared.options.line_max {
            state.line.retain(|waiting| !waiting.is_closed());
        }
        if state.line.len() >= self.shared.options.line_max {
            return Err(DispatchError::Saturated(
                "too many calls of this function are waiting for a sandbox",
            ));
        }
        let (sender, waiting) = oneshot::channel();
        state.line.push_back(sender);
        self.start_if_wanted(state);
        Ok(Err(waiting))
    }

    /// Whether a call should rather wait for a sandbox that runs than take an idle one.
    fn is_quicker_in_line(&self, state: &State) -> bool {
        let running = state.alive.saturating_sub(state.idle.len());
        running >= self.shared.options.busy_sandboxes
            && state
                .service
                .is_some_and(|service| expected(service, state.line.len() + 1, running) <= IN_LINE_MAX)
    }

    /// Whether another sandbox should be started for those in line.
    fn wants_another(&self, state: &State) -> bool {
        let options = &self.shared.options;
        let serving = state.alive + state.starting;
        if state.starting >= state.line.len() || serving >= options.function_sandboxes_max {
            return false;
        }
        if serving < options.busy_sandboxes {
            return true;
        }
        let Some(service) = state.service else { return true };
        expected(service, state.line.len(), state.alive) > self.shared.start_cost()
    }

    /// How long a call waits in line before it asks for [`Self::reconsider`].
    pub(super) fn patience(&self) -> Duration {
        if self.state().idle.is_empty() { self.shared.start_cost() } else { 2 * IN_LINE_MAX }
    }

    /// Looks again whether those in line are served quickly enough. Called by one of them who was not: the estimate was
    /// wrong.
    pub(super) fn reconsider(self: &Arc<Self>) {
        let mut state = self.state();
        if let Some(worker) = state.idle.pop() {
            state.service = state.service.map(|service| service.max(2 * IN_LINE_MAX));
            drop(state);
            self.hand_over(worker);
            return;
        }
        // One more for each who has waited this long; what others may expect is not changed by it.
        let serving = state.alive + state.starting;
        if state.starting < state.line.len() && serving < self.shared.options.function_sandboxes_max {
            state.starting += 1;
            drop(state);
            self.start_another();
        }
    }

    fn start_if_wanted(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if self.wants_another(&state) {
            state.starting += 1;
            drop(state);
            self.start_another();
        }
    }

    fn start_another(self: &Arc<Self>) {
        let pool = self.clone();
        tokio::spawn(async move {
            let began = pool.shared.clock.monotonic();
            let started = match pool.shared.room() {
                Some(room) => pool.shared.starter.start(&pool.target).await.map(|worker| (worker, room)),
                None => Err(StartFailure::Saturated("as many sandboxes run as there may be")),
            };
            match started {
                Ok((worker, room)) => {
                    room.keep();
                    pool.shared.note_start(pool.shared.clock.monotonic().saturating_sub(began));
                    let mut state = pool.state();
                    state.starting -= 1;
                    state.alive += 1;
                    drop(state);
                    pool.give_back(Box::new(worker), None);
                }
                Err(failure) => pool.not_started(failure),
            }
        });
    }

    /// A start failed: whoever it was for learns it, unless running sandboxes will serve them.
    fn not_started(self: &Arc<Self>, failure: StartFailure) {
        let mut state = self.state();
        state.starting -= 1;
        let failure = Arc::new(failure);
        state.line.retain(|waiting| !waiting.is_closed());
        let told: Vec<_> = match &*failure {
            // The function's own fault is the answer of one call.
            StartFailure::Function(_) => state.line.pop_front().into_iter().collect(),
            StartFailure::Saturated(_) | StartFailure::System(_) if state.alive + state.starting > 0 => {
                Vec::new()
            }
            StartFailure::Saturated(_) | StartFailure::System(_) => state.line.drain(..).collect(),
        };
        if matches!(*failure, StartFailure::Function(_)) {
            // The next in line has a start of its own.
            self.start_if_wanted(state);
        } else {
            drop(state);
        }
        if let StartFailure::System(why) = &*failure {
            tracing::error!(function = &*self.target.function.arn, why, "a sandbox could not be started");
        }
        for waiting in told {
            let _ = waiting.send(Handed::Failed(failure.clone()));
        }
    }

    /// Takes a sandbox back and hands it to the first in line. `took` is how long its invocation ran.
    pub(super) fn give_back(self: &Arc<Self>, worker: Box<Worker>, took: Option<Duration>) {
        if let Some(took) = took {
            let mut state = self.state();
            state.service = Some(match state.service {
                // It follows slower calls slowly.
                Some(service) if took > service => service + (took - service) / 16,
                _ => took,
            });
        }
        self.hand_over(worker);
    }

    /// Hands a sandbox to the first in line; where nobody waits, it is idle.
    fn hand_over(self: &Arc<Self>, mut worker: Box<Worker>) {
        let now = self.shared.clock.monotonic();
        let outdated = worker.is_outdated(now);
        let mut state = self.state();
        while !outdated && let Some(first) = state.line.pop_front() {
            if first.is_closed() {
                continue;
            }
            drop(state);
            // If the caller leaves just now, the lease comes back here by itself.
            let _ = first.send(Handed::Lease(Lease::of(worker, self.clone())));
            return;
        }
        if state.retired || outdated {
            drop(state);
            worker.event(Event::Retired);
            drop(worker);
            self.lost();
            return;
        }
        worker.idle_since = now;
        state.idle.push(worker);
    }

    /// A sandbox of this pool is gone. Those in line must not wait for it.
    pub(super) fn lost(self: &Arc<Self>) {
        self.shared.leave();
        let mut state = self.state();
        state.alive -= 1;
        self.start_if_wanted(state);
    }

    /// Ends sandboxes that have been idle since before `since`, and clears away those that ended by themselves; returns
    /// whether none is left and nobody waits.
    pub(super) fn expire(self: &Arc<Self>, since: Duration) -> bool {
        let mut state = self.state();
        // The coldest lie at the bottom.
        let expired = state.idle.iter().take_while(|worker| worker.idle_since < since).count();
        let expired: Vec<_> = state.idle.drain(..expired).collect();
        let dead: Vec<_> = state.idle.extract_if(.., |worker| worker.link.is_closed()).collect();
        let now = self.shared.clock.monotonic();
        let outdated: Vec<_> = state.idle.extract_if(.., |worker| worker.is_outdated(now)).collect();
        let gone = expired.len() + dead.len() + outdated.len();
        let empty = state.alive == gone && state.starting == 0 && state.line.is_empty();
        drop(state);
        self.end(expired, Event::Retired);
        self.end(outdated, Event::Retired);
        self.end(dead, Event::Failed);
        empty
    }

    /// When its coldest idle sandbox was given back.
    pub(super) fn coldest(&self) -> Option<Duration> {
        self.state().idle.first().map(|worker| worker.idle_since)
    }

    /// Ends its coldest idle sandbox.
    pub(super) fn evict(self: &Arc<Self>) -> bool {
        let mut state = self.state();
        let worker = (!state.idle.is_empty()).then(|| state.idle.remove(0));
        drop(state);
        let evicted = worker.is_some();
        self.end(worker, Event::Retired);
        evicted
    }

    /// Ends what is idle now, and the rest when it comes back.
    pub(super) fn retire(self: &Arc<Self>) {
        let mut state = self.state();
        state.retired = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        self.end(idle, Event::Retired);
    }

    fn end(self: &Arc<Self>, workers: impl IntoIterator<Item = Box<Worker>>, why: Event) {
        for mut worker in workers {
            worker.event(why);
            drop(worker);
            self.lost();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Pool")
            .field("function", &self.target.function.arn)
            .field("idle", &state.idle.len())
            .field("alive", &state.alive)
            .field("starting", &state.starting)
            .field("line", &state.line.len())
            .finish_non_exhaustive()
    }
}
