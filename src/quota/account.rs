//! An account's share: how many executions at a time, and how many a second.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::{
    Rate,
    clock::{Moment, Monotonic},
};
use crate::base::{AccountId, clock::SharedClock};

/// What an account has in use.
#[derive(Debug)]
pub(super) struct Account {
    /// Executions at this moment.
    pub(super) running: AtomicU32,
    rate: RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Moment>>,
}

impl Account {
    /// Nothing in use.
    pub(super) fn new(rate: NonZeroU32, clock: &SharedClock) -> Arc<Self> {
        let quota = Rate::flat(rate).governor();
        let rate = RateLimiter::new(quota, InMemoryState::default(), Monotonic::at_origin(clock));
        rate.clock().start();
        Arc::new(Self { running: AtomicU32::new(0), rate })
    }

    /// Takes a token of the rate; the error is how long to wait for one.
    pub(super) fn take_token(&self) -> Result<(), Duration> {
        self.rate.check().map_err(|not_until| not_until.wait_time_from(self.rate.clock().now()))
    }
}

/// The right to one execution, charged to the account that owns the function. Dropping it ends the execution as far as
/// limits are concerned. Only [`Quota::admit`](super::Quota::admit) makes one.
#[derive(Debug)]
#[must_use = "an admission that is dropped gives its slot back"]
pub struct Admission {
    owner: AccountId,
    account: Arc<Account>,
}

impl Admission {
    /// Takes a slot if fewer than `limit` are taken.
    pub(super) fn take(owner: AccountId, account: &Arc<Account>, limit: u32) -> Option<Self> {
        account
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| {
                (running < limit).then(|| running + 1)
            })
            .ok()?;
        Some(Self { owner, account: account.clone() })
    }

    /// The account that is charged.
    pub fn account(&self) -> AccountId {
        self.owner
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.account.running.fetch_sub(1, Ordering::AcqRel);
    }
}
