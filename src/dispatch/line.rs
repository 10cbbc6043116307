//! The calls of a pool that wait for a sandbox: shared out among their callers ([`super::shares`]), each thread its own before
//! others'.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use super::{
    estimate::nanoseconds,
    pool::{Handed, Pool},
    shard::{Locked, Place, Shard},
    start::StartFailure,
};
use crate::{base::ColdStart, quota::Share};

/// A call of another thread that has waited twice as long as the first of one's own, and so much more, is served before it.
const OVERDUE: Duration = Duration::from_micros(500);

impl Pool {
    /// The next in line of this shard whose caller is still there.
    fn next_in(&self, state: &mut Locked<'_>) -> Option<Place> {
        while let Some(place) = state.line.pop_front() {
            self.waiting.fetch_sub(1, SeqCst);
            if !place.sender.is_closed() {
                return Some(place);
            }
        }
        None
    }

    /// The next in line, and the number of its shard: this thread's, unless another's has waited for much longer.
    pub(super) fn first_in_line(&self) -> Option<(usize, Place)> {
        if self.waiting.load(SeqCst) == 0 {
            return None;
        }
        let now_ns = nanoseconds(self.now());
        let own = self.shards[self.here()].first_has_waited(now_ns);
        let patience = own.map_or(Duration::ZERO, |waited| 2 * waited + OVERDUE);
        let overdue = self
            .here_first()
            .skip(1)
            .filter(|(_, shard)| shard.first_has_waited(now_ns).is_some_and(|waited| waited > patience));
        let next = |(number, shard): (usize, &Shard)| Some((number, self.next_in(&mut shard.lock())?));
        overdue.chain(self.here_first()).find_map(next)
    }

    /// Makes room for a call of this share in a line that is full, at the cost of whoever has most places in it.
    pub(super) fn make_place(&self, share: Share) -> bool {
        for (_, shard) in self.here_first() {
            let pushed_out = shard.lock().line.push_out(share.number());
            if let Some(place) = pushed_out {
                self.waiting.fetch_sub(1, SeqCst);
                let full = Arc::new(StartFailure::Saturated(self.line_is_full()));
                // Who has left already needs no answer.
                let _ = place.sender.send(Handed::Failed(full, ColdStart::Concurrency));
                return true;
            }
        }
        false
    }

    /// Whose call is first in line.
    pub(super) fn first_share(&self) -> Share {
        let first = |(_, shard): (usize, &Shard)| shard.lock().line.front_payers();
        self.here_first().find_map(first).map_or(Share::NOBODY, |[number]| Share::numbered(number))
    }

    pub(super) fn forget_who_left(&self) {
        for shard in &self.shards {
            let mut state = shard.lock();
            let before = state.line.len();
            state.line.retain(|place| !place.sender.is_closed());
            self.waiting.fetch_sub(before - state.line.len(), SeqCst);
        }
    }
}
