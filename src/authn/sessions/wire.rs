//! The compact form's atoms: numbers, texts written once, lists, moments.

use std::collections::{BTreeMap, HashMap};

use crate::base::Timestamp;

/// Writes atoms.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    seen: HashMap<String, u64>,
}

impl Writer {
    /// A number, seven bits a byte, lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    /// A moment; those since the epoch, which all but tests use, take the fewest bytes.
    pub(super) fn moment(&mut self, moment: Timestamp) {
        self.number(moment.millis().cast_unsigned());
    }

    /// A text: 0, its length and its bytes at its first use, its ordinal number from then on.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(&ordinal) = self.seen.get(text) {
            return self.number(ordinal);
        }
        self.seen.insert(text.to_owned(), self.seen.len() as u64 + 1);
        self.number(0);
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    /// Texts by name.
    pub(super) fn map(&mut self, map: &BTreeMap<String, String>) {
        self.number(map.len() as u64);
        for (name, value) in map {
            self.text(name);
            self.text(value);
        }
    }

    /// Bytes of a known length.
    pub(super) fn bytes<const LENGTH: usize>(&mut self, bytes: &[u8; LENGTH]) {
        self.out.extend_from_slice(bytes);
    }

    /// All that was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Reads atoms. Every method answers `None` where the bytes end early or are no such atom.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    seen: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, seen: Vec::new() }
    }

    /// A number.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A moment.
    pub(super) fn moment(&mut self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(self.number()?.cast_signed()))
    }

    /// A text.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let ordinal = usize::try_from(self.number()?).ok()?;
        if let Some(earlier) = ordinal.checked_sub(1) {
            return self.seen.get(earlier).copied();
        }
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let text = std::str::from_utf8(text).ok()?;
        self.seen.push(text);
        Some(text)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self) -> Option<Vec<String>> {
        // A text takes a byte at least, so a longer list is a lie; collecting stops at the first that is missing.
        (0..self.number()?).map(|_| self.text().map(str::to_owned)).collect()
    }

    /// A text of one's own.
    pub(super) fn owned_text(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// Texts by name.
    pub(super) fn map(&mut self) -> Option<BTreeMap<String, String>> {
        (0..self.number()?).map(|_| Some((self.owned_text()?, self.owned_text()?))).collect()
    }

    /// Bytes of a known length.
    pub(super) fn bytes<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    /// Nothing after a 0, something after a 1.
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.number()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
