//! The sandboxes of one generation of one function.
//!
//! Who finds no idle sandbox waits in line, and every sandbox that comes free, or is newly started, goes to the first in
//! line. Another is started when waiting for those that run is expected to take longer than starting one, as it is for
//! functions that wait for something themselves. A function that is done in a fraction of a millisecond is served faster by
//! few processes than by many that take the processor from each other: once as many run as can be busy at the same time, its
//! calls wait for those, for as long as that is a matter of a millisecond or two, although others are idle; and where more
//! run than that, one that comes free is left idle. What is expected is reckoned from what an invocation takes by itself
//! ([`Alone`]): the more processes there are, the longer each call lasts, and reckoned from that they would never be fewer.
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
    DispatchError,
    effort::Alone,
    estimate::{Estimate, nanoseconds},
    held_up::{self, HeldUp},
    lease::Lease,
    lifecycle::{Event, State},
    pools::Pools,
    shard::{Locked, Place, Shard},
    start::StartFailure,
    worker::Worker,
};
use crate::{base::home, functions::Target};

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
    pub(super) shared: Arc<Pools>,
    pub(super) shards: Box<[Shard]>,
    /// Sandboxes that can serve, idle and lent.
    alive: AtomicUsize,
    /// Sandboxes in the shards.
    pub(super) idle: AtomicUsize,
    /// Sandboxes that are just being frozen.
    pub(super) freezing: AtomicUsize,
    /// Whether somebody sees to it that idle ones are frozen.
    pub(super) is_freezing: AtomicBool,
    /// Sandboxes being started.
    starting: AtomicUsize,
    /// Calls in line, those included whose caller has left and that nobody has come across yet.
    waiting: AtomicUsize,
    /// How long an invocation takes by itself.
    estimate: Estimate,
    /// Which sandboxes are held up by a long one.
    held_up: HeldUp,
    /// A newer generation has taken its place, or the gateway goes down.
    retired: AtomicBool,
}

/// How long a call may be expected to wait in line while sandboxes are idle.
const IN_LINE_MAX: Duration = Duration::from_millis(2);
/// How long a call may be expected to wait for a sandbox of its own thread while another's is idle. Taking that one costs its
/// event loop and this one's some system calls, and the next call of its own thread the same.
const OWN_MAX: Duration = Duration::from_micros(500);
/// A call of another thread that has waited twice as long as the first of one's own, and so much more, is served before it.
const OVERDUE: Duration = Duration::from_micros(500);

