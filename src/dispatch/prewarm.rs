//! Sandboxes that are nobody's yet: Node.js has booted and waits to be told what it becomes.
//!
//! A call that finds no sandbox of its function takes one of these, and has the function loaded without waiting for a boot.
//! How many are kept ready follows how many were taken of late; they are the first to go where room or memory is short.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    pools::{Pools, Room},
    start::{Generic, StartFailure},
};

/// Over how long what is taken counts for how many are kept.
const WINDOW: Duration = Duration::from_secs(10);
/// The most takes that are remembered; more than are ever kept.
const TAKES_MAX: usize = 1_024;

/// Those of one Node.js.
#[derive(Default)]
struct Shelf {
    ready: Vec<(Generic, Room)>,
    starting: usize,
    /// When one was taken, or would have been, on the monotonic clock.
    takes: VecDeque<Duration>,
}

impl Shelf {
    /// How many to keep: as many as were wanted within the window, at least `least` and at most `most`.
    fn target(&mut self, now: Duration, least: usize, most: usize) -> usize {
        while self.takes.front().is_some_and(|taken| *taken + WINDOW < now) {
            self.takes.pop_front();
        }
        self.takes.len().clamp(least.min(most), most)
    }
}

/// All that are nobody's yet.
#[derive(Default)]
pub(super) struct Prewarmed {
    shelves: Mutex<HashMap<PathBuf, Shelf>>,
}

impl Prewarmed {
    fn shelves(&self) -> MutexGuard<'_, HashMap<PathBuf, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that one was wanted.
    pub(super) fn wanted(&self, node: &Path, now: Duration) {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(node.to_owned()).or_default();
        if shelf.takes.len() == TAKES_MAX {
            shelf.takes.pop_front();
        }
        shelf.takes.push_back(now);
    }

    /// Takes one that runs on this Node.js, if there is one.
    pub(super) fn take(&self, node: &Path) -> Option<(Generic, Room)> {
        let mut shelves = self.shelves();
        let shelf = shelves.get_mut(node)?;
        while let Some((generic, room)) = shelf.ready.pop() {
            if generic.is_alive() {
                return Some((generic, room));
            }
        }
        None
    }

    /// Lets go of one, to make room.
    pub(super) fn give_up(&self) -> bool {
        let given_up = self.shelves().values_mut().find_map(|shelf| shelf.ready.pop());
        given_up.is_some()
    }

    /// Lets go of all.
    pub(super) fn clear(&self) {
        let shelves: Vec<_> =
            self.shelves().values_mut().map(|shelf| std::mem::take(&mut shelf.ready)).collect();
        drop(shelves);
    }

    /// How many wait to be taken.
    pub(super) fn ready(&self) -> usize {
        self.shelves().values().map(|shelf| shelf.ready.len()).sum()
    }

    /// Lets go of those beyond what is to be kept, and of those that have ended.
    pub(super) fn trim(&self, now: Duration, least: usize, most: usize) {
        let mut surplus = Vec::new();
        for shelf in self.shelves().values_mut() {
            let target = shelf.target(now, least, most);
            surplus.extend(shelf.ready.extract_if(.., |(generic, _)| !generic.is_alive()));
            let keep = shelf.ready.len().min(target);
            surplus.extend(shelf.ready.drain(keep..));
        }
    }
}

impl Pools {
    /// Starts as many sandboxes on this Node.js as are to be kept ready, in the background.
    pub(super) fn refill(self: &Arc<Self>, node: &Path) {
        let (least, most) = (self.options.prewarmed_min, self.options.prewarmed_max);
        loop {
            let mut shelves = self.prewarmed.shelves();
            let shelf = shelves.entry(node.to_owned()).or_default();
            let target = shelf.target(self.clock.monotonic(), least, most);
            if self.is_closed() || shelf.ready.len() + shelf.starting >= target {
                return;
            }
            shelf.starting += 1;
            drop(shelves);
            let (pools, node) = (self.clone(), node.to_owned());
            tokio::spawn(async move { pools.add_prewarmed(&node).await });
        }
    }

    async fn add_prewarmed(self: Arc<Self>, node: &Path) {
        // Nothing is ended for it: who is warm is worth more than who may become so.
        let turn = self.turn(None).await;
        let started = match turn.as_ref().ok().and_then(|_| self.free_room()) {
            Some(room) => self.starter.start_generic(node).await.map(|generic| (generic, room)),
            None => Err(StartFailure::Saturated(self.no_room())),
        };
        let mut shelves = self.prewarmed.shelves();
        let Some(shelf) = shelves.get_mut(node) else { return };
        shelf.starting -= 1;
        match started {
            Ok(ready) if !self.is_closed() => shelf.ready.push(ready),
            // The next call that needs one says so to its caller.
            Err(StartFailure::System(why)) => tracing::warn!(why, "no sandbox could be made ready"),
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kept_as_were_wanted_of_late() {
        let mut shelf = Shelf::default();
        let second = Duration::from_secs;
        assert_eq!(shelf.target(second(0), 1, 8), 1);
        shelf.takes.extend((0..5).map(second));
        assert_eq!(shelf.target(second(5), 1, 8), 5);
        assert_eq!(shelf.target(second(5), 1, 3), 3);
        assert_eq!(shelf.target(second(12), 1, 8), 3);
        assert_eq!(shelf.target(second(60), 1, 8), 1);
        assert_eq!(shelf.target(second(60), 1, 0), 0);
    }
}
