//! A sandbox on loan. However its holder ends, the sandbox goes where it must: back to its pool, to a task that reads the
//! answer it owes, or to its end.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use super::{
    END_MAX,
    cancel::{Cancel, Withdrawn, unless_withdrawn},
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
    // `Some` from the time it is attended to until its end is told.
    account: Option<Account>,
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
    cancel: Option<Arc<Cancel>>,
    leaving_cancels: bool,
    stop: Stop,
}

/// Whether an invocation is to stop. Once it is told, `until` is when it is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    No,
    Wanted,
    Told,
}

/// How long an invocation may take.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// So long from its beginning.
    pub time: Duration,
    /// When that is over, as the function is told.
    pub deadline: Timestamp,
    /// When its client gives up, if that is earlier.
    pub client_until: Option<Instant>,
}

/// What is told of an invocation at its end.
#[derive(Debug)]
pub struct Account {
    /// Its log.
    pub log: Log,
    /// When it began, on the monotonic clock.
    pub began: Duration,
    /// How long it could take.
    pub time: Duration,
    /// How long the sandbox took to start, for the first invocation in it.
    pub init: Option<Duration>,
}

/// Why an invocation did not begin.
#[derive(Debug)]
pub enum Unbegun {
    /// The sandbox had ended before: another may run it.
    SandboxEnded(Admission),
    /// It was withdrawn before all of it was written.
    Withdrawn(Withdrawn),
    /// How it ended all the same.
    Ended(End),
}

impl Lease {
    /// Lends an idle sandbox.
    pub(super) fn of(worker: Box<Worker>, pool: Arc<Pool>, shard: usize) -> Self {
        Self { worker: Some(worker), pool, shard, owed: None, account: None, before: None }
    }

    /// What is known of the sandbox's start; at its first use alone.
    pub fn first_use(&mut self) -> Option<Loading> {
        self.worker.as_mut()?.first_use()
    }

    /// Writes an invocation. Once it is written its answer is owed; an error is the invocation's end, or gives the admission
    /// back for another try.
    pub async fn begin(
        &mut self,
        invocation: &Invocation,
        admission: Admission,
        term: Term,
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
        let now = Instant::now();
        let until = term.client_until.unwrap_or(now + term.time);
        if until <= now {
            return Err(Unbegun::Withdrawn(Withdrawn::TooLate));
        }
        worker.event(Event::Taken);
        worker.running_since.begin(self.pool.now());
        self.before = if self.pool.wants_effort() { worker.effort() } else { None };
        self.owed = Some(Owed {
            id: invocation.id,
            until,
            admission,
            cancel: invocation.terms.cancel.clone(),
            leaving_cancels: invocation.terms.leaving_cancels,
            stop: Stop::No,
        });
        let writing = exchange::begin(worker, invocation, term.deadline, slept);
        let written = unless_withdrawn(writing, Some(until), invocation.terms.cancel.as_deref()).await;
        match (written, self.owed.take()) {
            (Ok(Err(NotBegun::SandboxEnded)), Some(owed)) => Err(Unbegun::SandboxEnded(owed.admission)),
            (Ok(Err(_)), _) => Err(Unbegun::Ended(End::Violated)),
            (Err(Withdrawn::TooLate), _) if term.client_until.is_none() => Err(Unbegun::Ended(End::TimedOut)),
            (Err(withdrawn), _) => Err(Unbegun::Withdrawn(withdrawn)),
            (Ok(Ok(())), owed) => {
                self.owed = owed;
                Ok(())
            }
        }
    }

    /// The rest of an invocation: its answer, unless it has ended without; then the sandbox goes where it must, and the log
    /// is closed. What was logged last comes with the end, if it was asked for.
    pub async fn finish(mut self, account: Account, ended: Option<End>) -> (End, Option<Vec<u8>>) {
        self.account = Some(account);
        let end = match ended {
            Some(end) => end,
            None => self.answer().await,
        };
        self.conclude(end).await
    }

    /// Waits for the answer until the invocation's time is over, or until it is to stop and has had its time for that.
    async fn answer(&mut self) -> End {
        let (Some(worker), Some(owed), Some(account)) = (&mut self.worker, &mut self.owed, &mut self.account)
        else {
            return End::Exited(None);
        };
        let id = *owed.id.as_bytes();
        if owed.stop == Stop::No {
            let answer = timeout_at(owed.until, exchange::answer(worker, &id, &mut account.log));
            let answered = match &owed.cancel {
                None => Some(answer.await),
                Some(cancel) => tokio::select! {
                    biased;
                    answered = answer => Some(answered),
                    () = cancel.asked() => None,
                },
            };
            match answered {
                Some(end) => return end.unwrap_or(End::TimedOut),
                None => owed.stop = Stop::Wanted,
            }
        }
        if owed.stop == Stop::Wanted {
            owed.until = owed.until.min(Instant::now() + self.pool.cancel_grace());
            let told = timeout_at(owed.until, exchange::cancel(worker, &id)).await;
            if !matches!(told, Ok(Ok(()))) {
                return End::Cancelled { spent: true };
            }
            owed.stop = Stop::Told;
        }
        let end = timeout_at(owed.until, exchange::answer(worker, &id, &mut account.log)).await;
        End::Cancelled { spent: !matches!(end, Ok(End::Answered { spent: false, .. })) }
    }

    /// What follows on an end, for the sandbox and for the log.
    async fn conclude(mut self, end: End) -> (End, Option<Vec<u8>>) {
        let Some(mut account) = self.account.take() else { return (end, None) };
        let worker = self.worker.as_ref();
        let took = self.pool.now().saturating_sub(account.began);
        let memory_mb = account.log.is_wanted().then(|| worker?.high_water_mb()).flatten();
        let function = worker.map(|worker| worker.function.clone());
        // How long one takes that is cut short, or that nobody waits for, says nothing of the next.
        let is_usual = worker.is_some_and(|worker| worker.state() == State::Running)
            && !matches!(end, End::Cancelled { .. });
        let end = self.settle(end, is_usual.then_some(took)).await;
        let status = matches!(end, End::Cancelled { .. }).then_some("Cancelled");
        let memory_max_mb = function.map_or(0, |function| function.memory_mb);
        account.log.end(took.min(account.time), account.init, memory_max_mb, memory_mb, status);
        (end, account.log.into_tail())
    }

    /// Sends the sandbox where it must go after `end`, and completes what is known of the end. `took` is how long the
    /// invocation ran.
    async fn settle(mut self, mut end: End, took: Option<Duration>) -> End {
        self.owed = None;
        if let End::Cancelled { spent } = end {
            self.pool.shared.tally.cancelled(spent);
        }
        if let End::Answered { spent: false, .. } | End::Cancelled { spent: false } = end {
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

    /// Reads the answer of a caller who has left. Unless it is to stop, the function runs on; its owner's slot is taken until
    /// it has ended.
    async fn drain(mut self) {
        let end = self.answer().await;
        self.conclude(end).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        if let (State::Running, Ok(runtime), false) = (worker.state(), Handle::try_current(), worker.writing)
        {
            // The caller left in the middle. (With half an invocation written nothing has begun, and nothing can.)
            worker.event(Event::Abandoned);
            let mut owed = self.owed.take();
            if let Some(owed) = owed.as_mut().filter(|owed| owed.leaving_cancels && owed.stop == Stop::No) {
                owed.stop = Stop::Wanted;
            }
            let lease = Self {
                worker: Some(worker),
                pool: self.pool.clone(),
                shard: self.shard,
                owed,
                account: self.account.take(),
                before: None,
            };
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
