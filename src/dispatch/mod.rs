//! Run it: an invocation finds a sandbox, is answered by it, and leaves it behind for the next.
//!
//! [`Dispatch::run`] is the way of one invocation. A sandbox serves one invocation at a time; concurrent ones get different
//! sandboxes, or wait for one when that is expected to be quicker than starting another ([`pool`]). Once an invocation is
//! written to a sandbox its answer is owed: it is read before that sandbox serves anyone else, also when the caller has left
//! ([`lease`]).

pub mod cancel;
pub mod connecting;
pub mod credentials;
pub mod effort;
pub mod ends;
pub mod environment;
mod estimate;
pub mod exchange;
mod freezing;
mod growth;
pub mod heap;
mod held_up;
pub mod idempotency;
pub mod invocation;
pub mod lease;
pub mod lifecycle;
mod line;
pub mod logs;
pub mod memory;
pub mod nodes;
mod past;
pub mod pool;
pub mod pools;
mod prewarm;
mod shard;
mod shares;
pub mod start;
mod turns;
pub mod worker;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

pub use idempotency::Idempotency;
pub use invocation::{FunctionError, Invocation, Outcome, Terms};
pub use pools::{Options, Pools};

use crate::{
    base::{AccountId, clock::SharedClock},
    functions::{Function, Target},
    policy::Permit,
    quota::{Admission, Share},
};
use cancel::{Tally, Withdrawn, unless_withdrawn};
use exchange::End;
use lease::{Account, Term, Unbegun};
use logs::{Log, LogSink};
use pool::Handed;
use start::{StartFailure, start_max};

/// Why an invocation was not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DispatchError {
    /// There is no room: as many sandboxes as there may be, or as many calls waiting for one.
    #[error("{}", .0.why)]
    Saturated(Full),
    /// The gateway is going down.
    #[error("the gateway is shutting down")]
    ShuttingDown,
    /// Its client had given up before it could begin.
    #[error("the client's deadline passed before the function could begin")]
    TooLate,
    /// No sandbox could be started.
    #[error("a sandbox could not be started: {0}")]
    Sandbox(String),
}

/// Something of which there is no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full {
    /// Its name in configuration.
    pub limit: &'static str,
    /// How much there is of it.
    pub most: u64,
    /// What that means, for the log.
    pub why: &'static str,
}

/// Runs invocations.
pub struct Dispatch {
    pools: Arc<Pools>,
    clock: SharedClock,
    sink: Arc<dyn LogSink>,
}

impl Dispatch {
    /// Dispatches to these pools.
    pub fn new(pools: Arc<Pools>, clock: SharedClock, sink: Arc<dyn LogSink>) -> Self {
        Self { pools, clock, sink }
    }

    /// Sandboxes alive now.
    pub fn sandboxes(&self) -> u64 {
        self.pools.alive()
    }

    /// Sandboxes that are just being made.
    pub fn being_made(&self) -> usize {
        self.pools.being_made()
    }

    /// Makes sandboxes ready for functions that nobody has called yet.
    pub fn prewarm(&self) {
        self.pools.prewarm();
    }

    /// Calls that wait for a sandbox.
    pub fn waiting(&self) -> usize {
        self.pools.waiting()
    }

    /// Idle sandboxes in which everything stands still.
    pub fn frozen(&self) -> usize {
        self.pools.frozen()
    }

    /// Sandboxes that are ready to become any function's.
    pub fn prewarmed(&self) -> usize {
        self.pools.prewarmed()
    }

    /// Ends sandboxes that were idle for too long. Called every few seconds.
    pub fn sweep(&self) {
        self.pools.sweep();
    }

    /// Ends the sandboxes of a function that is no more: idle ones now, the others when they have answered.
    pub fn retire(&self, account: AccountId, name: &str) {
        self.retire_unless(account, name, &|_| false);
    }

    /// The same for those versions of it that are not there any more.
    pub fn retire_unless(&self, account: AccountId, name: &str, is_there: &dyn Fn(&Function) -> bool) {
        self.pools.retire(account, name, is_there);
    }

    /// Takes no more invocations, ends idle sandboxes, and waits until the running ones have answered. Those that have not
    /// `within` that time are killed; no process is left when this returns.
    pub async fn shutdown(&self, within: Duration) {
        self.pools.shutdown(within).await;
    }

    /// Invocations that were withdrawn or told to stop, since the start.
    pub fn tally(&self) -> &Tally {
        &self.pools.tally
    }

