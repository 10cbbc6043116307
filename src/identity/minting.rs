//! New guests: anybody may ask for one, so how often is limited.

use std::{fmt, net::IpAddr, time::Duration};

use super::{Identities, IdentityError, Result};

/// A limit on new guests was reached.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "Too many new guests: {limit} is used up. Try again in {} s, keep the identity that you have, or sign in.",
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
)]
pub struct TooManyGuests {
    /// The limit's name in configuration.
    pub limit: String,
    /// When it may be tried again.
    pub wait: Duration,
}

/// How many guests may be made. It reads memory alone.
pub trait Minting: Send + Sync {
    /// Takes one of those that this address and this pool may have.
    fn admit(&self, source: IpAddr, pool_id: &str) -> std::result::Result<(), TooManyGuests>;
}

impl fmt::Debug for dyn Minting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minting")
    }
}

impl Identities {
    /// That this address may have a new guest of this pool. To be asked before [`Self::get_id`] without logins.
    pub fn admit_guest(&self, source: IpAddr, pool_id: &str) -> Result<()> {
        // Pools that are not there, or have no guests, are refused by what comes next, and have no limit of their own.
        match self.parts.pools.find(pool_id) {
            Some(pool) if pool.settings.allow_guests => {
                Ok(self.parts.minting.admit(source, pool_id).map_err(IdentityError::TooManyGuests)?)
            }
            _ => Ok(()),
        }
    }
}
