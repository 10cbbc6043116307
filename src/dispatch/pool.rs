//! The sandboxes of one generation of one function.
//!
//! Who finds no idle sandbox waits in line, and every sandbox that comes free, or is newly started, goes to the first in
//! line. Another is started when waiting for those that run is expected to take longer than starting one, as it is for
//! functions that wait for something themselves. A function that is done in a fraction of a millisecond is served faster by
//! few processes than by many that take the processor from each other: once as many run as can be busy at the same time, its
//! calls wait for those, for as long as that is a matter of a millisecond or two, although others are idle; and where more
//! run than that, one that comes free is left idle. What is expected is reckoned from what an invocation takes by itself
//! ([`Alone`]): the more processes there are, the longer each call lasts, and reckoned from that they would never be fewer.
//! One that a long invocation holds up ([`HeldUp`]) does not count among those that run.
//!
//! Each serving thread has its [`Shard`] of idle sandboxes and of calls in line. Counts of the whole pool are atomic. No two
//! shards are locked at once; what one thread adds while another looks is not missed, because whoever adds looks again
//! afterwards: a call that has joined the line looks for idle sandboxes once more, and whoever has put a sandbox back looks
//! whether somebody waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    DispatchError, Full,
    effort::Alone,
    estimate::{Estimate, nanoseconds},
    held_up::{self, HeldUp},
    lease::Lease,
    lifecycle::{Event, State},
    past::Past,
    pools::Pools,
    shard::{Place, Shard},
    start::StartFailure,
    worker::Worker,
};
use crate::{
    base::{ColdStart, home},
    functions::Target,
    quota::Share,
};

/// What a waiting call gets.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is handed on once a call, and a box would be allocated in each"
)]
pub enum Handed {
    /// A sandbox.
    Lease(Lease),
    /// None could be started, and why one was wanted.
    Failed(Arc<StartFailure>, ColdStart),
}

/// A place in line.
pub type Waiting = oneshot::Receiver<Handed>;

/// The sandboxes of one generation of one function.
pub struct Pool {
    pub(super) target: Target,
    pub(super) shared: Arc<Pools>,
    pub(super) shards: Box<[Shard]>,
    /// Sandboxes that can serve, idle and lent.
    pub(super) alive: AtomicUsize,
    /// Sandboxes in the shards.
    pub(super) idle: AtomicUsize,
    /// Sandboxes that are just being frozen.
    pub(super) freezing: AtomicUsize,
    /// Whether somebody sees to it that idle ones are frozen.
    pub(super) is_freezing: AtomicBool,
    /// Sandboxes being started.
    pub(super) starting: AtomicUsize,
    /// Calls in line, those included whose caller has left and that nobody has come across yet.
    pub(super) waiting: AtomicUsize,
    /// How long an invocation takes by itself.
    pub(super) estimate: Estimate,
    /// Which sandboxes are held up by a long one.
    pub(super) held_up: HeldUp,
    /// What has become of its sandboxes.
    pub(super) past: Past,
    /// A newer generation has taken its place, or the gateway goes down.
    retired: AtomicBool,
}

/// How long a call may be expected to wait in line while sandboxes are idle.
pub(super) const IN_LINE_MAX: Duration = Duration::from_millis(2);
/// How long a call may be expected to wait for a sandbox of its own thread while another's is idle. Taking that one costs its
/// event loop and this one's some system calls, and the next call of its own thread the same.
const OWN_MAX: Duration = Duration::from_micros(500);

impl Pool {
    /// A pool without sandboxes.
    pub(super) fn new(target: Target, shared: Arc<Pools>, past: Past) -> Arc<Self> {
        let shards = std::iter::repeat_with(Shard::default).take(shared.options.threads.max(1)).collect();
        Arc::new(Self {
            target,
            shared,
            shards,
            alive: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            freezing: AtomicUsize::new(0),
            is_freezing: AtomicBool::new(false),
            starting: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            estimate: Estimate::default(),
            held_up: HeldUp::default(),
            past,
            retired: AtomicBool::new(false),
        })
    }

    /// The generation of its function.
    pub fn generation(&self) -> &str {
        &self.target.function.generation
    }

    /// The number of the calling thread's shard.
    pub(super) fn here(&self) -> usize {
        home::current() % self.shards.len()
    }

    /// The calling thread's shard first, then the others', each with its number.
    pub(super) fn here_first(&self) -> impl Iterator<Item = (usize, &Shard)> {
        let here = self.here();
        let own = std::iter::once((here, &self.shards[here]));
        own.chain(self.shards.iter().enumerate().filter(move |(number, _)| *number != here))
    }

