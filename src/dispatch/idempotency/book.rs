//! Who keeps how much: each call that is kept is charged to everyone who is answerable for it.
//!
//! Two uses. What is kept in memory makes room by letting the oldest go, first those of whoever is over their own share, so that
//! nobody's calls push out another's who is within theirs. What is promised lets nobody go: who is over is refused.

use std::{collections::HashMap, net::IpAddr};

use foldhash::quality::RandomState;

use super::{
    entries::{Entries, Share},
    key::{Holder, Key, Owner},
};
use crate::base::Timestamp;

/// How much may be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Calls.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Bound {
    /// No bound on the number.
    pub const fn bytes(bytes: u64) -> Self {
        Self { entries: u64::MAX, bytes }
    }

    fn holds(self, used: Used) -> bool {
        used.entries <= self.entries && used.bytes <= self.bytes
    }
}

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// Calls.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Used {
    pub(super) fn plus(self, bytes: u64) -> Self {
        Self { entries: self.entries + 1, bytes: self.bytes.saturating_add(bytes) }
    }

    pub(super) fn minus(self, bytes: u64) -> Self {
        Self { entries: self.entries.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }
}

/// Everybody who is charged for a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holders {
    /// The identity or principal.
    pub owner: Holder,
    /// The source address of the first request.
    pub address: Holder,
    /// The identity pool, if there is one.
    pub pool: Option<Holder>,
}

/// The bounds on all of them together and on each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Everything.
    pub all: Bound,
    /// One identity or principal.
    pub owner: Bound,
    /// One source address.
    pub address: Bound,
    /// One identity pool.
    pub pool: Bound,
}

impl Bounds {
    /// Whether a call of so many bytes could be kept, if there were no others.
    pub(super) fn hold_one(&self, bytes: u64) -> bool {
        let alone = Used::default().plus(bytes);
        [self.all, self.owner, self.address, self.pool].iter().all(|bound| bound.holds(alone))
    }
}

/// Whose bound is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// That of everything.
    All,
    /// The identity's or principal's.
    Owner,
    /// The source address's.
    Address,
    /// The pool's.
    Pool,
}

/// A call in the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) holders: Holders,
    pub(super) bytes: u64,
    pub(super) until: Timestamp,
}

/// The book. Entries have ascending numbers: the lowest is the oldest.
#[derive(Debug)]
pub(super) struct Book {
    bounds: Bounds,
    used: Used,
    next: u64,
    entries: Entries,
    shares: HashMap<Holder, Share, RandomState>,
}

impl Holders {
    /// Whoever sends a call from there.
    pub fn new(owner: Owner, address: IpAddr, pool: Option<Holder>) -> Self {
        Self { owner: owner.holder(), address: Holder::address(address), pool }
    }

    fn each(&self, bounds: &Bounds) -> impl Iterator<Item = (Holder, Bound, Over)> + use<> {
        [
            Some((self.owner, bounds.owner, Over::Owner)),
            Some((self.address, bounds.address, Over::Address)),
            self.pool.map(|pool| (pool, bounds.pool, Over::Pool)),
        ]
        .into_iter()
        .flatten()
    }
}

