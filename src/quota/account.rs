//! How many executions of an account's functions there are at a time, and what is reserved of them.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use super::share::Share;
use crate::base::AccountId;

/// What an account has in use.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// All its executions in the upper half, those without a reservation in the lower: one number, so that both limits are kept
    /// at once.
    running: AtomicU64,
    /// When its rate's bucket is full again, as in [`super::buckets`].
    pub(super) full_again: AtomicU64,
}

const ONE: u64 = 1 << 32;

impl Account {
    /// Executions at this moment.
    pub(super) fn running(&self) -> u32 {
        split(self.running.load(Ordering::Relaxed)).0
    }

    /// Takes a slot if fewer than `all` are taken and, of a call without a reservation, fewer than `unreserved` of those.
    fn take(&self, all: u32, unreserved: Option<u32>) -> bool {
        let more = |used: u64| {
            let (running, without) = split(used);
            let fits = running < all && unreserved.is_none_or(|most| without < most);
            fits.then_some(used + ONE + u64::from(unreserved.is_some()))
        };
        self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }
}

fn split(used: u64) -> (u32, u32) {
    let low = u32::try_from(used % ONE).unwrap_or(u32::MAX);
    (u32::try_from(used / ONE).unwrap_or(u32::MAX), low)
}

/// What is reserved for a function, and how much of it is in use.
#[derive(Clone, Debug)]
pub(super) struct Reserve {
    pub(super) units: u32,
    pub(super) running: Arc<AtomicU32>,
}

/// What of its executions a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots<'a> {
    /// All that the account has.
    pub(super) all: u32,
    /// Those that no function has reserved.
    pub(super) unreserved: u32,
    /// The function's own.
    pub(super) reserve: Option<&'a Reserve>,
}

/// Which slots there are no more of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// The function's own.
    Reserved,
    /// The account's.
    Account,
}

/// The right to one execution, charged to the account that owns the function. Dropping it ends the execution as far as
/// limits are concerned. Only [`Quota::admit`](super::Quota::admit) makes one.
#[derive(Debug)]
#[must_use = "an admission that is dropped gives its slot back"]
pub struct Admission {
    owner: AccountId,
    share: Share,
    account: Arc<Account>,
    /// The slot that was taken, whatever has become of the reservation since.
    reserved: Option<Arc<AtomicU32>>,
}

impl Admission {
    /// Takes a slot if there is one.
    pub(super) fn take(
        owner: AccountId,
        share: Share,
        account: &Arc<Account>,
        slots: Slots<'_>,
    ) -> Result<Self, Taken> {
        let reserved = match slots.reserve {
            None => None,
            Some(Reserve { units, running }) => {
                let more = |used: u32| (used < *units).then(|| used + 1);
                running
                    .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
                    .map_err(|_| Taken::Reserved)?;
                Some(running.clone())
            }
        };
        let unreserved = reserved.is_none().then_some(slots.unreserved);
        if !account.take(slots.all, unreserved) {
            if let Some(running) = reserved {
                running.fetch_sub(1, Ordering::AcqRel);
            }
            return Err(Taken::Account);
        }
        Ok(Self { owner, share, account: account.clone(), reserved })
    }

    /// The account that is charged.
    pub fn account(&self) -> AccountId {
        self.owner
    }

    /// Whose share of what is scarce the call is to use.
    pub fn share(&self) -> Share {
        self.share
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let unreserved = match &self.reserved {
            Some(running) => {
                running.fetch_sub(1, Ordering::AcqRel);
                0
            }
            None => 1,
        };
        self.account.running.fetch_sub(ONE + unreserved, Ordering::AcqRel);
    }
}
