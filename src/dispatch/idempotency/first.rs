//! The first request of a call: the one that runs.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use super::{Call, Idempotency, Kind, Over, Run, Waiting, count};
use crate::dispatch::{DispatchError, Outcome};

/// Why a call with an `Idempotency-Key` is not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotRecorded {
    /// This store of keys is full.
    #[error("no more idempotency keys can be kept")]
    Full(Over),
    /// The key could not be written.
    #[error("the idempotency key could not be written")]
    Unwritable,
}

/// How far the first request has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It is known by its id.
    Claimed,
    /// Its key is on disk, or on the way there.
    Recorded,
    /// It may have begun to execute.
    Began,
    /// It has ended, one way or the other.
    Ended,
}

/// A call that is about to run. However its holder ends, whoever waits for it is told.
#[derive(Debug)]
pub struct First {
    idempotency: Arc<Idempotency>,
    call: Call,
    run: Arc<Run>,
    waiting: Option<Waiting>,
    phase: Phase,
    /// Its number in the book of keys.
    entry: u64,
}

impl First {
    pub(super) fn new(idempotency: Arc<Idempotency>, call: Call, run: Arc<Run>, waiting: Waiting) -> Self {
        Self { idempotency, call, run, waiting: Some(waiting), phase: Phase::Claimed, entry: 0 }
    }

    /// The run.
    pub fn run_of(&self) -> &Arc<Run> {
        &self.run
    }

    /// Records an `Idempotency-Key` on disk, before anything begins. An SDK's id needs nothing.
    pub async fn record(&mut self) -> Result<(), NotRecorded> {
        if self.call.kind == Kind::Sdk {
            return Ok(());
        }
        let charged = self.idempotency.charge(&self.call, &self.run);
        self.entry = charged.map_err(|over| {
            count(&self.idempotency.counts.full);
            NotRecorded::Full(over)
        })?;
        self.phase = Phase::Recorded;
        if self.idempotency.record(&self.call, &self.run).await {
            return Ok(());
        }
        Err(NotRecorded::Unwritable)
    }

    /// Runs the call to its end and keeps its answer, whether or not the caller of this is still there: what is not done when
    /// this is dropped goes on as a task of its own.
    pub async fn run<F>(mut self: Box<Self>, run: F) -> Result<Outcome, DispatchError>
    where
        F: Future<Output = Result<Outcome, DispatchError>> + Send + 'static,
    {
        // Held here and not in the task: it says whether this request still waits.
        let _waiting = self.waiting.take();
        self.phase = Phase::Began;
        Detached(Some(Box::pin(async move {
            let result = run.await;
            self.settle(&result).await;
            result
        })))
        .await
    }

    async fn settle(&mut self, result: &Result<Outcome, DispatchError>) {
        match (result, self.call.kind) {
            (Ok(outcome), Kind::Sdk) => self.idempotency.remember(&self.call, &self.run, outcome),
            (Ok(outcome), Kind::Key) => {
                self.idempotency.keep(&self.call, &self.run, self.entry, outcome).await;
            }
            // Nothing was run: a retry may try again.
            (Err(_), Kind::Sdk) => self.idempotency.release(&self.run, &self.call, 0),
            (Err(_), Kind::Key) => {
                self.idempotency.release(&self.run, &self.call, self.entry);
                self.idempotency.erase_record(&self.call).await;
            }
        }
        self.phase = Phase::Ended;
    }
}

impl Drop for First {
    fn drop(&mut self) {
        match self.phase {
            Phase::Claimed => self.idempotency.release(&self.run, &self.call, self.entry),
            Phase::Recorded => {
                self.idempotency.release(&self.run, &self.call, self.entry);
                self.idempotency.erase_record_later(&self.call);
            }
            Phase::Began => self.idempotency.lose(&self.run, &self.call, self.entry),
            Phase::Ended => {}
        }
        self.run.end(None);
        self.idempotency.run_ended();
    }
}

type Work = Pin<Box<dyn Future<Output = Result<Outcome, DispatchError>> + Send>>;

/// Work that somebody waits for, and that goes on when nobody does.
struct Detached(Option<Work>);

impl Future for Detached {
    type Output = Result<Outcome, DispatchError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        // Work that panicked cannot go on.
        if let (Some(work), false, Ok(runtime)) =
            (self.0.take(), std::thread::panicking(), Handle::try_current())
        {
            runtime.spawn(work);
        }
    }
}
