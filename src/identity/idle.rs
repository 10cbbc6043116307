//! Guests that nobody uses expire, where it is configured: `identity.guest_idle_days`.
//!
//! A guest is used when it asks for credentials or a token. That is written down at most once a day, in the request that is the
//! first of its day: a use that was answered is known after a crash, too. So guests end between the configured time and a
//! day more after their last use. Whoever comes while it is being removed was either in time or is told that it is gone: both are
//! writes to one row.

use std::time::Duration;

use super::{Identities, Result};
use crate::store::identity::{IdentityRecord, Written};

/// How exactly it is known when a guest was last used.
const PRECISION: Duration = Duration::from_secs(24 * 3600);
/// How many guests one transaction removes.
const SWEPT_AT_ONCE: u32 = 1000;

impl Identities {
    /// Notes that somebody speaks for this identity; lost if it is gone meanwhile, or no guest any more.
    pub(super) async fn used(&self, identity: &IdentityRecord) -> Written {
        let now = self.parts.clock.now();
        if self.parts.guest_idle.is_none() || !identity.is_guest() || identity.used.plus(PRECISION) > now {
            return Written::Done;
        }
        match self.parts.store.touch(&identity.id, now).await {
            Ok(written) => written,
            Err(cause) => {
                // The guest need not suffer, and what cannot be written cannot remove it either.
                tracing::warn!(identity = identity.id, %cause, "that a guest was used could not be written down");
                Written::Done
            }
        }
    }

    /// Removes the guests that were idle for longer than is configured, and says how many there were. To be called now and
    /// then.
    pub async fn expire_guests(&self) -> Result<u64> {
        let Some(idle) = self.parts.guest_idle else { return Ok(0) };
        let used_before = self.parts.clock.now().minus(idle).minus(PRECISION);
        let mut expired = 0;
        loop {
            match self.parts.store.sweep_guests(used_before, SWEPT_AT_ONCE).await? {
                0 => return Ok(expired),
                swept => expired += swept,
            }
        }
    }
}
