//! Every call that is known by an id, running or ended, in one sharded map: the one look-up of a request that sends an id.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::quality::RandomState;

use super::{
    answer::Answer,
    key::{Key, Print, Shape},
    log::Place,
    running::Run,
};
use crate::base::Timestamp;

/// The number of shards; a power of two.
const SHARDS: usize = 64;
/// How many calls of one key, different by payload or qualifier, are told apart. Of more, the further ones are run and not
/// remembered.
const SLOTS_MAX: usize = 16;

/// How far a call has come.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It runs, or its answer is just being kept.
    Running(Arc<Run>),
    /// Its answer, in memory.
    Memory(Arc<Answer>),
    /// Its answer, on disk.
    Disk,
    /// It began once, and nobody knows what came of it, or the answer was too long to be kept.
    Unknown,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) shape: Shape,
    pub(super) print: Print,
    /// When its first request came.
    pub(super) began: Timestamp,
    /// Until when it is remembered; a running one is, whatever this says.
    pub(super) until: Timestamp,
    /// Its number in the book of what is kept; 0 for none.
    pub(super) entry: u64,
    /// The identity's id, if the caller is one; known for what may be written at the end.
    pub(super) identity: Option<Box<str>>,
    /// The record on disk that speaks for it.
    pub(super) place: Option<Place>,
    pub(super) state: State,
}

impl Slot {
    /// Whether this is the call of that run.
    pub(super) fn is_of(&self, run: &Arc<Run>) -> bool {
        matches!(&self.state, State::Running(own) if Arc::ptr_eq(own, run))
    }

    /// Whether it is to be remembered still.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Running(_)) || self.until > now
    }
}

type Shard = HashMap<Key, Vec<Slot>, RandomState>;

/// The map.
#[derive(Debug)]
pub(super) struct Table {
    shards: Box<[Mutex<Shard>]>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        // The key is a hash already; its first byte is as good as any.
        let at = usize::from(key.call[0]) % SHARDS;
        // A panic while the lock is held leaves a map that is whole: nothing of ours runs half-way in a change of it.
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at and changes the calls of one key, all at once. What is left without any is taken out.
    pub(super) fn with<R>(&self, key: &Key, change: impl FnOnce(&mut Vec<Slot>) -> R) -> R {
        let mut shard = self.shard(key);
        let slots = shard.entry(*key).or_default();
        let result = change(slots);
        if slots.is_empty() {
            shard.remove(key);
        }
        result
    }

    /// The same for a key that need not be there; nothing is put in.
    pub(super) fn with_known<R>(&self, key: &Key, look: impl FnOnce(&mut Vec<Slot>) -> R) -> Option<R> {
        let mut shard = self.shard(key);
        let slots = shard.get_mut(key)?;
        let result = look(slots);
        if slots.is_empty() {
            shard.remove(key);
        }
        Some(result)
    }

    /// Takes out the call with this number in the book.
    pub(super) fn remove_entry(&self, key: &Key, entry: u64) -> Option<Slot> {
        self.with_known(key, |slots| {
            let at = slots.iter().position(|slot| slot.entry == entry && entry != 0)?;
            Some(slots.swap_remove(at))
        })?
    }

    /// Shows every call, shard by shard.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Key, &Slot)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, slots) in shard.iter() {
                slots.iter().for_each(|slot| look(key, slot));
            }
        }
    }
}

/// Whether there is room for another call of a key.
pub(super) fn has_room(slots: &[Slot]) -> bool {
    slots.len() < SLOTS_MAX
}
