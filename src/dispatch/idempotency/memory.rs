//! Calls that are known by an SDK's id: kept in memory, and over a clean restart in one file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use super::{
    Answer, Call, Idempotency, Run, book,
    book::Entry,
    key::Key,
    lock,
    segment::{self, Record, What},
    table::{Slot, State, has_room},
};
use crate::{base::Timestamp, dispatch::Outcome};

/// What an entry takes beside its answer, in bytes: its places in the table, the book and the shares.
const ENTRY_BYTES: u64 = 400;
const FILE: &str = "sdk-answers";

impl Idempotency {
    /// Keeps the answer of a run, if it may be kept, and tells whoever waits.
    pub(super) fn remember(&self, call: &Call, run: &Arc<Run>, outcome: &Outcome) {
        let now = self.clock.now();
        let bytes = ENTRY_BYTES + Answer::bytes(outcome);
        let until = now.plus(self.options.sdk_window);
        if !self.options.sdk.hold_one(bytes) {
            self.counts.evicted.fetch_add(1, Ordering::Relaxed);
            // Once it is out of the table nobody joins any more, and whoever has is still told.
            self.release(run, call, 0);
            run.end((run.waiting() > 0).then(|| Arc::new(Answer::of(run.id, outcome))));
            return;
        }
        let answer = Arc::new(Answer::of(run.id, outcome));
        let mut memory = lock(&self.memory);
        self.put(&mut memory, call.key, &call.holders, (bytes, until), |slots| {
            let slot = slots.iter_mut().find(|slot| slot.is_of(run))?;
            slot.state = State::Memory(answer.clone());
            Some(slot)
        });
        for (number, entry) in memory.expire(now, 4) {
            self.table.remove_entry(&entry.key, number);
        }
        drop(memory);
        run.end(Some(answer));
    }

    /// Charges for an answer, has it put in its place, and makes room for it.
    fn put(
        &self,
        memory: &mut book::Book,
        key: Key,
        holders: &book::Holders,
        (bytes, until): (u64, Timestamp),
        place: impl FnOnce(&mut Vec<Slot>) -> Option<&mut Slot>,
    ) {
        let number = memory.add(Entry { key, holders: *holders, bytes, until });
        let placed = self.table.with(&key, |slots| match place(slots) {
            Some(slot) => {
                slot.until = until;
                slot.entry = number;
                true
            }
            None => false,
        });
        if !placed {
            memory.remove(number);
            return;
        }
        for (number, entry) in memory.make_room(holders) {
            self.counts.evicted.fetch_add(1, Ordering::Relaxed);
            self.table.remove_entry(&entry.key, number);
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Writes what is in memory for the next start. It waits for the disk.
    pub(super) fn write_memory(&self) -> io::Result<()> {
        let now = self.clock.now();
        let mut answers = Vec::new();
        self.table.for_each(|key, slot| {
            if let State::Memory(answer) = &slot.state
                && slot.until > now
            {
                answers.push((*key, slot.clone(), answer.clone()));
            }
        });
        if answers.is_empty() {
            return Ok(());
        }
        // The oldest first, as they are to go.
        answers.sort_by_key(|(_, slot, _)| slot.entry);
        let new = self.file().with_extension("new");
        let mut options = OpenOptions::new();
        let mut file =
            io::BufWriter::new(options.write(true).create(true).truncate(true).mode(0o600).open(&new)?);
        for (key, slot, answer) in answers {
            let Some(holders) = lock(&self.memory).get(slot.entry).map(|entry| entry.holders) else {
                continue;
            };
            let record = Record {
                what: What::Ended,
                key,
                shape: slot.shape,
                print: slot.print,
                began: slot.began,
                at: slot.until.minus(self.options.sdk_window),
                holders,
                identity: slot.identity,
            };
            let answer = Answer::encode(answer.id, &answer.outcome);
            if let Some(frame) = record.frame(Some(&answer), &self.ring, &*self.rng) {
                file.write_all(&frame)?;
            }
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&new, self.file())?;
        File::open(&self.folder)?.sync_all()
    }

    /// Reads what the last end wrote, and removes it: only a clean end leaves a file, and a crash after this start finds none.
    /// The identities that it is about.
    pub(super) fn read_memory(&self, now: Timestamp) -> io::Result<Vec<Box<str>>> {
        let bytes = match fs::read(self.file()) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(cause),
        };
        fs::remove_file(self.file())?;
        File::open(&self.folder)?.sync_all()?;
        let read = segment::read(&bytes, &self.ring);
        if read.damaged + read.torn > 0 {
            tracing::warn!(bytes = read.damaged + read.torn, "some of the answers in {FILE} cannot be read");
        }
        let mut identities = Vec::new();
        let mut memory = lock(&self.memory);
        for found in read.found {
            let (record, until) = (&found.record, found.record.at.plus(self.options.sdk_window));
            let frame = bytes.get(found.at..found.at + found.length).unwrap_or_default();
            let Some(answer) = segment::answer(frame, &record.key, &self.ring)
                .and_then(|answer| Answer::decode(&answer))
                .filter(|_| until > now && until <= now.plus(self.options.sdk_window))
            else {
                continue;
            };
            let bytes = ENTRY_BYTES + Answer::bytes(&answer.outcome);
            identities.extend(record.identity.clone());
            self.put(&mut memory, record.key, &record.holders, (bytes, until), |slots| {
                if !has_room(slots) {
                    return None;
                }
                slots.push(Slot {
                    shape: record.shape,
                    print: record.print,
                    began: record.began,
                    until,
                    entry: 0,
                    place: None,
                    identity: record.identity.clone(),
                    state: State::Memory(Arc::new(answer)),
                });
                slots.last_mut()
            });
        }
        Ok(identities)
    }
}
