//! How a pool comes by another sandbox: when one is wanted, why there is none, and what comes of its start.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use super::{
    held_up,
    lifecycle::Event,
    pool::{Handed, IN_LINE_MAX, Pool},
    shard::Place,
    start::StartFailure,
};
use crate::base::ColdStart;

impl Pool {
    /// Whether another sandbox should be started for those in line.
    fn wants_another(&self) -> bool {
        let options = &self.shared.options;
        let (alive, starting) = (self.alive.load(SeqCst), self.starting.load(SeqCst));
        let waiting = self.waiting.load(SeqCst);
        // Who is being frozen is back in a moment.
        if starting + self.freezing.load(SeqCst) >= waiting
            || alive + starting >= options.function_sandboxes_max
        {
            return false;
        }
        if alive + starting < options.busy_sandboxes {
            return true;
        }
        // Of those that compute, more would do no more. What is not known yet, or changes, `reconsider` sees to.
        self.estimate.waits()
            && self.expected(waiting, alive).is_some_and(|expected| expected > self.shared.start_cost())
    }

    /// How long a call waits in line before it asks for [`Self::reconsider`].
    pub(super) fn patience(&self) -> Duration {
        if self.idle.load(SeqCst) > 0 { 2 * IN_LINE_MAX } else { self.shared.start_cost().max(held_up::LONG) }
    }

    /// Sandboxes beside one that is being made.
    pub(super) fn others(&self) -> usize {
        (self.alive.load(SeqCst) + self.starting.load(SeqCst)).saturating_sub(1)
    }

    /// Looks again whether those in line are served quickly enough. Called by one of them who was not.
    pub(super) fn reconsider(self: &Arc<Self>) {
        self.held_up.recount(self.now());
        if self.progressing() >= self.shared.options.busy_sandboxes && !self.estimate.waits() {
            // The line is long because there is more to do than can be done: more sandboxes would do no more.
            return;
        }
        if let Some(worker) = self.take_any_idle() {
            self.hand_over(worker);
            return;
        }
        // The number at most doubles at once, since a machine that is busy with something else makes everyone wait, and more
        // sandboxes would only add to that.
        if self.starting.load(SeqCst) < self.alive.load(SeqCst).max(1) {
            self.start_another();
        }
    }

    pub(super) fn start_if_wanted(self: &Arc<Self>) {
        if self.wants_another() {
            self.start_another();
        }
    }

    fn start_another(self: &Arc<Self>) {
        let waiting = self.waiting.load(SeqCst);
        // Starting computes, too: where calls wait for processors, it must not take them all.
        let most = if self.estimate.waits() { waiting } else { waiting.min(self.shared.options.processors) };
        let within = |starting: usize| {
            let serving = self.alive.load(SeqCst) + starting;
            (starting < most && serving < self.shared.options.function_sandboxes_max).then_some(starting + 1)
        };
        if self.starting.fetch_update(SeqCst, SeqCst, within).is_err() {
            return;
        }
        let cause = self.past.cause(self.others());
        let share = self.first_share();
        let pool = self.clone();
        tokio::spawn(async move {
            let began = pool.shared.clock.monotonic();
            match pool.shared.start(&pool, cause, share).await {
                Ok((mut worker, room)) => {
                    worker.running_since = pool.held_up.watch();
                    room.keep();
                    pool.past.had_one();
                    pool.shared.note_start(pool.shared.clock.monotonic().saturating_sub(began));
                    pool.alive.fetch_add(1, SeqCst);
                    pool.starting.fetch_sub(1, SeqCst);
                    pool.give_back(Box::new(worker), None, None);
                }
                Err(failure) => pool.not_started(failure, cause),
            }
        });
    }

    /// A start failed: whoever it was for learns it, unless running sandboxes will serve them.
    fn not_started(self: &Arc<Self>, failure: StartFailure, cause: ColdStart) {
        self.starting.fetch_sub(1, SeqCst);
        let failure = Arc::new(failure);
        let tell = |first: Option<(usize, Place)>| match first {
            Some((_, place)) => {
                // Whoever has left does not need to know.
                let _ = place.sender.send(Handed::Failed(failure.clone(), cause));
                true
            }
            None => false,
        };
        match &*failure {
            // The function's own fault is the answer of one call. The next in line has a start of its own.
            StartFailure::Function(_) => {
                self.past.failed();
                tell(self.first_in_line());
                self.start_if_wanted();
            }
            StartFailure::Saturated(_) | StartFailure::System(_) => {
                if let StartFailure::System(_) = &*failure {
                    self.past.failed();
                } else {
                    self.past.no_room_for(cause);
                }
                if let StartFailure::System(why) = &*failure {
                    tracing::error!(
                        function = &*self.target.function.arn,
                        why,
                        "a sandbox could not be started"
                    );
                }
                if self.alive.load(SeqCst) + self.starting.load(SeqCst) == 0 {
                    while tell(self.first_in_line()) {}
                }
            }
        }
    }

    /// A sandbox of this pool is gone, and this was its end. Those in line must not wait for it.
    pub(super) fn lost(self: &Arc<Self>, why: Event) {
        if why == Event::Failed {
            self.past.failed();
        }
        self.shared.leave();
        self.alive.fetch_sub(1, SeqCst);
        self.start_if_wanted();
    }
}
