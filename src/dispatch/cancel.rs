//! Telling an invocation to stop, and what takes one back before it has begun.

use std::{
    fmt,
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    task::{Context, Poll},
};

use futures_util::{future::poll_immediate, task::AtomicWaker};
use tokio::time::{Instant, sleep_until};

/// Asks one invocation to stop, from wherever: once, and for good. The one that runs it waits for that.
#[derive(Default)]
pub struct Cancel {
    asked: AtomicBool,
    waker: AtomicWaker,
}

impl Cancel {
    /// Has it stop, if it has not ended. It never waits.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether somebody has asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Waits until somebody asks. Of several tasks that wait only the last to begin is woken.
    pub(super) async fn asked(&self) {
        poll_fn(|context| self.poll_asked(context)).await;
    }

    fn poll_asked(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_asked() {
            return Poll::Ready(());
        }
        self.waker.register(context.waker());
        // It may have been asked before the waker was there.
        if self.is_asked() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("asked", &self.is_asked()).finish_non_exhaustive()
    }
}

/// Why an invocation is not begun any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawn {
    /// Its client has given up by now.
    TooLate,
    /// Somebody asked it to stop.
    Cancelled,
}

/// Waits for what stands before an invocation, unless that is withdrawn meanwhile. What is there already is taken.
pub(super) async fn unless_withdrawn<T>(
    what: impl Future<Output = T>,
    until: Option<Instant>,
    cancel: Option<&Cancel>,
) -> Result<T, Withdrawn> {
    let mut what = pin!(what);
    // Nearly always it is, and then nobody needs a timer.
    if let Some(done) = poll_immediate(&mut what).await {
        return Ok(done);
    }
    let asked = async {
        match cancel {
            Some(cancel) => cancel.asked().await,
            None => std::future::pending().await,
        }
    };
    let passed = async {
        match until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        done = what => Ok(done),
        () = asked => Err(Withdrawn::Cancelled),
        () = passed => Err(Withdrawn::TooLate),
    }
}

/// How many invocations were withdrawn or told to stop.
#[derive(Debug, Default)]
pub struct Tally {
    stopped: AtomicU64,
    killed: AtomicU64,
    never_began: AtomicU64,
    too_late: AtomicU64,
}

impl Tally {
    /// One that was told to stop has ended: by itself, or with its sandbox.
    pub(super) fn cancelled(&self, killed: bool) {
        let count = if killed { &self.killed } else { &self.stopped };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// One was not begun.
    pub(super) fn withdrawn(&self, why: Withdrawn) {
        let count = match why {
            Withdrawn::Cancelled => &self.never_began,
            Withdrawn::TooLate => &self.too_late,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Those that were told to stop: that stopped, that were killed, that had not begun.
    pub fn told_to_stop(&self) -> [u64; 3] {
        [&self.stopped, &self.killed, &self.never_began].map(|count| count.load(Ordering::Relaxed))
    }

    /// Those whose client had given up before they began.
    pub fn too_late(&self) -> u64 {
        self.too_late.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_woken_and_late_comers_know_at_once() {
        let cancel = Arc::new(Cancel::default());
        let waiting = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.asked().await }
        });
        tokio::task::yield_now().await;
        assert!(!cancel.is_asked() && !waiting.is_finished());
        cancel.ask();
        cancel.ask();
        waiting.await.unwrap();
        assert!(cancel.is_asked());
        assert_eq!(cancel.asked().now_or_never(), Some(()));
    }

    #[tokio::test]
    async fn what_is_there_is_taken_and_what_is_not_is_withdrawn() {
        let cancel = Cancel::default();
        let past = Some(Instant::now() - Duration::from_millis(1));
        cancel.ask();
        assert_eq!(unless_withdrawn(async { 1 }, past, Some(&cancel)).await, Ok(1));
        let never = std::future::pending::<()>;
        assert_eq!(unless_withdrawn(never(), past, Some(&cancel)).await, Err(Withdrawn::Cancelled));
        let soon = Some(Instant::now() + Duration::from_millis(5));
        assert_eq!(unless_withdrawn(never(), soon, Some(&Cancel::default())).await, Err(Withdrawn::TooLate));
        assert_eq!(unless_withdrawn(tokio::task::yield_now(), None, None).await, Ok(()));
    }
}
