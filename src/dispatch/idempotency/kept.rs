//! Calls that are known by an `Idempotency-Key`: each is on disk before it runs, and its answer is when it has run.

use std::{collections::HashMap, sync::Arc};

use super::{
    Answer, Call, Idempotency, Options, Run,
    book::{Book, Entry, Over},
    key, lock,
    log::{self, Opened, Place},
    segment::{Found, Record, What},
    table::{Slot, State, Table},
};
use crate::{base::Timestamp, dispatch::Outcome};

/// What a call is charged at least, in bytes: its records, and what it takes in memory.
const ENTRY_BYTES: u64 = 1024;
/// No call is let go while it runs.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

impl Call {
    fn record(&self, what: What, at: Timestamp) -> Record {
        Record {
            what,
            key: self.key,
            shape: self.shape,
            print: self.print,
            began: self.began,
            at,
            holders: self.holders,
            identity: self.identity.clone(),
        }
    }
}

impl Idempotency {
    /// Charges for a call that is going to be recorded.
    pub(super) fn charge(&self, call: &Call, run: &Arc<Run>) -> Result<u64, Over> {
        let mut kept = lock(&self.kept);
        let entry = Entry { key: call.key, holders: call.holders, bytes: ENTRY_BYTES, until: NEVER };
        let number = kept.add_within(entry)?;
        self.slot_of(run, call, |slot| slot.entry = number);
        Ok(number)
    }

    fn slot_of<R>(&self, run: &Arc<Run>, call: &Call, change: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        self.table
            .with_known(&call.key, |slots| slots.iter_mut().find(|slot| slot.is_of(run)).map(change))
            .flatten()
    }

    /// Writes that a call is going to run; false if that could not be written.
    pub(super) async fn record(self: &Arc<Self>, call: &Call, run: &Arc<Run>) -> bool {
        let record = call.record(What::Begun, call.began);
        let Some(frame) = record.frame(None, &self.ring, &*self.rng) else { return false };
        let (done, written) = tokio::sync::oneshot::channel();
        let (this, call, run) = (self.clone(), call.clone(), run.clone());
        let then = move |place: Option<Place>| {
            let is_written = place.is_some();
            // Known here, on the thread that also rewrites files, so that no rewriting takes it for dead.
            if let Some(place) = place
                && this.slot_of(&run, &call, |slot| slot.place = Some(place.clone())).is_none()
            {
                place.release();
            }
            let _ = done.send(is_written);
        };
        self.log.append(frame, then).await;
        written.await.unwrap_or(false)
    }

    /// Keeps the answer of a run, and tells whoever waits.
    pub(super) async fn keep(self: &Arc<Self>, call: &Call, run: &Arc<Run>, entry: u64, outcome: &Outcome) {
        let now = self.clock.now();
        let until = now.plus(self.options.key_window);
        let answer = Answer::encode(run.id, outcome);
        let bytes = ENTRY_BYTES.max(answer.len() as u64 + 512);
        let what = {
            let mut kept = lock(&self.kept);
            match (kept.get(entry).is_some(), kept.renew(entry, bytes, until)) {
                // Its identity was deleted meanwhile.
                (false, _) => None,
                (true, true) => Some(What::Ended),
                (true, false) => {
                    kept.renew(entry, ENTRY_BYTES, until);
                    Some(What::Unkept)
                }
            }
        };
        if let Some(what) = what {
            let answer = (what == What::Ended).then_some(&answer[..]);
            let frame = call.record(what, now).frame(answer, &self.ring, &*self.rng);
            let (this, call, run) = (self.clone(), call.clone(), run.clone());
            let then = move |place: Option<Place>| this.written(&call, &run, until, what, place);
            match frame {
                Some(frame) => self.log.append(frame, then).await,
                None => then(None),
            }
        }
        run.end(Some(Arc::new(Answer::of(run.id, outcome))));
    }

    /// The record of an end is on disk, or could not be written.
    fn written(&self, call: &Call, run: &Arc<Run>, until: Timestamp, what: What, place: Option<Place>) {
        let known = self.slot_of(run, call, |slot| {
            slot.until = until;
            slot.state = match (&place, what) {
                (Some(_), What::Ended) => State::Disk,
                _ => State::Unknown,
            };
            // Without the new record the one of the beginning speaks on.
            if let Some(place) = &place
                && let Some(before) = slot.place.replace(place.clone())
            {
                before.release();
            }
        });
        if let (None, Some(place)) = (known, place) {
            place.release();
        }
    }

    /// A call that was not run after all is as if it had never come.
    pub(super) fn release(&self, run: &Arc<Run>, call: &Call, entry: u64) {
        if entry != 0 {
            lock(&self.kept).remove(entry);
        }
        let place = self.table.with_known(&call.key, |slots| {
            let at = slots.iter().position(|slot| slot.is_of(run))?;
            slots.swap_remove(at).place
        });
        if let Some(Some(place)) = place {
            place.release();
        }
    }

