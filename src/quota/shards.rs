//! A map in shards, each under its own lock, held for one look-up.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{PoisonError, RwLock},
};

const COUNT: usize = 64;

/// The shards.
#[derive(Debug)]
pub(super) struct Shards<K, V> {
    shards: Box<[RwLock<HashMap<K, V>>]>,
    hasher: RandomState,
}

impl<K: Hash + Eq, V: Clone> Shards<K, V> {
    pub(super) fn new() -> Self {
        Self { shards: (0..COUNT).map(|_| RwLock::default()).collect(), hasher: RandomState::new() }
    }

    fn of(&self, key: &K) -> &RwLock<HashMap<K, V>> {
        let position = usize::try_from(self.hasher.hash_one(key) % COUNT as u64).unwrap_or_default();
        &self.shards[position]
    }

    // A panic while a lock is held leaves a map that is whole: nothing of ours runs half-way in a change of it.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.of(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// The value of a key, made if it is not there.
    pub(super) fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        let shard = self.of(&key);
        shard.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert_with(make).clone()
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.iter().for_each(|(key, value)| visit(key, value));
        }
    }
}
