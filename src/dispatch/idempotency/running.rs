//! Runs that go on now, and the requests that wait for each of them.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use tokio::sync::Notify;

use super::answer::Answer;
use crate::base::{RequestId, Timestamp};

/// How many requests may wait for a run beside the one that began it.
pub const JOINS_MAX: u32 = 8;

/// One run of a call.
#[derive(Debug)]
pub struct Run {
    /// The id of the request that began it, which is the invocation's.
    pub id: RequestId,
    /// When that request came.
    pub began: Timestamp,
    waiting: AtomicU32,
    joined: AtomicU32,
    /// `None` if it was refused before it began, or never ended.
    ended: OnceLock<Option<Arc<Answer>>>,
    told: Notify,
}

/// A request that waits for a run, for as long as this is held.
#[derive(Debug)]
pub struct Waiting {
    run: Arc<Run>,
    joined: bool,
}

impl Run {
    /// A run that begins, and the request that begins it.
    pub(super) fn begin(id: RequestId, began: Timestamp) -> (Arc<Self>, Waiting) {
        let run = Arc::new(Self {
            id,
            began,
            waiting: AtomicU32::new(1),
            joined: AtomicU32::new(0),
            ended: OnceLock::new(),
            told: Notify::new(),
        });
        let waiting = Waiting { run: run.clone(), joined: false };
        (run, waiting)
    }

    /// How many requests wait for it.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Acquire)
    }

    /// Waits for it as well; `None` if [`JOINS_MAX`] do already.
    pub(super) fn join(self: &Arc<Self>) -> Option<Waiting> {
        let room = |joined: u32| (joined < JOINS_MAX).then_some(joined + 1);
        self.joined.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        self.waiting.fetch_add(1, Ordering::AcqRel);
        Some(Waiting { run: self.clone(), joined: true })
    }

    /// Tells whoever waits. Only the first end counts.
    pub(super) fn end(&self, answer: Option<Arc<Answer>>) {
        if self.ended.set(answer).is_ok() {
            self.told.notify_waiters();
        }
    }

    /// How it ended, once it has.
    pub(super) fn ended(&self) -> Option<&Option<Arc<Answer>>> {
        self.ended.get()
    }
}

impl Waiting {
    /// The run.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Waits until it has ended; `None` if nothing was run, and the call may be tried again.
    pub async fn answer(&self) -> Option<Arc<Answer>> {
        loop {
            let told = self.run.told.notified();
            // Looked at after the wait was asked for: an end in between wakes it.
            if let Some(ended) = self.run.ended() {
                return ended.clone();
            }
            told.await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.joined {
            self.run.joined.fetch_sub(1, Ordering::AcqRel);
        }
        self.run.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::rng::SeededRng, dispatch::Outcome};

    fn run() -> (Arc<Run>, Waiting) {
        Run::begin(RequestId::draw(&SeededRng::new(1)), Timestamp::default())
    }

    fn answer() -> Arc<Answer> {
        let outcome = Outcome {
            payload: bytes::Bytes::from_static(b"1"),
            function_error: None,
            version: "$LATEST".into(),
            log_tail: None,
            cold: None,
        };
        Arc::new(Answer { id: RequestId::draw(&SeededRng::new(1)), outcome })
    }

    #[test]
    fn eight_join_and_the_ninth_does_not_until_one_leaves() {
        let (run, first) = run();
        let mut joined: Vec<_> = (0..JOINS_MAX).map(|_| run.join().unwrap()).collect();
        assert_eq!(run.waiting(), 9);
        assert!(run.join().is_none());
        joined.pop();
        joined.push(run.join().unwrap());
        // Whoever began it may leave; that makes no room for more.
        drop(first);
        assert!(run.join().is_none());
        drop(joined);
        assert_eq!(run.waiting(), 0);
    }

    #[tokio::test]
    async fn all_who_wait_get_the_one_answer_whenever_they_asked() {
        let (run, first) = run();
        let early = run.join().unwrap();
        let early = tokio::spawn(async move { early.answer().await });
        tokio::task::yield_now().await;
        run.end(Some(answer()));
        run.end(None);
        assert_eq!(early.await.unwrap(), Some(answer()));
        assert_eq!(first.answer().await, Some(answer()));
        assert_eq!(run.join().unwrap().answer().await, Some(answer()));
    }
}