    /// A run whose end nobody saw.
    pub(super) fn lose(&self, run: &Arc<Run>, call: &Call, entry: u64) {
        if entry == 0 {
            return self.release(run, call, 0);
        }
        let until = self.clock.now().plus(self.options.key_window);
        lock(&self.kept).renew(entry, ENTRY_BYTES, until);
        self.slot_of(run, call, |slot| {
            slot.until = until;
            slot.state = State::Unknown;
        });
    }

    /// Has it on disk that a call was not run after all.
    pub(super) async fn erase_record(&self, call: &Call) {
        if let Some(frame) = self.erasure(call)
            && let Some(place) = self.log.write(frame).await
        {
            place.release();
        }
    }

    /// The same where nobody can wait. If it cannot be written, a crash before the key's end leaves its retries without an
    /// answer, and nothing worse.
    pub(super) fn erase_record_later(&self, call: &Call) {
        if let Some(frame) = self.erasure(call)
            && !self.log.try_append(frame)
        {
            tracing::warn!("too much is being written: that a call was not run after all was not recorded");
        }
    }

    fn erasure(&self, call: &Call) -> Option<Vec<u8>> {
        let record = Record { identity: None, ..call.record(What::Erased, self.clock.now()) };
        record.frame(None, &self.ring, &*self.rng)
    }
}

impl log::Owner for Idempotency {
    fn counts(&self, found: &Found, place: &Place) -> bool {
        let record = &found.record;
        if record.what == What::Erased {
            // The beginning that it takes back may stand in another file.
            return record.at.plus(self.options.key_window) > self.clock.now();
        }
        let is_here = |slot: &Slot| slot.place.as_ref().is_some_and(|known| known.is(place));
        self.table.with_known(&record.key, |slots| slots.iter().any(is_here)).unwrap_or(false)
    }

    fn moved(&self, found: &Found, from: &Place, to: &Place) -> bool {
        let move_slot = |slots: &mut Vec<Slot>| {
            let slot = slots.iter_mut().find(|slot| slot.place.as_ref().is_some_and(|known| known.is(from)));
            slot.map(|slot| slot.place = Some(to.clone())).is_some()
        };
        self.table.with_known(&found.record.key, move_slot).unwrap_or(false)
    }
}

/// What a start reads from the files.
pub(super) struct Loading {
    now: Timestamp,
    window: std::time::Duration,
    table: Table,
    book: Book,
    identities: HashMap<key::Owner, Box<str>>,
}

impl Loading {
    pub(super) fn new(options: &Options, now: Timestamp) -> Self {
        Self {
            now,
            window: options.key_window,
            table: Table::new(),
            book: Book::new(options.keys),
            identities: HashMap::new(),
        }
    }

    /// Takes the records of one file; files come in the order in which they were written.
    pub(super) fn take(&mut self, opened: &Opened<'_>) {
        if opened.read.damaged > 0 {
            tracing::error!(
                file = opened.number(),
                bytes = opened.read.damaged,
                "a file of idempotency keys is damaged: calls that were recorded there may run again when they are sent again"
            );
        }
        if opened.read.torn > 0 {
            tracing::info!(file = opened.number(), bytes = opened.read.torn, "a last write was cut short");
        }
        for found in &opened.read.found {
            self.record(found, opened);
        }
    }

    fn record(&mut self, found: &Found, opened: &Opened<'_>) {
        let record = &found.record;
        // Whatever stood there before is over.
        let before = self.table.with_known(&record.key, |slots| {
            let at = slots.iter().position(|slot| slot.shape == record.shape)?;
            Some(slots.swap_remove(at))
        });
        if let Some(Some(before)) = before {
            self.book.remove(before.entry);
            if let Some(place) = before.place {
                place.release();
            }
        }
        let until = record.at.plus(self.window);
        if record.what == What::Erased || until <= self.now {
            return;
        }
        if let Some(identity) = &record.identity {
            self.identities.insert(record.key.owner, identity.clone());
        }
        let bytes = ENTRY_BYTES.max(found.length as u64);
        let entry = self.book.add(Entry { key: record.key, holders: record.holders, bytes, until });
        self.table.with(&record.key, |slots| {
            slots.push(Slot {
                shape: record.shape,
                print: record.print,
                began: record.began,
                until,
                entry,
                place: Some(opened.place(found)),
                identity: None,
                state: if record.what == What::Ended { State::Disk } else { State::Unknown },
            });
        });
    }

    pub(super) fn finish(self) -> (Table, Book, Vec<Box<str>>) {
        (self.table, self.book, self.identities.into_values().collect())
    }
}