    /// Runs an invocation that is permitted and admitted. The slot is held until the answer is there.
    pub async fn run(
        &self,
        _permit: &Permit,
        admission: Admission,
        target: Target,
        invocation: Invocation,
    ) -> Result<Outcome, DispatchError> {
        let function = &target.function;
        let mut admission = admission;
        let mut log = Log::new(invocation.log_tail, &self.sink, function, invocation.id);
        let (lease, loading, began, term, ended) = loop {
            let mut lease = match self.lease_for(&invocation, &target, admission.share()).await {
                Ok(handed) => match handed? {
                    Handed::Lease(lease) => lease,
                    Handed::Failed(failure, cause) => {
                        return match &*failure {
                            StartFailure::System(why) => Err(DispatchError::Sandbox(why.clone())),
                            StartFailure::Saturated(full) => Err(DispatchError::Saturated(*full)),
                            StartFailure::Function(init) => {
                                let now = self.clock.now();
                                Ok(ends::init_failed(init, &target, invocation.id, now, log, cause))
                            }
                        };
                    }
                },
                Err(withdrawn) => return self.withdrawn(withdrawn, &target, &invocation, log),
            };
            let term = self.term(function.timeout, &invocation.terms);
            let began = self.clock.monotonic();
            let loading = lease.first_use();
            match lease.begin(&invocation, admission, term).await {
                Ok(()) => break (lease, loading, began, term, None),
                // It ended while it was idle: a timer of the function's that threw, for one. There are only so many of those.
                Err(Unbegun::SandboxEnded(again)) if loading.is_none() => {
                    admission = again;
                    lease.discard();
                }
                Err(Unbegun::SandboxEnded(_)) => {
                    break (lease, loading, began, term, Some(End::Exited(None)));
                }
                Err(Unbegun::Ended(end)) => break (lease, loading, began, term, Some(end)),
                Err(Unbegun::Withdrawn(why)) => return self.withdrawn(why, &target, &invocation, log),
            }
        };
        if let Some(loading) = &loading {
            log.loaded(loading);
        }
        log.start(&target.version);
        let cold = loading.as_ref().map(|loading| loading.cause);
        let init = loading.map(|loading| loading.took);
        let account = Account { log, began, time: term.time, init };
        let (end, tail) = lease.finish(account, ended).await;
        Ok(ends::outcome(end, &target, invocation.id, (term.time, term.deadline), tail, cold))
    }

    /// A sandbox, or why there is none, unless the invocation is withdrawn before there is one. Who leaves the line gives back
    /// what is handed over meanwhile.
    async fn lease_for(
        &self,
        invocation: &Invocation,
        target: &Target,
        share: Share,
    ) -> Result<Result<Handed, DispatchError>, Withdrawn> {
        let terms = &invocation.terms;
        if terms.client_deadline.is_none() && terms.cancel.is_none() {
            return Ok(self.lease(target, share).await);
        }
        self.check(terms)?;
        let until = terms.client_deadline.map(|deadline| self.instant(deadline));
        let handed = unless_withdrawn(self.lease(target, share), until, terms.cancel.as_deref()).await?;
        self.check(terms)?;
        Ok(handed)
    }

    /// That it is still wanted.
    fn check(&self, terms: &Terms) -> Result<(), Withdrawn> {
        if terms.cancel.as_ref().is_some_and(|cancel| cancel.is_asked()) {
            return Err(Withdrawn::Cancelled);
        }
        match terms.client_deadline {
            Some(deadline) if deadline <= self.clock.monotonic() => Err(Withdrawn::TooLate),
            _ => Ok(()),
        }
    }

    /// What comes of an invocation that never began.
    fn withdrawn(
        &self,
        withdrawn: Withdrawn,
        target: &Target,
        invocation: &Invocation,
        log: Log,
    ) -> Result<Outcome, DispatchError> {
        self.pools.tally.withdrawn(withdrawn);
        match withdrawn {
            Withdrawn::TooLate => Err(DispatchError::TooLate),
            Withdrawn::Cancelled => Ok(ends::cancelled(target, invocation.id, log.into_tail())),
        }
    }

    /// The smaller of the function's own time and what its client leaves it.
    fn term(&self, timeout: Duration, terms: &Terms) -> Term {
        let left = terms.client_deadline.map(|deadline| deadline.saturating_sub(self.clock.monotonic()));
        let left = left.filter(|left| *left < timeout);
        let time = left.unwrap_or(timeout);
        let client_until = left.map(|left| Instant::now() + left);
        Term { time, deadline: self.clock.now().plus(time), client_until }
    }

    /// When it is as late on the monotonic clock, for the event loop's timers.
    fn instant(&self, at: Duration) -> Instant {
        Instant::now() + at.saturating_sub(self.clock.monotonic())
    }

    /// A sandbox, or why there is none. Who has waited in line for as long as a start takes has the pool think again.
    async fn lease(&self, target: &Target, share: Share) -> Result<Handed, DispatchError> {
        let pool = self.pools.of(target)?;
        let mut waiting = match pool.take(share)? {
            Ok(lease) => return Ok(Handed::Lease(lease)),
            Err(waiting) => waiting,
        };
        for _ in 0..LOOKS_MAX {
            match tokio::time::timeout(pool.patience(), &mut waiting).await {
                Ok(handed) => return handed.map_err(|_| DispatchError::ShuttingDown),
                Err(_) => {
                    // If all were held up, the machine being busy, then what came meanwhile is looked at first.
                    tokio::task::yield_now().await;
                    if let Ok(handed) = waiting.try_recv() {
                        return Ok(handed);
                    }
                    pool.reconsider();
                }
            }
        }
        match tokio::time::timeout(LINE_MAX.max(start_max(&target.function)), waiting).await {
            Ok(handed) => handed.map_err(|_| DispatchError::ShuttingDown),
            Err(_) => Err(DispatchError::Saturated(Full {
                limit: "sandbox.function_queue_max",
                most: self.pools.options.line_max as u64,
                why: "no sandbox came free in time",
            })),
        }
    }
}

/// How often one call has the pool think again.
const LOOKS_MAX: u32 = 16;
/// How long a call waits in line after that, at most, unless its function takes longer to load.
const LINE_MAX: Duration = Duration::from_secs(30);
/// How long a sandbox that closed its socket may take to end.
const END_MAX: Duration = Duration::from_secs(2);
