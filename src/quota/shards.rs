//! A map in shards, each under its own lock, held for one look-up or one shard's sweep.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The number of shards; a power of two.
pub(super) const COUNT: usize = 64;

/// The shards.
#[derive(Debug)]
pub(super) struct Shards<K, V> {
    shards: Box<[Shard<K, V>]>,
    hasher: RandomState,
}

/// One shard.
#[derive(Debug)]
pub(super) struct Shard<K, V>(RwLock<HashMap<K, V>>);

impl<K, V> Shard<K, V> {
    // A panic while a lock is held leaves a map that is whole: nothing of ours runs half-way in a change of it.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, HashMap<K, V>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, HashMap<K, V>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> Shards<K, V> {
    pub(super) fn new() -> Self {
        let shards = (0..COUNT).map(|_| Shard(RwLock::default())).collect();
        Self { shards, hasher: RandomState::new() }
    }

    /// The position of a key's shard.
    pub(super) fn position(&self, key: &K) -> usize {
        usize::try_from(self.hasher.hash_one(key) % COUNT as u64).unwrap_or_default()
    }

    /// The shard at a position, which wraps around.
    pub(super) fn at(&self, position: usize) -> Option<&Shard<K, V>> {
        self.shards.get(position % COUNT)
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            shard.read().iter().for_each(|(key, value)| visit(key, value));
        }
    }
}

impl<K: Hash + Eq, V: Clone> Shards<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.at(self.position(key))?.read().get(key).cloned()
    }

    /// The value of a key, made if it is not there.
    pub(super) fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        match self.at(self.position(&key)) {
            None => make(),
            Some(shard) => {
                if let Some(value) = shard.read().get(&key) {
                    return value.clone();
                }
                shard.write().entry(key).or_insert_with(make).clone()
            }
        }
    }
}
