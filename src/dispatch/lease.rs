//! A sandbox on loan. However its holder ends, the sandbox goes where it must: back to its pool, to a task that reads the
//! answer it owes, or to its end.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    exchange::{self, End},
    invocation::Invocation,
    lifecycle::{Event, State},
    logs::Log,
    pool::Pool,
    worker::Worker,
};
use crate::{
    base::{RequestId, Timestamp},
    quota::Admission,
};

/// How long a sandbox that closed its socket may take to end.
const END_MAX: Duration = Duration::from_secs(2);

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

    /// Whether it has not served yet.
    pub fn is_new(&self) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.is_new())
    }

    /// How long loading took, once, for the first invocation's report.
    pub fn first_use(&mut self) -> Option<Duration> {
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
    pub async fn settle(mut self, end: End, took: Duration) -> End {
        match self.worker.take() {
            Some(worker) => {
                self.owed = None;
                settle(worker, &self.pool, end, Some(took)).await
            }
            None => end,
        }
    }
}

async fn settle(mut worker: Box<Worker>, pool: &Arc<Pool>, mut end: End, took: Option<Duration>) -> End {
    if let End::Answered { spent: false, .. } = end {
        worker.event(Event::Answered);
        pool.give_back(worker, took);
        return end;
    }
    worker.event(Event::Failed);
    if let End::Exited(exit @ None) = &mut end {
        *exit = timeout(END_MAX, worker.process.wait()).await.ok().and_then(Result::ok);
    }
    drop(worker);
    pool.lost();
    end
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        let pool = self.pool.clone();
        match (worker.state(), self.owed.take(), tokio::runtime::Handle::try_current()) {
            // It was never used: the caller left while it waited.
            (State::Idle, ..) => pool.give_back(worker, None),
            // The caller left in the middle. The function runs on; its answer is read before anyone else is served.
            (State::Running, Some(owed), Ok(runtime)) => {
                worker.event(Event::Abandoned);
                runtime.spawn(async move {
                    let id = *owed.id.as_bytes();
                    let end = timeout_at(owed.until, exchange::answer(&mut worker, &id, None)).await;
                    // Free before the sandbox is, so that nobody sees the one without the other.
                    drop(owed);
                    settle(worker, &pool, end.unwrap_or(End::TimedOut), None).await;
                });
            }
            _ => {
                drop(worker);
                pool.lost();
            }
        }
    }
}
