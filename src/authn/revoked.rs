//! Whether a session was ended before its time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::SessionClaims;

/// Where revocations are known. It reads memory alone.
pub trait Revoked: Send + Sync {
    /// Moves whenever something is revoked. A session that was found in order at the present number still is.
    fn generation(&self) -> u64;

    /// Whether the session with this access key has ended.
    fn ends(&self, claims: &SessionClaims, access_key_id: &str) -> bool;

    /// Whether the guest of this id has signed in or was merged: its sessions as a guest have ended. These are not counted by
    /// [`Self::generation`], for there are many of them.
    fn ends_guest(&self, identity_id: &str) -> bool;
}

/// At which number a session was last found in order.
#[derive(Debug, Default)]
pub struct Cleared(AtomicU64);

/// Whether the session has ended. A session that was looked up before costs the comparison of two numbers; a guest's, one
/// look-up besides.
pub fn is_revoked(
    revoked: &dyn Revoked,
    claims: &SessionClaims,
    access_key_id: &str,
    cleared: &Cleared,
) -> bool {
    let origin = &claims.origin;
    if origin.providers.is_empty()
        && origin.identity_id.as_deref().is_some_and(|identity_id| revoked.ends_guest(identity_id))
    {
        return true;
    }
    // Read first: if something is revoked while the session is looked up, it is looked up again next time.
    let generation = revoked.generation();
    if cleared.0.load(Ordering::Relaxed) == generation {
        return false;
    }
    let ends = revoked.ends(claims, access_key_id);
    if !ends {
        cleared.0.store(generation, Ordering::Relaxed);
    }
    ends
}
