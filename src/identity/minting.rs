//! How often what needs no signature may be had: new guests, for which anybody may ask, and exchanges of logins for
//! credentials and tokens.

use std::{fmt, net::IpAddr};

use super::{Identities, IdentityError, Result};
use crate::base::OverLimit;

/// How often guests may be made and credentials be given. It reads memory alone.
pub trait Minting: Send + Sync {
    /// Takes one of the guests that this address and this pool may have.
    fn admit(&self, source: IpAddr, pool_id: &str) -> std::result::Result<(), OverLimit>;

    /// Takes one of the exchanges that this pool may have and this identity, if it is known.
    fn exchange(&self, pool_id: &str, identity_id: Option<&str>) -> std::result::Result<(), OverLimit>;
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
                self.parts.minting.admit(source, pool_id).map_err(IdentityError::TooManyGuests)
            }
            _ => Ok(()),
        }
    }

    /// That this pool, and this identity of it, may have another exchange of logins for something.
    pub(super) fn admit_exchange(&self, pool_id: &str, identity_id: Option<&str>) -> Result<()> {
        self.parts.minting.exchange(pool_id, identity_id).map_err(IdentityError::TooManyExchanges)
    }
}
