//! What has become of the sandboxes that a pool has had: it tells why another is needed.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use crate::{
    base::{AccountId, ColdStart},
    functions::Function,
};

/// A pool's past.
#[derive(Debug)]
pub(super) struct Past {
    /// The cause of the first sandbox.
    first: ColdStart,
    /// Whether there has been one.
    had_one: AtomicBool,
    /// Sandboxes that failed and that none has been made in place of.
    failed: AtomicUsize,
}

impl Past {
    /// Without a sandbox yet; this will be the cause of the first.
    pub(super) fn beginning(first: ColdStart) -> Self {
        Self { first, had_one: AtomicBool::new(false), failed: AtomicUsize::new(0) }
    }

    /// Why another sandbox is made beside so many that serve or are being made.
    pub(super) fn cause(&self, beside: usize) -> ColdStart {
        if self.failed.fetch_update(SeqCst, SeqCst, |failed| failed.checked_sub(1)).is_ok() {
            return ColdStart::AfterFailure;
        }
        match (beside, self.had_one.load(SeqCst)) {
            (1.., _) => ColdStart::Concurrency,
            (0, true) => ColdStart::Expired,
            (0, false) => self.first,
        }
    }

    /// A sandbox has been made.
    pub(super) fn had_one(&self) {
        self.had_one.store(true, SeqCst);
    }

    /// One has failed, or could not be made.
    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, SeqCst);
    }

    /// There was no room for the one that was to be made for this cause: it is still to be made.
    pub(super) fn no_room_for(&self, cause: ColdStart) {
        if cause == ColdStart::AfterFailure {
            self.failed();
        }
    }

    /// The cause of the next sandbox, where none is left.
    fn next(&self) -> ColdStart {
        match (self.failed.load(SeqCst), self.had_one.load(SeqCst)) {
            (1.., _) => ColdStart::AfterFailure,
            (0, true) => ColdStart::Expired,
            (0, false) => self.first,
        }
    }
}

/// What is left of pools without sandboxes: which generation it was, and the cause of its next sandbox. One entry for each
/// function that was called, until it is deleted.
#[derive(Default)]
pub(super) struct Former(HashMap<AccountId, ByName>);

/// A generation and a cause, by the function's name.
type ByName = HashMap<Arc<str>, (Arc<str>, ColdStart)>;

impl Former {
    /// A function's pool is forgotten.
    pub(super) fn remember(&mut self, function: &Function, past: &Past) {
        let named = self.0.entry(function.account).or_default();
        named.insert(function.pool.clone(), (function.generation.clone(), past.next()));
    }

    /// The past of a function's pool that is made now. `earlier` says whether one of another generation is still there.
    pub(super) fn of(&mut self, function: &Function, earlier: bool) -> Past {
        Past::beginning(match self.take(function.account, &function.pool) {
            _ if earlier => ColdStart::NewCode,
            Some((generation, cause)) if generation == function.generation => cause,
            Some(_) => ColdStart::NewCode,
            None => ColdStart::NewFunction,
        })
    }

    /// A function is no more.
    pub(super) fn forget(&mut self, account: AccountId, name: &str) {
        self.take(account, name);
    }

    fn take(&mut self, account: AccountId, name: &str) -> Option<(Arc<str>, ColdStart)> {
        let named = self.0.get_mut(&account)?;
        let taken = named.remove(name);
        if named.is_empty() {
            self.0.remove(&account);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_its_cause() {
        let past = Past::beginning(ColdStart::NewFunction);
        assert_eq!(past.cause(0), ColdStart::NewFunction);
        assert_eq!(past.cause(1), ColdStart::Concurrency);
        past.had_one();
        assert_eq!(past.cause(0), ColdStart::Expired);
        past.failed();
        assert_eq!(past.next(), ColdStart::AfterFailure);
        // It takes the place of the one that failed, whoever else there is.
        assert_eq!(past.cause(3), ColdStart::AfterFailure);
        past.no_room_for(ColdStart::AfterFailure);
        assert_eq!(past.cause(0), ColdStart::AfterFailure);
        assert_eq!(past.cause(3), ColdStart::Concurrency);
        past.no_room_for(ColdStart::Concurrency);
        assert_eq!(past.next(), ColdStart::Expired);
    }
}
