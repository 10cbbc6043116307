//! Which owners were merged into which: what the one sent before the merge counts as the other's.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::key::Owner;
use crate::base::Timestamp;

/// Of so many merges into one identity, the latest ones, its calls are looked for among the merged one's too.
pub const MERGES_MAX: usize = 60;
/// How many identities that others were merged into are known; of further ones, merges are not followed.
const OWNERS_MAX: usize = 100_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Alias {
    pub(super) owner: Owner,
    /// The merge: what began before it counts.
    pub(super) at: Timestamp,
}

/// The merges that may still matter.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    // Nearly always there is none, and then nobody takes the lock.
    any: AtomicBool,
    of: RwLock<HashMap<Owner, Vec<Alias>>>,
}

impl Aliases {
    /// `from` was merged into `into`. True if it can be followed.
    pub(super) fn add(&self, from: Owner, into: Owner, at: Timestamp) -> bool {
        let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
        if from == into || (of.len() >= OWNERS_MAX && !of.contains_key(&into)) {
            return false;
        }
        let aliases = of.entry(into).or_default();
        if let Some(known) = aliases.iter_mut().find(|alias| alias.owner == from) {
            known.at = at;
        } else {
            aliases.push(Alias { owner: from, at });
        }
        aliases.sort_by_key(|alias| std::cmp::Reverse(alias.at));
        aliases.truncate(MERGES_MAX);
        self.any.store(true, Ordering::Release);
        true
    }

    /// Everyone that this owner was made of, those who were merged into them included, at most [`MERGES_MAX`].
    pub(super) fn of(&self, owner: Owner) -> Vec<Alias> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Alias> = of.get(&owner).cloned().unwrap_or_default();
        let mut at = 0;
        while let Some(alias) = all.get(at).copied() {
            for further in of.get(&alias.owner).into_iter().flatten() {
                if all.len() < MERGES_MAX
                    && further.owner != owner
                    && all.iter().all(|known| known.owner != further.owner)
                {
                    all.push(*further);
                }
            }
            at += 1;
        }
        all
    }

    /// Forgets merges of before this moment: whatever began before them is forgotten, too.
    pub(super) fn forget(&self, before: Timestamp) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
        of.retain(|_, aliases| {
            aliases.retain(|alias| alias.at >= before);
            !aliases.is_empty()
        });
        self.any.store(!of.is_empty(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn owner(number: u8) -> Owner {
        Owner([number; 16])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn merges_are_followed_through_others_and_never_in_circles() {
        let aliases = Aliases::default();
        assert!(aliases.of(owner(3)).is_empty());
        aliases.add(owner(2), owner(3), at(20));
        aliases.add(owner(1), owner(2), at(10));
        aliases.add(owner(3), owner(1), at(30));
        let of: Vec<_> = aliases.of(owner(3)).iter().map(|alias| (alias.owner, alias.at)).collect();
        assert_eq!(of, [(owner(2), at(20)), (owner(1), at(10))]);
        assert!(!aliases.add(owner(3), owner(3), at(1)));
    }

    #[test]
    fn of_many_merges_the_latest_count_and_old_ones_are_forgotten() {
        let aliases = Aliases::default();
        for number in 0..100 {
            aliases.add(owner(number), owner(200), at(number.into()));
        }
        let of = aliases.of(owner(200));
        assert_eq!(of.len(), MERGES_MAX);
        assert!(of.iter().all(|alias| alias.at >= at(40)));
        aliases.forget(at(99));
        assert_eq!(aliases.of(owner(200)), [Alias { owner: owner(99), at: at(99) }]);
        aliases.forget(at(1000));
        assert!(aliases.of(owner(200)).is_empty() && !aliases.any.load(Ordering::Acquire));
    }
}