impl Pool {
    /// A pool without sandboxes.
    pub(super) fn new(target: Target, shared: Arc<Pools>) -> Arc<Self> {
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
            retired: AtomicBool::new(false),
        })
    }

    /// The generation of its function.
    pub fn generation(&self) -> &str {
        &self.target.function.generation
    }

    /// The number of the calling thread's shard.
    fn here(&self) -> usize {
        home::current() % self.shards.len()
    }

    /// The calling thread's shard first, then the others', each with its number.
    fn here_first(&self) -> impl Iterator<Item = (usize, &Shard)> {
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

    /// Takes an idle sandbox, or a place in line.
    pub fn take(self: &Arc<Self>) -> Result<Result<Lease, Waiting>, DispatchError> {
        if !self.is_quicker_in_line()
            && let Some(worker) = self.take_idle()
        {
            return Ok(Ok(self.lend(worker, self.here())));
        }
        let line_max = self.shared.options.line_max;
        if self.waiting.load(SeqCst) >= line_max {
            self.forget_who_left();
        }
        if self.waiting.load(SeqCst) >= line_max {
            return Err(DispatchError::Saturated(
                "too many calls of this function are waiting for a sandbox",
            ));
        }
        let (sender, waiting) = oneshot::channel();
        let since_ns = nanoseconds(self.now());
        self.waiting.fetch_add(1, SeqCst);
        self.shards[self.here()].lock().line.push_back(Place { since_ns, sender });
        if self.idle.load(SeqCst) > 0
            && !self.is_quicker_in_line()
            && let Some(worker) = self.take_idle()
        {
            self.hand_over(worker);
        }
        self.start_if_wanted();
        Ok(Err(waiting))
    }

    /// Takes an idle sandbox: the warmest of this thread, or another's if those of this thread will not do.
    fn take_idle(&self) -> Option<Box<Worker>> {
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

    /// How long the last of `waiting` calls is expected to wait for `running` sandboxes.
    fn expected(&self, waiting: usize, running: usize) -> Option<Duration> {
        self.estimate.expected(waiting, running, self.shared.options.processors)
    }

    /// Sandboxes that run, but for those that a long invocation holds up.
    fn progressing(&self) -> usize {
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

    /// Whether another sandbox should be started for those in line.
    fn wants_another(&self) -> bool {
        let options = &self.shared.options;
        let (alive, starting) = (self.alive.load(SeqCst), self.starting.load(SeqCst));
        let waiting = self.waiting.load(SeqCst);
        // Who is being frozen is back in a moment.
        if starting + self.freezing.load(SeqCst) >= waiting
            || alive + starting >= options.function_sandboxes_max
        {
            return false;
        }
        if alive + starting < options.busy_sandboxes {
            return true;
        }
        // Of those that compute, more would do no more. What is not known yet, or changes, `reconsider` sees to.
        self.estimate.waits()
            && self.expected(waiting, alive).is_some_and(|expected| expected > self.shared.start_cost())
    }

    /// How long a call waits in line before it asks for [`Self::reconsider`].
    pub(super) fn patience(&self) -> Duration {
        if self.idle.load(SeqCst) > 0 { 2 * IN_LINE_MAX } else { self.shared.start_cost().max(held_up::LONG) }
    }

    /// Looks again whether those in line are served quickly enough. Called by one of them who was not.
    pub(super) fn reconsider(self: &Arc<Self>) {
        self.held_up.recount(self.now());
        if self.progressing() >= self.shared.options.busy_sandboxes && !self.estimate.waits() {
            // The line is long because there is more to do than can be done: more sandboxes would do no more.
            return;
        }
        if let Some(worker) = self.here_first().find_map(|(_, shard)| shard.take()) {
            self.idle.fetch_sub(1, SeqCst);
            self.hand_over(worker);
            return;
        }
        // The number at most doubles at once, since a machine that is busy with something else makes everyone wait, and more
        // sandboxes would only add to that.
        if self.starting.load(SeqCst) < self.alive.load(SeqCst).max(1) {
            self.start_another();
        }
    }

    fn start_if_wanted(self: &Arc<Self>) {
        if self.wants_another() {
            self.start_another();
        }
    }

    fn start_another(self: &Arc<Self>) {
        let waiting = self.waiting.load(SeqCst);
        // Starting computes, too: where calls wait for processors, it must not take them all.
        let most = if self.estimate.waits() { waiting } else { waiting.min(self.shared.options.processors) };
        let within = |starting: usize| {
            let serving = self.alive.load(SeqCst) + starting;
            (starting < most && serving < self.shared.options.function_sandboxes_max).then_some(starting + 1)
        };
        if self.starting.fetch_update(SeqCst, SeqCst, within).is_err() {
            return;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            let began = pool.shared.clock.monotonic();
            match pool.shared.start(&pool.target).await {
                Ok((mut worker, room)) => {
                    worker.running_since = pool.held_up.watch();
                    room.keep();
                    pool.shared.note_start(pool.shared.clock.monotonic().saturating_sub(began));
                    pool.alive.fetch_add(1, SeqCst);
                    pool.starting.fetch_sub(1, SeqCst);
                    pool.give_back(Box::new(worker), None, None);
                }
                Err(failure) => pool.not_started(failure),
            }
        });
    }

    /// A start failed: whoever it was for learns it, unless running sandboxes will serve them.
    fn not_started(self: &Arc<Self>, failure: StartFailure) {
        self.starting.fetch_sub(1, SeqCst);
        let failure = Arc::new(failure);
        let tell = |first: Option<(usize, Place)>| {
            first.map(|(_, place)| place.sender.send(Handed::Failed(failure.clone()))).is_some()
        };
        match &*failure {
            // The function's own fault is the answer of one call. The next in line has a start of its own.
            StartFailure::Function(_) => {
                tell(self.first_in_line());
                self.start_if_wanted();
            }
            StartFailure::Saturated(_) | StartFailure::System(_) => {
                if let StartFailure::System(why) = &*failure {
                    tracing::error!(
                        function = &*self.target.function.arn,
                        why,
                        "a sandbox could not be started"
                    );
                }
                if self.alive.load(SeqCst) + self.starting.load(SeqCst) == 0 {
                    while tell(self.first_in_line()) {}
                }
            }
        }
    }

    /// The next in line of this shard whose caller is still there.
    fn next_in(&self, state: &mut Locked<'_>) -> Option<Place> {
        while let Some(place) = state.line.pop_front() {
            self.waiting.fetch_sub(1, SeqCst);
            if !place.sender.is_closed() {
                return Some(place);
            }
        }
        None
    }

    /// The next in line, and the number of its shard: this thread's, unless another's has waited for much longer.
    fn first_in_line(&self) -> Option<(usize, Place)> {
        if self.waiting.load(SeqCst) == 0 {
            return None;
        }
        let now_ns = nanoseconds(self.now());
        let own = self.shards[self.here()].first_has_waited(now_ns);
        let patience = own.map_or(Duration::ZERO, |waited| 2 * waited + OVERDUE);
        let overdue = self
            .here_first()
            .skip(1)
            .filter(|(_, shard)| shard.first_has_waited(now_ns).is_some_and(|waited| waited > patience));
        let next = |(number, shard): (usize, &Shard)| Some((number, self.next_in(&mut shard.lock())?));
        overdue.chain(self.here_first()).find_map(next)
    }

    fn forget_who_left(&self) {
        for shard in &self.shards {
            let mut state = shard.lock();
            let before = state.line.len();
            state.line.retain(|place| !place.sender.is_closed());
            self.waiting.fetch_sub(before - state.line.len(), SeqCst);
        }
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

    /// Now, on the monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    /// A sandbox of this pool is gone. Those in line must not wait for it.
    pub(super) fn lost(self: &Arc<Self>) {
        self.shared.leave();
        self.alive.fetch_sub(1, SeqCst);
        self.start_if_wanted();
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
            self.lost();
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
