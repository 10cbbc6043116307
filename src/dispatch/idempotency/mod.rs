//! Retries that run once: one call of an app is one execution, however often its SDK sends it.
//!
//! A call is known by its caller, function, qualifier, kind and id ([`key`]). [`Idempotency::claim`] is the one look-up of a
//! request that sends an id: the first with a key runs ([`First`]), a second while it runs joins it ([`Waiting`]), and a later one
//! gets the answer that was kept. A run goes on when its caller leaves, and keeps its answer for the retry.
//!
//! What is known by an SDK's id is kept in memory ([`book`]: bounded, the oldest first out). What is known by an
//! `Idempotency-Key` is written to disk before it runs ([`log`], [`segment`]), so that not even a crash runs it twice.
//!
//! Locks are taken in this order: the book, then a shard of the table. None is held over a wait.

mod aliases;
mod answer;
pub mod book;
mod call;
mod entries;
mod first;
mod kept;
pub mod key;
mod levels;
mod log;
mod memory;
pub mod running;
mod segment;
mod stored;
mod table;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

pub use aliases::MERGES_MAX;
pub use answer::Answer;
pub use book::{Bound, Bounds, Holders, Over};
pub use call::Call;
pub use first::{First, NotRecorded};
pub use key::{Holder, Key, Kind, Owner};
pub use levels::Levels;
pub use running::{JOINS_MAX, Run, Waiting};
pub use stored::{OnDisk, Stored};

use crate::base::{KeyRing, Timestamp, clock::SharedClock, rng::SharedRng};
use aliases::Aliases;
use book::Book;
use levels::{Counts, count};
use log::Log;
use table::{Slot, State, Table, has_room};

/// For how long what is kept, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long calls known by an SDK's id are remembered; zero for not at all.
    pub sdk_window: Duration,
    /// How many of them.
    pub sdk: Bounds,
    /// How long calls known by an `Idempotency-Key` are.
    pub key_window: Duration,
    /// How many of them.
    pub keys: Bounds,
}

/// What [`Idempotency`] works with.
pub struct Parts {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Seals them.
    pub ring: Arc<KeyRing>,
    /// The time.
    pub clock: SharedClock,
    /// Draws nonces.
    pub rng: SharedRng,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Claim {
    /// It is the first: it runs.
    First(Box<First>),
    /// It waits for the run that goes on.
    Join(Waiting),
    /// It has been run.
    Stored(Stored),
    /// It runs, but nothing can be remembered of it.
    Unremembered,
    /// It is not run.
    Refused(Refusal),
}

/// Why a request is not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// As many wait for its run as may.
    #[error("as many requests wait for this call's run as may")]
    TooManyWait,
    /// The key was used for another payload.
    #[error("this key was used for another payload")]
    Reused,
    /// It began once, and what came of it is not known.
    #[error("what came of this call's run is not known")]
    Unknown,
    /// One key has more calls than are told apart.
    #[error("this id was used for as many different calls as are told apart")]
    TooManyCalls,
}

/// Every call that is known by an id.
pub struct Idempotency {
    options: Options,
    table: Table,
    memory: Mutex<Book>,
    kept: Mutex<Book>,
    log: Log,
    aliases: Aliases,
    counts: Counts,
    all_ended: Notify,
    sweeps: AtomicU64,
    folder: PathBuf,
    ring: Arc<KeyRing>,
    clock: SharedClock,
    rng: SharedRng,
}

/// What was found at a start.
pub struct Opened {
    /// The store.
    pub idempotency: Arc<Idempotency>,
    /// The identities that calls are kept of: what became of each meanwhile is for the caller to tell
    /// ([`Idempotency::merged`], [`Idempotency::erase_identity`]).
    pub identities: Vec<Box<str>>,
}