    /// Lends a sandbox to a call of the thread whose shard has this number.
    fn lend(self: &Arc<Self>, worker: Box<Worker>, shard: usize) -> Lease {
        self.shards[shard].lend();
        Lease::of(worker, self.clone(), shard)
    }

    /// A lease of the shard of this number has ended.
    pub(super) fn returned(&self, shard: usize) {
        self.shards[shard].returned();
    }

    /// Takes an idle sandbox, or a place in line for a call of this share.
    pub fn take(self: &Arc<Self>, share: Share) -> Result<Result<Lease, Waiting>, DispatchError> {
        if !self.is_quicker_in_line()
            && let Some(worker) = self.take_idle()
        {
            return Ok(Ok(self.lend(worker, self.here())));
        }
        let line_max = self.shared.options.line_max;
        if self.waiting.load(SeqCst) >= line_max {
            self.forget_who_left();
        }
        if self.waiting.load(SeqCst) >= line_max && !self.make_place(share) {
            return Err(DispatchError::Saturated(self.line_is_full()));
        }
        let (sender, waiting) = oneshot::channel();
        let since_ns = nanoseconds(self.now());
        self.waiting.fetch_add(1, SeqCst);
        self.shards[self.here()].lock().line.push([share.number()], Place { since_ns, sender });
        if self.idle.load(SeqCst) > 0
            && !self.is_quicker_in_line()
            && let Some(worker) = self.take_idle()
        {
            self.hand_over(worker);
        }
        self.start_if_wanted();
        Ok(Err(waiting))
    }

    /// Why there is no place in line.
    pub(super) fn line_is_full(&self) -> Full {
        Full {
            limit: "sandbox.function_queue_max",
            most: self.shared.options.line_max as u64,
            why: "too many calls of this function are waiting for a sandbox",
        }
    }

    /// Takes an idle sandbox: the warmest of this thread, or another's if those of this thread will not do.
    pub(super) fn take_idle(&self) -> Option<Box<Worker>> {
        if self.idle.load(SeqCst) == 0 {
            return None;
        }
        let own = &self.shards[self.here()];
        let worker = own.take().or_else(|| {
            let waiting = usize::from(own.first_has_waited(u64::MAX).is_some()) + 1;
            let is_served_soon = own.lent() > 0
                && self.expected(waiting, own.lent()).is_some_and(|expected| expected <= OWN_MAX);
            if is_served_soon { None } else { self.here_first().skip(1).find_map(|(_, shard)| shard.take()) }
        })?;
        self.idle.fetch_sub(1, SeqCst);
        Some(worker)
    }

    /// Takes an idle sandbox, whosever it is.
    pub(super) fn take_any_idle(&self) -> Option<Box<Worker>> {
        let worker = self.here_first().find_map(|(_, shard)| shard.take())?;
        self.idle.fetch_sub(1, SeqCst);
        Some(worker)
    }

    /// How long the last of `waiting` calls is expected to wait for `running` sandboxes.
    pub(super) fn expected(&self, waiting: usize, running: usize) -> Option<Duration> {
        self.estimate.expected(waiting, running, self.shared.options.processors)
    }

    /// Sandboxes that run, but for those that a long invocation holds up.
    pub(super) fn progressing(&self) -> usize {
        self.alive.load(SeqCst).saturating_sub(self.idle.load(SeqCst) + self.held_up.count())
    }

    /// Whether a call should rather wait for a sandbox that runs than take an idle one.
    fn is_quicker_in_line(&self) -> bool {
        let progressing = self.progressing();
        progressing >= self.shared.options.busy_sandboxes
            && self
                .expected(self.waiting.load(SeqCst) + 1, progressing)
                .is_some_and(|expected| expected <= IN_LINE_MAX)
    }

    /// Whether one of the sandboxes that run should rather be idle.
    fn is_crowded(&self) -> bool {
        let progressing = self.progressing();
        progressing > self.shared.options.busy_sandboxes
            && !self.estimate.waits()
            && self
                .expected(self.waiting.load(SeqCst), progressing)
                .is_some_and(|expected| expected <= IN_LINE_MAX)
    }

    /// Whether the own part of the invocation that begins now is to be told apart.
    pub(super) fn wants_effort(&self) -> bool {
        self.estimate.wants_effort(self.now())
    }

    /// Takes a sandbox back and hands it to the first in line. `took` is how long its invocation was waited for, and `alone`
    /// what that took by itself, where it was told apart.
    pub(super) fn give_back(
        self: &Arc<Self>,
        worker: Box<Worker>,
        took: Option<Duration>,
        alone: Option<Alone>,
    ) {
        if let Some(took) = took {
            self.estimate.note(took, alone);
            if took >= held_up::LONG {
                self.held_up.recount(self.now());
            }
        }
        self.hand_over(worker);
    }

