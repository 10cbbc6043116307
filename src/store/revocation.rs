//! What is kept of revocations: scopes with the moment before which nothing of theirs counts, and identities on hold.

use async_trait::async_trait;

use super::StoreError;
use crate::base::{AccountId, Timestamp};

/// A scope and the moment up to which everything of it has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevocationRecord {
    /// What is revoked, as `revocation::Scope` writes it.
    pub scope: String,
    /// Whose it is.
    pub account: AccountId,
    /// The pool that it belongs to, with which it goes.
    pub pool_id: Option<String>,
    /// Whatever was issued at or before this moment has ended.
    pub not_before: Timestamp,
    /// When nothing is left that the record could concern; `None` for never.
    pub ends: Option<Timestamp>,
}

/// What is kept of a revoked identity for as long as the identity is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IdentityHold {
    /// Login tokens issued at or before this moment do not speak for it.
    pub not_before: Option<Timestamp>,
    /// Since when its id opens nothing.
    pub disabled: Option<Timestamp>,
    /// When it was last restored.
    pub restored: Option<Timestamp>,
}

/// The scope of the sessions that an identity had as a guest.
pub fn guest_scope(identity_id: &str) -> String {
    format!("{GUEST}{identity_id}")
}

/// The scope of the sessions of all guests of a pool.
pub fn guests_scope(pool_id: &str) -> String {
    format!("{GUESTS}{pool_id}")
}

/// The scope of everything of a pool.
pub fn pool_scope(pool_id: &str) -> String {
    format!("pool/{pool_id}")
}

/// What the scope of one former guest begins with.
pub const GUEST: &str = "guest/";
/// What the scope of a pool's guests begins with.
pub const GUESTS: &str = "guests/";
/// What the key of a change begins with that is about an identity's hold.
pub const HOLD: &str = "hold/";
/// How long a former guest's sessions may still run: the longest session there is (GetSessionToken: 36 hours).
pub const SESSION_MAX: std::time::Duration = std::time::Duration::from_secs(36 * 3600);

/// Keeps revocations. Whatever is written is noted in the change log in the same transaction.
///
/// The first login of a guest and a merge end the guest's sessions in the very transaction that writes them
/// ([`super::identity::IdentityStore`]).
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// Every record.
    async fn revocations(&self) -> Result<Vec<RevocationRecord>, StoreError>;

    /// The record of a scope.
    async fn revocation(&self, scope: &str) -> Result<Option<RevocationRecord>, StoreError>;

    /// Writes these, each in place of the one of its scope. With `hold`, the identity is held from the first one's moment
    /// on, and disabled if it is a guest.
    async fn revoke(&self, records: &[RevocationRecord], hold: Option<&str>) -> Result<(), StoreError>;

    /// The ids of at most `limit` identities on hold.
    async fn held(&self, limit: u32) -> Result<Vec<String>, StoreError>;

    /// What an identity is held by.
    async fn hold(&self, identity_id: &str) -> Result<Option<IdentityHold>, StoreError>;

    /// Has the id of a guest open again what it did; false if there is no such identity.
    async fn restore(
        &self,
        account: AccountId,
        identity_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Leaves at most `keep` records of former guests: those that end first are put together, a pool's into one record for
    /// all its guests. Says how many were put together.
    async fn fold_guests(&self, keep: u32, now: Timestamp) -> Result<u64, StoreError>;

    /// Removes at most `limit` records that have ended or whose pool is gone.
    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