/// How many sweeps lie between two looks at which files can be made shorter.
const SWEEPS_PER_TIDY: u64 = 12;
/// How many calls one sweep lets go, at most, of memory and of disk each.
const EXPIRED_MAX: usize = 50_000;

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Idempotency {
    /// Reads what is kept in the folder. It waits for the disk.
    pub fn open(options: Options, parts: Parts) -> io::Result<Opened> {
        let Parts { folder, ring, clock, rng } = parts;
        let now = clock.now();
        let mut loading = kept::Loading::new(&options, now);
        let log = Log::open(&folder, ring.clone(), |opened| loading.take(opened))?;
        let (table, kept, mut identities) = loading.finish();
        let idempotency = Self {
            options,
            table,
            memory: Mutex::new(Book::new(options.sdk)),
            kept: Mutex::new(kept),
            log,
            aliases: Aliases::default(),
            counts: Counts::default(),
            all_ended: Notify::new(),
            sweeps: AtomicU64::new(0),
            folder,
            ring,
            clock,
            rng,
        };
        identities.extend(idempotency.read_memory(now)?);
        identities.sort_unstable();
        identities.dedup();
        Ok(Opened { idempotency: Arc::new(idempotency), identities })
    }

    /// What is to be done with a request: the one look-up on its way.
    pub fn claim(self: &Arc<Self>, mut call: Call) -> Claim {
        if call.kind == Kind::Sdk && self.options.sdk_window.is_zero() {
            return Claim::Unremembered;
        }
        let now = call.began;
        for alias in self.aliases.of(call.key.owner) {
            let key = call.key.by(alias.owner);
            let known = self.table.with_known(&key, |slots| {
                let slot = slots.get(position(slots, &call)?)?;
                (slot.is_live(now) && slot.began < alias.at).then(|| self.known(&key, slot, &call))
            });
            if let Some(Some(claim)) = known {
                return claim;
            }
        }
        let mut stale = None;
        let key = call.key;
        let claim = self.table.with(&key, |slots| {
            if let Some(at) = position(slots, &call) {
                if let Some(slot) = slots.get(at).filter(|slot| slot.is_live(now)) {
                    return self.known(&key, slot, &call);
                }
                stale = Some(slots.swap_remove(at));
            }
            if !has_room(slots) {
                return match call.kind {
                    Kind::Sdk => Claim::Unremembered,
                    Kind::Key => Claim::Refused(Refusal::TooManyCalls),
                };
            }
            let (run, waiting) = Run::begin(call.id, now);
            slots.push(Slot {
                shape: call.shape,
                print: call.print,
                began: now,
                until: now,
                entry: 0,
                place: None,
                identity: if call.kind == Kind::Sdk { call.identity.take() } else { None },
                state: State::Running(run.clone()),
            });
            self.counts.running.fetch_add(1, Ordering::AcqRel);
            Claim::First(Box::new(First::new(self.clone(), call, run, waiting)))
        });
        if let Some(stale) = stale {
            self.forget(&stale);
        }
        claim
    }

    /// What a request gets whose call is known.
    fn known(&self, key: &Key, slot: &Slot, call: &Call) -> Claim {
        if slot.print != call.print {
            return Claim::Refused(Refusal::Reused);
        }
        let stored = |stored| {
            count(&self.counts.replayed);
            Claim::Stored(stored)
        };
        match (&slot.state, &slot.place) {
            (State::Running(run), _) => match (run.ended(), run.join()) {
                (Some(Some(answer)), _) => stored(Stored::Here(answer.clone())),
                (_, Some(waiting)) => {
                    count(&self.counts.joined);
                    Claim::Join(waiting)
                }
                (_, None) => Claim::Refused(Refusal::TooManyWait),
            },
            (State::Memory(answer), _) => stored(Stored::Here(answer.clone())),
            (State::Disk, Some(place)) => {
                stored(Stored::OnDisk(OnDisk { key: *key, place: place.clone(), ring: self.ring.clone() }))
            }
            (State::Disk, None) | (State::Unknown, _) => {
                count(&self.counts.unknown);
                Claim::Refused(Refusal::Unknown)
            }
        }
    }

    /// The runs that go on now of this caller's calls of this function with this id, of either kind and whatever qualifier.
    pub fn running(&self, owner: Owner, function: &crate::functions::FunctionRef, id: &str) -> Vec<Arc<Run>> {
        let mut runs = Vec::new();
        let owners =
            std::iter::once(owner).chain(self.aliases.of(owner).into_iter().map(|alias| alias.owner));
        for owner in owners {
            for kind in [Kind::Key, Kind::Sdk] {
                self.table.with_known(&Key::new(owner, function, kind, id), |slots| {
                    runs.extend(slots.iter().filter_map(|slot| match &slot.state {
                        State::Running(run) if run.ended().is_none() => Some(run.clone()),
                        _ => None,
                    }));
                });
            }
        }
        runs
    }

    /// A call that stands in no table any more leaves the book and its file.
    fn forget(&self, slot: &Slot) {
        if slot.entry != 0 {
            let book = if slot.place.is_some() { &self.kept } else { &self.memory };
            lock(book).remove(slot.entry);
        }
        if let Some(place) = &slot.place {
            place.release();
        }
    }

    /// An identity became part of another: what it sent before counts as the other's.
    pub fn merged(&self, from: &str, into: &str, at: Timestamp) {
        if !self.aliases.add(Owner::identity(from), Owner::identity(into), at) {
            tracing::warn!(from, into, "too many merges: calls of before this one are not followed");
        }
    }

    /// An identity is gone: so is everything that is kept of its calls. What stands on disk is gone when this returns; false
    /// if it could not be removed.
    pub async fn erase_identity(self: &Arc<Self>, id: &str) -> bool {
        let owner = Owner::identity(id);
        let owners = self.aliases.of(owner).into_iter().map(|alias| alias.owner);
        let holders: Vec<_> = owners.chain([owner]).map(Owner::holder).collect();
        self.erase(&holders).await
    }

    /// A pool is gone, and all its identities.
    pub async fn erase_pool(self: &Arc<Self>, id: &str) -> bool {
        self.erase(&[Holder::pool(id)]).await
    }

    async fn erase(self: &Arc<Self>, holders: &[Holder]) -> bool {
        let mut on_disk = false;
        for holder in holders {
            let mut memory = lock(&self.memory);
            for (number, entry) in memory.remove_all(*holder) {
                self.table.remove_entry(&entry.key, number);
            }
            drop(memory);
            let mut kept = lock(&self.kept);
            for (number, entry) in kept.remove_all(*holder) {
                on_disk = true;
                if let Some(place) = self.table.remove_entry(&entry.key, number).and_then(|slot| slot.place) {
                    place.release();
                }
            }
        }
        !on_disk || self.log.purge(self.clone()).await
    }

    /// Lets go what is over its time. Called every few seconds.
    pub fn sweep(self: &Arc<Self>) {
        let now = self.clock.now();
        let mut memory = lock(&self.memory);
        for (number, entry) in memory.expire(now, EXPIRED_MAX) {
            self.table.remove_entry(&entry.key, number);
        }
        drop(memory);
        let mut kept = lock(&self.kept);
        for (number, entry) in kept.expire(now, EXPIRED_MAX) {
            if let Some(place) = self.table.remove_entry(&entry.key, number).and_then(|slot| slot.place) {
                place.release();
            }
        }
        drop(kept);
        self.aliases.forget(now.minus(self.options.key_window.max(self.options.sdk_window)));
        if self.sweeps.fetch_add(1, Ordering::Relaxed) % SWEEPS_PER_TIDY == SWEEPS_PER_TIDY - 1 {
            self.log.tidy(self.clone());
        }
    }

    /// Waits until every run has kept its answer, at most `within` that time; then writes what is in memory for the next start,
    /// and closes the files. Nothing is kept after that.
    pub async fn close(self: &Arc<Self>, within: Duration) {
        let ended = async {
            loop {
                let told = self.all_ended.notified();
                if self.counts.running.load(Ordering::Acquire) == 0 {
                    return;
                }
                told.await;
            }
        };
        if tokio::time::timeout(within, ended).await.is_err() {
            tracing::warn!("runs that did not end in time leave no answer for their retries");
        }
        let this = self.clone();
        let closed = tokio::task::spawn_blocking(move || {
            if let Err(cause) = this.write_memory() {
                tracing::warn!(%cause, "the answers in memory could not be kept for the next start");
            }
            this.log.close();
        });
        if let Err(cause) = closed.await {
            tracing::error!(%cause, "idempotency was not closed well");
        }
    }

    /// One run has ended.
    fn run_ended(&self) {
        if self.counts.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all_ended.notify_waiters();
        }
    }
}

/// Where the call of this request stands. A payload tells calls of an SDK's id apart; a key is of one payload.
fn position(slots: &[Slot], call: &Call) -> Option<usize> {
    slots
        .iter()
        .position(|slot| slot.shape == call.shape && (call.kind == Kind::Key || slot.print == call.print))
}

impl std::fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idempotency").field("levels", &self.levels()).finish_non_exhaustive()
    }
}