impl Book {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            used: Used::default(),
            next: 1,
            entries: Entries::default(),
            shares: HashMap::default(),
        }
    }

    /// Everything.
    pub(super) fn used(&self) -> Used {
        self.used
    }

    /// Charges a call, whoever is over then.
    pub(super) fn add(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        self.used = self.used.plus(entry.bytes);
        for (holder, ..) in entry.holders.each(&self.bounds) {
            let share = self.shares.entry(holder).or_default();
            share.used = share.used.plus(entry.bytes);
            share.numbers.push_back(number);
        }
        self.entries.push(number, entry);
        number
    }

    /// Charges a call unless somebody would be over.
    pub(super) fn add_within(&mut self, entry: Entry) -> Result<u64, Over> {
        for (holder, bound, over) in entry.holders.each(&self.bounds) {
            let used = self.shares.get(&holder).map_or(Used::default(), |share| share.used);
            if !bound.holds(used.plus(entry.bytes)) {
                return Err(over);
            }
        }
        if !self.bounds.all.holds(self.used.plus(entry.bytes)) {
            return Err(Over::All);
        }
        Ok(self.add(entry))
    }

    /// Charges a call anew that has grown or lasts longer. False if everything together would be over then; nothing is
    /// changed in that case. (Shares are looked at before a call runs, not after.)
    pub(super) fn renew(&mut self, number: u64, bytes: u64, until: Timestamp) -> bool {
        let Some(entry) = self.entries.get_mut(number) else { return false };
        let regrown = |used: Used| used.minus(entry.bytes).plus(bytes);
        if bytes > entry.bytes && !self.bounds.all.holds(regrown(self.used)) {
            return false;
        }
        self.used = regrown(self.used);
        for (holder, ..) in entry.holders.each(&self.bounds) {
            if let Some(share) = self.shares.get_mut(&holder) {
                share.used = regrown(share.used);
            }
        }
        entry.bytes = bytes;
        entry.until = until;
        true
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(number)?;
        self.used = self.used.minus(entry.bytes);
        for (holder, ..) in entry.holders.each(&self.bounds) {
            if let Some(share) = self.shares.get_mut(&holder) {
                share.remove(number, entry.bytes, &self.entries);
                if share.used.entries == 0 {
                    self.shares.remove(&holder);
                }
            }
        }
        Some(entry)
    }

    /// Takes out, oldest first, what is too much: of each of these holders by their own bound, then of everybody.
    pub(super) fn make_room(&mut self, holders: &Holders) -> Vec<(u64, Entry)> {
        let mut gone = Vec::new();
        for (holder, bound, _) in holders.each(&self.bounds) {
            while let Some(share) = self.shares.get_mut(&holder).filter(|share| !bound.holds(share.used)) {
                let Some(oldest) = share.oldest(&self.entries) else { break };
                gone.extend(self.remove(oldest).map(|entry| (oldest, entry)));
            }
        }
        while !self.bounds.all.holds(self.used) {
            let Some((oldest, _)) = self.entries.first() else { break };
            gone.extend(self.remove(oldest).map(|entry| (oldest, entry)));
        }
        gone
    }

    /// Takes out at most `max` calls whose time is over, from the oldest on, as far as they stand in a row.
    pub(super) fn expire(&mut self, now: Timestamp, max: usize) -> Vec<(u64, Entry)> {
        let mut gone = Vec::new();
        while let Some((number, entry)) = self.entries.first()
            && entry.until <= now
            && gone.len() < max
        {
            gone.extend(self.remove(number).map(|entry| (number, entry)));
        }
        gone
    }

    /// Takes out everything of one holder.
    pub(super) fn remove_all(&mut self, holder: Holder) -> Vec<(u64, Entry)> {
        let numbers = self.shares.get(&holder).map(|share| share.numbers.clone()).unwrap_or_default();
        numbers.into_iter().filter_map(|number| Some((number, self.remove(number)?))).collect()
    }

    /// A call of the book.
    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::dispatch::idempotency::entries::HOLES_MIN;

    const BOUNDS: Bounds = Bounds {
        all: Bound { entries: 10, bytes: 1000 },
        owner: Bound { entries: 3, bytes: 400 },
        address: Bound { entries: 5, bytes: 600 },
        pool: Bound { entries: 8, bytes: 800 },
    };

    fn entry(owner: u8, address: u8, bytes: u64) -> Entry {
        let holders = Holders {
            owner: Holder([owner; 16]),
            address: Holder([100 + address; 16]),
            pool: Some(Holder([200; 16])),
        };
        let key = Key { owner: Owner([owner; 16]), call: [0; 16] };
        Entry { key, holders, bytes, until: Timestamp::from_seconds(10) }
    }

    /// Puts in and makes room, as memory does; the numbers that went.
    fn put(book: &mut Book, entry: Entry) -> Vec<u64> {
        book.add(entry);
        book.make_room(&entry.holders).into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn whoever_is_over_their_share_loses_their_own_oldest() {
        let mut book = Book::new(BOUNDS);
        assert!(put(&mut book, entry(1, 1, 10)).is_empty());
        for _ in 0..3 {
            assert!(put(&mut book, entry(2, 2, 10)).is_empty());
        }
        // The fourth of the second owner pushes out its first (2), not the other's (1), which is older.
        assert_eq!(put(&mut book, entry(2, 2, 10)), [2]);
        // Bytes count as calls do: 3, 4 and 5 are there with 10 each.
        assert_eq!(put(&mut book, entry(2, 2, 390)), [3, 4]);
    }

    #[test]
    fn an_address_with_many_owners_loses_its_own_oldest() {
        let mut book = Book::new(BOUNDS);
        put(&mut book, entry(1, 1, 10));
        for owner in 2..7 {
            assert!(put(&mut book, entry(owner, 2, 10)).is_empty());
        }
        assert_eq!(put(&mut book, entry(7, 2, 10)), [2]);
    }

    #[test]
    fn at_the_limit_of_all_the_oldest_goes_first() {
        let mut book = Book::new(Bounds { pool: BOUNDS.all, ..BOUNDS });
        for at in 0..10 {
            assert!(put(&mut book, entry(at, at, 100)).is_empty());
        }
        assert_eq!(book.used(), Used { entries: 10, bytes: 1000 });
        assert_eq!(put(&mut book, entry(20, 20, 1)), [1]);
        assert_eq!(put(&mut book, entry(21, 21, 250)), [2, 3]);
    }

    #[test]
    fn what_is_promised_refuses_the_one_who_is_over() {
        let mut book = Book::new(BOUNDS);
        for _ in 0..3 {
            book.add_within(entry(1, 1, 100)).unwrap();
        }
        assert_eq!(book.add_within(entry(1, 1, 100)), Err(Over::Owner));
        book.add_within(entry(2, 1, 100)).unwrap();
        book.add_within(entry(2, 1, 100)).unwrap();
        assert_eq!(book.add_within(entry(3, 1, 100)), Err(Over::Address));
        book.add_within(entry(3, 2, 300)).unwrap();
        assert_eq!(book.add_within(entry(4, 3, 1)), Err(Over::Pool));
        let without_pool = |owner: u8, bytes| {
            let mut entry = entry(owner, owner, bytes);
            entry.holders.pool = None;
            entry
        };
        book.add_within(without_pool(5, 200)).unwrap();
        assert_eq!(book.add_within(without_pool(6, 1)), Err(Over::All));
    }

    #[test]
    fn a_call_that_grew_is_charged_anew_unless_all_would_be_over() {
        let mut book = Book::new(BOUNDS);
        let one = book.add_within(entry(1, 1, 10)).unwrap();
        let later = Timestamp::from_seconds(99);
        assert!(book.renew(one, 900, later));
        assert_eq!(book.used(), Used { entries: 1, bytes: 900 });
        assert_eq!(book.add_within(entry(1, 2, 10)), Err(Over::Owner));
        assert!(!book.renew(one, 1001, later));
        assert_eq!(book.get(one).unwrap().bytes, 900);
        assert_eq!(book.expire(Timestamp::from_seconds(50), 9), []);
        assert_eq!(book.expire(later, 9).len(), 1);
        assert_eq!(book.used(), Used::default());
    }

    #[test]
    fn holes_take_no_room_however_long_the_oldest_stays() {
        let mut book =
            Book::new(Bounds { all: Bound::bytes(u64::MAX), owner: Bound::bytes(u64::MAX), ..BOUNDS });
        let oldest = book.add(entry(1, 1, 10));
        for _ in 0..10_000 {
            let number = book.add(entry(1, 1, 10));
            book.remove(number).unwrap();
        }
        assert!(book.entries.all.len() <= 2 * HOLES_MIN + 2, "{}", book.entries.all.len());
        assert!(book.shares.values().all(|share| share.numbers.len() <= HOLES_MIN + 2));
        assert_eq!(book.remove_all(Holder([1; 16])).len(), 1);
        assert!(book.remove(oldest).is_none());
    }

    proptest! {
        #[test]
        fn the_sums_are_those_of_what_is_there(steps in prop::collection::vec((0_u8..4, 0_u8..4, 1_u64..300, any::<bool>()), 0..60)) {
            let mut book = Book::new(BOUNDS);
            let mut there: BTreeMap<u64, Entry> = BTreeMap::new();
            for (owner, address, bytes, take_out) in steps {
                // Not the oldest: what is next to it, so that holes come to be.
                if take_out && let Some(number) = there.keys().nth(1).copied() {
                    there.remove(&number);
                    prop_assert!(book.remove(number).is_some());
                    prop_assert!(book.remove(number).is_none());
                }
                let entry = entry(owner, address, bytes);
                there.insert(book.add(entry), entry);
                for (number, _) in book.make_room(&entry.holders) {
                    there.remove(&number);
                }
                prop_assert_eq!(book.used().entries, there.len() as u64);
                prop_assert_eq!(book.used().bytes, there.values().map(|entry| entry.bytes).sum::<u64>());
                prop_assert!(BOUNDS.all.holds(book.used()));
                for (holder, bound, _) in entry.holders.each(&BOUNDS) {
                    prop_assert!(book.shares.get(&holder).is_none_or(|share| bound.holds(share.used)));
                }
            }
            for number in there.into_keys() {
                book.remove(number);
            }
            prop_assert!(book.shares.is_empty() && book.entries.all.is_empty() && book.entries.holes == 0);
        }
    }
}