    /// Hands a sandbox to the first in line; where nobody waits, it is idle.
    pub(super) fn hand_over(self: &Arc<Self>, worker: Box<Worker>) {
        let mut worker = Some(worker);
        while let Some(own) = worker.take() {
            if self.is_crowded() || own.is_outdated(self.now()) {
                return self.put_back(own);
            }
            if let Some((shard, first)) = self.first_in_line() {
                // If the caller leaves just now, the lease comes back here by itself.
                let _ = first.sender.send(Handed::Lease(self.lend(own, shard)));
                return;
            }
            self.put_back(own);
            // Somebody may have joined a line after it was looked at, and before the sandbox could be seen.
            if self.waiting.load(SeqCst) > 0 && !self.is_quicker_in_line() {
                worker = self.take_idle();
            }
        }
    }

    fn put_back(self: &Arc<Self>, mut worker: Box<Worker>) {
        let mut state = self.shards[self.here()].lock();
        let now = self.now();
        if self.retired.load(SeqCst) || worker.is_outdated(now) {
            drop(state);
            self.end([worker], Event::Retired);
            return;
        }
        if worker.state() == State::Frozen {
            // It has been idle for a while: it keeps its place among the others.
            let at = state.idle.partition_point(|other| other.idle_since <= worker.idle_since);
            state.idle.insert(at, worker);
            self.idle.fetch_add(1, SeqCst);
            return;
        }
        worker.idle_since = now;
        state.idle.push(worker);
        self.idle.fetch_add(1, SeqCst);
        drop(state);
        self.freeze_soon();
    }

    /// How long an invocation may take to stop.
    pub(super) fn cancel_grace(&self) -> Duration {
        self.shared.options.cancel_grace
    }

    /// Now, on the monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    /// Ends sandboxes that have been idle since before `since`, and clears away those that ended by themselves; returns
    /// whether none is left and nobody waits.
    pub(super) fn expire(self: &Arc<Self>, since: Duration) -> bool {
        for shard in &self.shards {
            let mut state = shard.lock();
            // The coldest lie at the bottom.
            let expired = state.idle.iter().take_while(|worker| worker.idle_since < since).count();
            let expired: Vec<_> = state.idle.drain(..expired).collect();
            let dead: Vec<_> = state.idle.extract_if(.., |worker| worker.link.is_closed()).collect();
            let now = self.now();
            let outdated: Vec<_> = state.idle.extract_if(.., |worker| worker.is_outdated(now)).collect();
            self.idle.fetch_sub(expired.len() + dead.len() + outdated.len(), SeqCst);
            drop(state);
            self.end(expired, Event::Retired);
            self.end(outdated, Event::Retired);
            self.end(dead, Event::Failed);
        }
        [&self.alive, &self.starting, &self.waiting].iter().all(|count| count.load(SeqCst) == 0)
    }

    /// When its coldest idle sandbox was given back.
    pub(super) fn coldest(&self) -> Option<Duration> {
        self.shards.iter().filter_map(Shard::coldest).min()
    }

    /// Ends its coldest idle sandbox.
    pub(super) fn evict(self: &Arc<Self>) -> bool {
        let Some((_, shard)) = self
            .shards
            .iter()
            .filter_map(|shard| Some((shard.coldest()?, shard)))
            .min_by_key(|(since, _)| *since)
        else {
            return false;
        };
        let mut state = shard.lock();
        let worker = (!state.idle.is_empty()).then(|| state.idle.remove(0));
        drop(state);
        let evicted = worker.is_some();
        self.idle.fetch_sub(usize::from(evicted), SeqCst);
        self.end(worker, Event::Retired);
        evicted
    }

    /// Ends what is idle now, and the rest when it comes back.
    pub(super) fn retire(self: &Arc<Self>) {
        self.retired.store(true, SeqCst);
        for shard in &self.shards {
            let idle = std::mem::take(&mut shard.lock().idle);
            self.idle.fetch_sub(idle.len(), SeqCst);
            self.end(idle, Event::Retired);
        }
    }

    pub(super) fn end(self: &Arc<Self>, workers: impl IntoIterator<Item = Box<Worker>>, why: Event) {
        for mut worker in workers {
            worker.event(why);
            drop(worker);
            self.lost(why);
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("function", &self.target.function.arn)
            .field("idle", &self.idle)
            .field("alive", &self.alive)
            .field("starting", &self.starting)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}
