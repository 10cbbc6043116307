//! Run it: an invocation finds a sandbox, is answered by it, and leaves it behind for the next.
//!
//! [`Dispatch::run`] is the way of one invocation. A sandbox serves one invocation at a time; concurrent ones get different
//! sandboxes, or wait for one when that is expected to be quicker than starting another ([`pool`]). Once an invocation is
//! written to a sandbox its answer is owed: it is read before that sandbox serves anyone else, also when the caller has left
//! ([`lease`]).

pub mod connecting;
pub mod credentials;
pub mod effort;
pub mod ends;
pub mod environment;
mod estimate;
pub mod exchange;
mod freezing;
mod growth;
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
pub mod start;
mod turns;
pub mod worker;

use std::{sync::Arc, time::Duration};

pub use idempotency::Idempotency;
pub use invocation::{FunctionError, Invocation, Outcome};
pub use pools::{Options, Pools};

use crate::{
    base::{AccountId, clock::SharedClock},
    functions::{Function, Target},
    policy::Permit,
    quota::Admission,
};
use exchange::End;
use lease::Unbegun;
use logs::{Log, LogSink};
use pool::Handed;
use start::{StartFailure, start_max};

/// Why an invocation was not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DispatchError {
    /// There is no room: as many sandboxes as there may be, or as many calls waiting for one.
    #[error("{0}")]
    Saturated(&'static str),
    /// The gateway is going down.
    #[error("the gateway is shutting down")]
    ShuttingDown,
    /// No sandbox could be started.
    #[error("a sandbox could not be started: {0}")]
    Sandbox(String),
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
        let (mut lease, loading, began, deadline, unbegun) = loop {
            let mut lease = match self.lease(&target).await? {
                Handed::Lease(lease) => lease,
                Handed::Failed(failure, cause) => {
                    return match &*failure {
                        StartFailure::System(why) => Err(DispatchError::Sandbox(why.clone())),
                        StartFailure::Saturated(why) => Err(DispatchError::Saturated(why)),
                        StartFailure::Function(init) => {
                            Ok(ends::init_failed(init, &target, invocation.id, self.clock.now(), log, cause))
                        }
                    };
                }
            };
            let loading = lease.first_use();
            let began = self.clock.monotonic();
            let deadline = self.clock.now().plus(function.timeout);
            match lease.begin(&invocation, admission, function.timeout, deadline).await {
                Ok(()) => break (lease, loading, began, deadline, None),
                // It ended while it was idle: a timer of the function's that threw, for one. There are only so many of those.
                Err(Unbegun::SandboxEnded(again)) if loading.is_none() => {
                    admission = again;
                    lease.discard();
                }
                Err(Unbegun::SandboxEnded(_)) => {
                    break (lease, loading, began, deadline, Some(End::Exited(None)));
                }
                Err(Unbegun::Ended(end)) => break (lease, loading, began, deadline, Some(end)),
            }
        };
        if let Some(loading) = &loading {
            log.loaded(loading);
        }
        log.start(&target.version);
        let end = match unbegun {
            Some(end) => end,
            None => lease.answer(&mut log).await,
        };
        let took = self.clock.monotonic().saturating_sub(began);
        let memory_mb = log.is_wanted().then(|| lease.high_water_mb()).flatten();
        let end = lease.settle(end, Some(took)).await;
        let cold = loading.as_ref().map(|loading| loading.cause);
        log.end(
            took.min(function.timeout),
            loading.map(|loading| loading.took),
            function.memory_mb,
            memory_mb,
        );
        Ok(ends::outcome(end, &target, invocation.id, deadline, log, cold))
    }

    /// A sandbox, or why there is none. Who has waited in line for as long as a start takes has the pool think again.
    async fn lease(&self, target: &Target) -> Result<Handed, DispatchError> {
        let pool = self.pools.of(target)?;
        let mut waiting = match pool.take()? {
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
            Err(_) => Err(DispatchError::Saturated("no sandbox came free in time")),
        }
    }
}

/// How often one call has the pool think again.
const LOOKS_MAX: u32 = 16;
/// How long a call waits in line after that, at most, unless its function takes longer to load.
const LINE_MAX: Duration = Duration::from_secs(30);
/// How long a sandbox that closed its socket may take to end.
const END_MAX: Duration = Duration::from_secs(2);
