//! The scopes in memory.
//!
//! What operators revoke is one map that readers never wait for: it is replaced as a whole. A counter beside it tells a cached
//! session that nothing has changed since it was last looked up, so that a warm call compares two numbers. Former guests,
//! of whom there are many and for whom only guests look, are in shards of their own.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::base::Timestamp;

const SHARDS: usize = 64;

/// A scope in memory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    not_before: Timestamp,
    ends: Option<Timestamp>,
    /// How many are being revoked at this moment: until it is known when, nothing of the scope counts.
    closed: u32,
}

type Scopes = HashMap<Arc<str>, Entry>;
type Guests = HashMap<Arc<str>, Timestamp>;

#[derive(Debug)]
pub(super) struct Table {
    scopes: ArcSwap<Scopes>,
    /// Held by whoever changes `scopes`.
    changing: Mutex<()>,
    /// Moves with every change of `scopes`.
    generation: AtomicU64,
    /// Former guests, each with the moment at which its record ends.
    guests: Box<[RwLock<Guests>]>,
    guests_count: AtomicUsize,
    hasher: RandomState,
    held: ArcSwap<Held>,
}

/// Identities on hold. Where they are too many to be held in memory, any may be.
#[derive(Clone, Debug, Default)]
struct Held {
    ids: HashSet<Arc<str>>,
    overflows: bool,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            scopes: ArcSwap::default(),
            changing: Mutex::new(()),
            // A session that was never looked up has 0.
            generation: AtomicU64::new(1),
            guests: (0..SHARDS).map(|_| RwLock::default()).collect(),
            guests_count: AtomicUsize::new(0),
            hasher: RandomState::new(),
            held: ArcSwap::default(),
        }
    }

    /// What a cached verdict must be as new as. To be read before the verdict is made.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How many scopes of operators there are.
    pub(super) fn len(&self) -> usize {
        self.scopes.load().len()
    }

    /// How many former guests there are.
    pub(super) fn guests(&self) -> usize {
        self.guests_count.load(Ordering::Relaxed)
    }

    /// Looks scopes up, all in one state of the table.
    pub(super) fn reading(&self) -> Reading {
        Reading(self.scopes.load_full())
    }

    /// Whether the guest of this id has signed in or was merged.
    pub(super) fn is_former_guest(&self, identity_id: &str) -> bool {
        self.shard(identity_id).is_some_and(|shard| {
            shard.read().unwrap_or_else(PoisonError::into_inner).contains_key(identity_id)
        })
    }

    fn shard(&self, identity_id: &str) -> Option<&RwLock<Guests>> {
        let position = self.hasher.hash_one(identity_id) % SHARDS as u64;
        self.guests.get(usize::try_from(position).unwrap_or_default())
    }

    /// Puts a former guest in, until `ends`, or takes it out.
    pub(super) fn set_guest(&self, identity_id: &str, ends: Option<Timestamp>) {
        let Some(shard) = self.shard(identity_id) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let before = shard.len();
        match ends {
            Some(ends) => drop(shard.insert(identity_id.into(), ends)),
            None => drop(shard.remove(identity_id)),
        }
        // By the difference, under the shard's lock: an insert may replace.
        let after = shard.len();
        if after > before {
            self.guests_count.fetch_add(1, Ordering::Relaxed);
        } else if after < before {
            self.guests_count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Scopes)) {
        let _changing = self.changing();
        let mut scopes = Scopes::clone(&self.scopes.load());
        change(&mut scopes);
        self.scopes.store(Arc::new(scopes));
        // After the table: whoever sees the new number sees the new table.
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Puts a scope in, or takes it out. What is being revoked stays closed.
    pub(super) fn set(&self, scope: &str, record: Option<(Timestamp, Option<Timestamp>)>) {
        self.change(|scopes| {
            let closed = scopes.get(scope).map_or(0, |entry| entry.closed);
            match record {
                Some((not_before, ends)) => {
                    scopes.insert(scope.into(), Entry { not_before, ends, closed });
                }
                None if closed > 0 => {}
                None => {
                    scopes.remove(scope);
                }
            }
        });
    }

    /// Has nothing of these scopes count until the guard is dropped.
    pub(super) fn close(self: &Arc<Self>, scopes: Vec<Arc<str>>) -> Closed {
        self.change(|held| {
            for scope in &scopes {
                let none = Entry { not_before: Timestamp::from_millis(i64::MIN), ends: None, closed: 0 };
                held.entry(scope.clone()).or_insert(none).closed += 1;
            }
        });
        Closed { table: self.clone(), scopes }
    }

    /// Replaces everything.
    pub(super) fn load(&self, scopes: impl Iterator<Item = (Arc<str>, Timestamp, Option<Timestamp>)>) {
        self.change(|held| {
            held.retain(|_, entry| entry.closed > 0);
            for (scope, not_before, ends) in scopes {
                let closed = held.get(&scope).map_or(0, |entry| entry.closed);
                held.insert(scope, Entry { not_before, ends, closed });
            }
        });
    }

    /// Forgets what has ended.
    pub(super) fn prune(&self, now: Timestamp) {
        let has_ended = |ends: Option<Timestamp>| ends.is_some_and(|ends| ends <= now);
        if self.scopes.load().values().any(|entry| has_ended(entry.ends) && entry.closed == 0) {
            self.change(|scopes| scopes.retain(|_, entry| entry.closed > 0 || !has_ended(entry.ends)));
        }
        for shard in &self.guests {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before = shard.len();
            shard.retain(|_, ends| *ends > now);
            self.guests_count.fetch_sub(before - shard.len(), Ordering::Relaxed);
        }
    }

    /// Whether there may be a hold on the identity.
    pub(super) fn may_be_held(&self, identity_id: &str) -> bool {
        let held = self.held.load();
        held.overflows || held.ids.contains(identity_id)
    }

    /// Notes a hold, or that there is none.
    pub(super) fn set_held(&self, identity_id: &str, is_held: bool, max: usize) {
        let _changing = self.changing();
        let mut held = Held::clone(&self.held.load());
        if !is_held {
            held.ids.remove(identity_id);
        } else if held.ids.len() < max {
            held.ids.insert(identity_id.into());
        } else if !held.ids.contains(identity_id) {
            held.overflows = true;
        }
        self.held.store(Arc::new(held));
    }

    /// Replaces all holds.
    pub(super) fn load_held(&self, ids: impl Iterator<Item = Arc<str>>, max: usize) {
        let _changing = self.changing();
        let mut held = Held::default();
        for id in ids {
            if held.ids.len() < max {
                held.ids.insert(id);
            } else {
                held.overflows = true;
            }
        }
        self.held.store(Arc::new(held));
    }
}

/// The table at one moment.
pub(super) struct Reading(Arc<Scopes>);

impl Reading {
    /// Whether nothing is revoked at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the scope is being revoked at this moment.
    pub(super) fn is_closed(&self, scope: &str) -> bool {
        self.0.get(scope).is_some_and(|entry| entry.closed > 0)
    }

    /// Whether what was issued at this moment has ended by this scope.
    pub(super) fn ends(&self, scope: &str, issued: Timestamp) -> bool {
        self.0.get(scope).is_some_and(|entry| entry.closed > 0 || issued <= entry.not_before)
    }
}

/// Scopes that are being revoked.
pub(super) struct Closed {
    table: Arc<Table>,
    scopes: Vec<Arc<str>>,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.table.change(|held| {
            for scope in &self.scopes {
                if let Some(entry) = held.get_mut(scope) {
                    entry.closed -= 1;
                    if entry.closed == 0 && entry.not_before == Timestamp::from_millis(i64::MIN) {
                        held.remove(scope);
                    }
                }
            }
        });
    }
}
