//! Idle sandboxes stand still: no timer, no child process, no thread of a function runs while nobody calls it.
//!
//! Freezing and thawing take system calls, so a sandbox is frozen only when it has been idle for a moment, and for a longer one
//! if it was woken soon after it had been frozen the last time.

use std::{sync::Arc, sync::atomic::Ordering::SeqCst, time::Duration};

use tokio::runtime::Handle;

use super::{
    lifecycle::{Event, State},
    pool::Pool,
    shard::Shard,
    worker::Worker,
};

/// The longest that a sandbox is idle before it is frozen.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long is waited at the least before what is idle is looked at again.
const LOOK: Duration = Duration::from_millis(1);
/// Who is woken before so many times its delay were over was frozen too early.
const TOO_EARLY: u32 = 20;

/// How long to wait the next time, after a sleep of `slept`: twice as long where that was short.
pub(super) fn next_delay(delay: Duration, slept: Duration, least: Duration) -> Duration {
    if slept < delay * TOO_EARLY { (delay * 2).min(DELAY_MAX) } else { least }
}

impl Pool {
    /// Sees to it that what is idle now will be frozen. Called whenever a sandbox has become idle.
    pub(super) fn freeze_soon(self: &Arc<Self>) {
        if self.is_freezing.swap(true, SeqCst) {
            return;
        }
        match Handle::try_current() {
            Ok(runtime) => {
                let pool = self.clone();
                runtime.spawn(async move { pool.freeze_idle().await });
            }
            Err(_) => self.is_freezing.store(false, SeqCst),
        }
    }

    /// Freezes one sandbox after the other as its time comes, until none is idle and awake.
    async fn freeze_idle(self: Arc<Self>) {
        loop {
            let now = self.shared.clock.monotonic();
            let (due, next) = self.take_due(now);
            if due.is_empty() && next.is_none() {
                self.is_freezing.store(false, SeqCst);
                // One may have become idle after it was looked for, and before it could see that nobody looks any more.
                if self.take_due_is_empty() || self.is_freezing.swap(true, SeqCst) {
                    return;
                }
                continue;
            }
            for worker in due {
                self.freeze(worker).await;
            }
            if let Some(next) = next {
                // One that becomes idle meanwhile may be due earlier than those that were seen.
                let look = self.shared.starter.freeze_delay.max(LOOK);
                tokio::time::sleep(next.saturating_sub(self.shared.clock.monotonic()).min(look)).await;
            }
        }
    }

    /// Takes the idle sandboxes whose time has come; also says when that of the next will be.
    #[expect(clippy::vec_box, reason = "a sandbox moves between pool and lease by its pointer")]
    fn take_due(&self, now: Duration) -> (Vec<Box<Worker>>, Option<Duration>) {
        let (mut due, mut next) = (Vec::new(), None);
        for shard in &self.shards {
            let mut state = shard.lock();
            due.extend(state.idle.extract_if(.., |worker| {
                let Some(at) = worker.freeze_at() else { return false };
                if at > now {
                    next = Some(next.map_or(at, |next: Duration| next.min(at)));
                }
                at <= now
            }));
        }
        self.idle.fetch_sub(due.len(), SeqCst);
        self.freezing.fetch_add(due.len(), SeqCst);
        (due, next)
    }

    /// Idle sandboxes that stand still.
    pub(super) fn frozen(&self) -> usize {
        let of =
            |shard: &Shard| shard.lock().idle.iter().filter(|worker| worker.state() == State::Frozen).count();
        self.shards.iter().map(of).sum()
    }

    fn take_due_is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().idle.iter().all(|worker| worker.freeze_at().is_none()))
    }

    async fn freeze(self: &Arc<Self>, mut worker: Box<Worker>) {
        let ended = worker.link.is_closed();
        let frozen = if ended { Ok(()) } else { worker.freeze(self.shared.clock.monotonic()).await };
        self.freezing.fetch_sub(1, SeqCst);
        match frozen {
            // A call may have come meanwhile.
            Ok(()) if ended => self.end([worker], Event::Failed),
            Ok(()) => self.hand_over(worker),
            Err(error) => {
                tracing::warn!(function = &*worker.function.arn, %error, "a sandbox did not stand still");
                self.end([worker], Event::Failed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_woken_soon_is_frozen_later() {
        let ms = Duration::from_millis;
        assert_eq!(next_delay(ms(5), ms(99), ms(5)), ms(10));
        assert_eq!(next_delay(ms(10), ms(199), ms(5)), ms(20));
        assert_eq!(next_delay(ms(10), ms(200), ms(5)), ms(5));
        assert_eq!(next_delay(ms(800), ms(1), ms(5)), ms(1000));
        // Whoever asks for none gets none.
        assert_eq!(next_delay(ms(0), ms(0), ms(0)), ms(0));
    }
}
