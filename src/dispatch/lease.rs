//! A sandbox on loan. However its holder ends, the sandbox goes where it must: back to its pool, to a task that reads the
//! answer it owes, or to its end.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, timeout, timeout_at},
};

use super::{
    END_MAX,
    exchange::{self, End},
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
    owed: Option<Owed>,
}

/// An answer that is owed to a caller, present or gone.
#[derive(Debug)]
struct Owed {
    id: RequestId,
    until: Instant,
    // The function's owner pays for it until it has ended.
    _admission: Admission,
}

impl Lease {
    /// Lends an idle sandbox.
    pub(super) fn of(worker: Box<Worker>, pool: Arc<Pool>) -> Self {
        Self { worker: Some(worker), pool, owed: None }
    }

    /// What is known of the sandbox's start; at its first use alone.
    pub fn first_use(&mut self) -> Option<Loading> {
        self.worker.as_mut()?.first_use()
    }

    /// The most memory its processes have used, in MiB; `None` when they are gone.
    pub fn high_water_mb(&self) -> Option<u64> {
        self.worker.as_ref()?.high_water_mb()
    }

    /// Runs an invocation until it answers or its time is over. From here on an answer is owed.
    pub async fn exchange(
        &mut self,
        invocation: &Invocation,
        admission: Admission,
        time: Duration,
        deadline: Timestamp,
        log: &mut Log<'_>,
    ) -> End {
        let Some(worker) = &mut self.worker else { return End::Exited(None) };
        worker.event(Event::Taken);
        let until = Instant::now() + time;
        self.owed = Some(Owed { id: invocation.id, until, _admission: admission });
        timeout_at(until, exchange::exchange(worker, invocation, deadline, log))
            .await
            .unwrap_or(End::TimedOut)
    }

    /// Sends the sandbox where it must go after `end`, and completes what is known of the end. `took` is how long the
    /// invocation ran.
    pub async fn settle(mut self, mut end: End, took: Option<Duration>) -> End {
        self.owed = None;
        if let End::Answered { spent: false, .. } = end {
            if let Some(mut worker) = self.worker.take() {
                worker.event(Event::Answered);
                self.pool.give_back(worker, took);
            }
        } else if let Some(worker) = &mut self.worker {
            worker.event(Event::Failed);
            if let End::Exited(exit @ None) = &mut end {
                *exit = timeout(END_MAX, worker.process.wait()).await.ok().and_then(Result::ok);
            }
        }
        end
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
        match (worker.state(), Handle::try_current()) {
            // It was never used: the caller left while it waited.
            (State::Idle, _) => self.pool.give_back(worker, None),
            // The caller left in the middle. (With half an invocation written nothing has begun, and nothing can.)
            (State::Running, Ok(runtime)) if !worker.writing => {
                worker.event(Event::Abandoned);
                let lease = Self { worker: Some(worker), pool: self.pool.clone(), owed: self.owed.take() };
                runtime.spawn(lease.drain());
            }
            _ => {
                drop(worker);
                self.pool.lost();
            }
        }
    }
}
