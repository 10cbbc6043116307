//! A sandbox on loan. However its holder ends, the sandbox goes where it must: back to its pool, to a task that reads the
//! answer it owes, or to its end.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::poll_immediate;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use super::{
    END_MAX,
    effort::Effort,
    exchange::{self, End, NotBegun},
    invocation::Invocation,
    lifecycle::{Event, State},
    logs::Log,
    pool::Pool,
    worker::{Loading, Worker},
};
use crate::{
    base::{RequestId, Timestamp},
    quota::Admission,
};

/// A sandbox taken out of its pool.
#[derive(Debug)]
pub struct Lease {
    // `Some` until the lease has ended.
    worker: Option<Box<Worker>>,
    pool: Arc<Pool>,
    // The number of its pool's shard that counts it.
    shard: usize,
    owed: Option<Owed>,
    // What the sandbox had done before an invocation whose own part is to be told apart.
    before: Option<Effort>,
}

/// An answer that is owed to a caller, present or gone.
#[derive(Debug)]
struct Owed {
    id: RequestId,
    until: Instant,
    // The function's owner pays for it until it has ended.
    admission: Admission,
}

/// Why an invocation did not begin.
#[derive(Debug)]
pub enum Unbegun {
    /// The sandbox had ended before: another may run it.
    SandboxEnded(Admission),
    /// How it ended all the same.
    Ended(End),
}

impl Lease {
    /// Lends an idle sandbox.
    pub(super) fn of(worker: Box<Worker>, pool: Arc<Pool>, shard: usize) -> Self {
        Self { worker: Some(worker), pool, shard, owed: None, before: None }
    }

    /// What is known of the sandbox's start; at its first use alone.
    pub fn first_use(&mut self) -> Option<Loading> {
        self.worker.as_mut()?.first_use()
    }

    /// The most memory its processes have used, in MiB; `None` when they are gone.
    pub fn high_water_mb(&self) -> Option<u64> {
        self.worker.as_ref()?.high_water_mb()
    }

    /// Writes an invocation that may take so much `time`. Once it is written its answer is owed; an error is the
    /// invocation's end, or gives the admission back for another try.
    pub async fn begin(
        &mut self,
        invocation: &Invocation,
        admission: Admission,
        time: Duration,
        deadline: Timestamp,
    ) -> Result<(), Unbegun> {
        let Some(Ok(worker)) = self.worker.take().map(Worker::come_home) else {
            self.pool.returned(self.shard);
            self.pool.lost(Event::Failed);
            return Err(Unbegun::SandboxEnded(admission));
        };
        let worker = self.worker.insert(worker);
        let slept = match worker.thaw(self.pool.now()).await {
            // Who was frozen while it ended looks alive until it goes on.
            Ok(Some(_)) if worker.link.is_closed() => return Err(Unbegun::SandboxEnded(admission)),
            Ok(slept) => slept,
            Err(error) => {
                tracing::warn!(function = &*worker.function.arn, %error, "a sandbox did not go on");
                return Err(Unbegun::SandboxEnded(admission));
            }
        };
        worker.event(Event::Taken);
        worker.running_since.begin(self.pool.now());
        self.before = if self.pool.wants_effort() { worker.effort() } else { None };
        let until = Instant::now() + time;
        self.owed = Some(Owed { id: invocation.id, until, admission });
        let mut writing = pin!(exchange::begin(worker, invocation, deadline, slept));
        // Nearly always it can be written at once, and then needs no timer.
        let written = match poll_immediate(&mut writing).await {
            Some(written) => Ok(written),
            None => timeout_at(until, writing).await,
        };
        match (written, self.owed.take()) {
            (Ok(Err(NotBegun::SandboxEnded)), Some(owed)) => Err(Unbegun::SandboxEnded(owed.admission)),
            (Ok(Err(_)), _) => Err(Unbegun::Ended(End::Violated)),
            (Err(_), _) => Err(Unbegun::Ended(End::TimedOut)),
            (Ok(Ok(())), owed) => {
                self.owed = owed;
                Ok(())
            }
        }
    }

    /// Waits for the answer until the invocation's time is over.
    pub async fn answer(&mut self, log: &mut Log<'_>) -> End {
        let (Some(worker), Some(owed)) = (&mut self.worker, &self.owed) else { return End::Exited(None) };
        let answer = exchange::answer(worker, owed.id.as_bytes(), Some(log));
        timeout_at(owed.until, answer).await.unwrap_or(End::TimedOut)
    }

    /// Sends the sandbox where it must go after `end`, and completes what is known of the end. `took` is how long the
    /// invocation ran.
    pub async fn settle(mut self, mut end: End, took: Option<Duration>) -> End {
        self.owed = None;
        if let End::Answered { spent: false, .. } = end {
            if let Some(mut worker) = self.worker.take() {
                worker.event(Event::Answered);
                worker.running_since.end();
                let alone = self
                    .before
                    .take()
                    .zip(took)
                    .and_then(|(before, took)| Some(worker.effort()?.since(before, took)));
                self.pool.returned(self.shard);
                self.pool.give_back(worker, took, alone);
            }
        } else if let Some(worker) = &mut self.worker {
            worker.event(Event::Failed);
            if let End::Exited(exit @ None) = &mut end {
                *exit = worker.exit(END_MAX).await;
            }
        }
        end
    }

    /// Ends the sandbox.
    pub fn discard(mut self) {
        if let Some(worker) = &mut self.worker {
            worker.event(Event::Failed);
        }
    }

    /// Reads the answer of a caller who has left. The function runs on; its owner's slot is taken until it has ended.
    async fn drain(mut self) {
        let (Some(worker), Some(owed)) = (&mut self.worker, &self.owed) else { return };
        let answer = exchange::answer(worker, owed.id.as_bytes(), None);
        let end = timeout_at(owed.until, answer).await.unwrap_or(End::TimedOut);
        self.settle(end, None).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        if let (State::Running, Ok(runtime), false) = (worker.state(), Handle::try_current(), worker.writing)
        {
            // The caller left in the middle. (With half an invocation written nothing has begun, and nothing can.)
            worker.event(Event::Abandoned);
            let owed = self.owed.take();
            let lease =
                Self { worker: Some(worker), pool: self.pool.clone(), shard: self.shard, owed, before: None };
            runtime.spawn(lease.drain());
            return;
        }
        self.pool.returned(self.shard);
        match worker.state() {
            _ if worker.settling => {
                drop(worker);
                self.pool.lost(Event::Failed);
            }
            // It was never used: the caller left while it waited.
            State::Idle | State::Frozen => self.pool.give_back(worker, None, None),
            _ => {
                drop(worker);
                self.pool.lost(Event::Failed);
            }
        }
    }
}
