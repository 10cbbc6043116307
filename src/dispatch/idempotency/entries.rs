//! The entries of a book, and whose they are.

use std::collections::VecDeque;

use super::book::{Entry, Used};

/// What one holder has.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) used: Used,
    /// The numbers of its calls, ascending; some of them may be gone.
    pub(super) numbers: VecDeque<u64>,
}

/// Entries by number. They come at the end and mostly go at the beginning; what goes in between leaves a hole.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) all: VecDeque<(u64, Option<Entry>)>,
    pub(super) holes: usize,
}

/// So many holes are nothing to tidy up for.
pub(super) const HOLES_MIN: usize = 64;

impl Entries {
    fn at(&self, number: u64) -> Option<usize> {
        if self.all.front().is_some_and(|(first, _)| *first == number) {
            return Some(0);
        }
        self.all.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    /// One entry.
    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        self.all.get(self.at(number)?)?.1.as_ref()
    }

    /// One entry, to be changed.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Entry> {
        let at = self.at(number)?;
        self.all.get_mut(at)?.1.as_mut()
    }

    /// Adds one with a number higher than any before.
    pub(super) fn push(&mut self, number: u64, entry: Entry) {
        self.all.push_back((number, Some(entry)));
    }

    /// The oldest; the first is never a hole.
    pub(super) fn first(&self) -> Option<(u64, &Entry)> {
        self.all.front().and_then(|(number, entry)| Some((*number, entry.as_ref()?)))
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, number: u64) -> Option<Entry> {
        let at = self.at(number)?;
        let entry = self.all.get_mut(at)?.1.take()?;
        self.holes += 1;
        while self.all.front().is_some_and(|(_, entry)| entry.is_none()) {
            self.all.pop_front();
            self.holes -= 1;
        }
        if self.holes > HOLES_MIN && self.holes * 2 > self.all.len() {
            self.all.retain(|(_, entry)| entry.is_some());
            self.holes = 0;
        }
        Some(entry)
    }
}

impl Share {
    /// The oldest of its calls. Numbers of those that are gone are let go on the way.
    pub(super) fn oldest(&mut self, entries: &Entries) -> Option<u64> {
        while let Some(number) = self.numbers.front().copied() {
            if entries.get(number).is_some() {
                return Some(number);
            }
            self.numbers.pop_front();
        }
        None
    }

    /// One of its calls is gone.
    pub(super) fn remove(&mut self, number: u64, bytes: u64, entries: &Entries) {
        self.used = self.used.minus(bytes);
        if self.numbers.front() == Some(&number) {
            self.numbers.pop_front();
        }
        let live = usize::try_from(self.used.entries).unwrap_or(usize::MAX);
        if self.numbers.len() > HOLES_MIN && self.numbers.len() / 2 > live {
            self.numbers.retain(|number| entries.get(*number).is_some());
        }
    }
}
