//! What is kept of identity pools: pools, identities and their logins, and the keys that sign open-id tokens.

mod pool;

use async_trait::async_trait;

pub use pool::{
    Ambiguous, Chosen, MappingRule, MatchType, PoolRecord, PoolRoles, PoolSettings, RoleMapping, TagMap,
    UserPoolClient,
};

use super::StoreError;
use crate::base::{AccountId, Timestamp};

/// Somebody at a provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Login {
    /// The issuer's URL without its scheme, or the pool's own name for its developer's users.
    pub provider: String,
    /// `sub` of its tokens, or the developer's identifier of the user.
    pub subject: String,
}

/// An identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityRecord {
    /// `region:uuid`.
    pub id: String,
    /// Its pool, which may be deleted already.
    pub pool_id: String,
    /// When it was made.
    pub born: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// When it last spoke for itself as a guest, to the day: [`IdentityStore::touch`].
    pub used: Timestamp,
    /// When its first login was linked; `None` for a guest.
    pub signed_in: Option<Timestamp>,
    /// The identity that it was merged into, and when.
    pub merged: Option<Merged>,
    /// Counts its changes.
    pub revision: i64,
    /// Its logins.
    pub logins: Vec<Login>,
}

/// What became of an identity that was merged into another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// The other's id.
    pub into: String,
    /// When.
    pub at: Timestamp,
}

impl IdentityRecord {
    /// Whether it never had a login and is still itself.
    pub fn is_guest(&self) -> bool {
        self.signed_in.is_none() && self.merged.is_none()
    }

    /// Whether nothing opens it by itself: it was merged into another, or its last login was unlinked.
    pub fn is_disabled(&self) -> bool {
        self.merged.is_some() || (self.signed_in.is_some() && self.logins.is_empty())
    }
}

/// Whether a write found what its writer had seen before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Written {
    /// It did, and is done.
    Done,
    /// Somebody else was quicker: read again. Nothing was written.
    Lost,
}

/// A key that signs open-id tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenIdKeyRecord {
    /// Its key id.
    pub id: String,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
}

/// Keeps pools, identities and signing keys. Changes of pools are noted in the change log; identities are not held in
/// memory, so theirs are not. Every write is one transaction: all of it is kept, or nothing.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Every pool.
    async fn pools(&self) -> Result<Vec<PoolRecord>, StoreError>;

    /// One pool.
    async fn pool(&self, id: &str) -> Result<Option<PoolRecord>, StoreError>;

    /// Adds a pool.
    async fn add_pool(&self, pool: &PoolRecord) -> Result<(), StoreError>;

    /// Writes a pool in place of the one whose revision it has. Lost if that has changed since, or is gone.
    async fn replace_pool(&self, pool: &PoolRecord, now: Timestamp) -> Result<Written, StoreError>;

    /// Deletes a pool; false if there is none. Its identities are dead from then on; [`Self::sweep`] removes their rows.
    async fn delete_pool(&self, account: AccountId, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Removes at most `limit` identities whose pool is gone, and says how many there were.
    async fn sweep(&self, limit: u32) -> Result<u64, StoreError>;

    /// Removes at most `limit` identities that were merged into one that is gone, and says how many there were. It looks at
    /// all that were ever merged.
    async fn sweep_merged(&self, limit: u32) -> Result<u64, StoreError>;

    /// Notes that a guest speaks for itself now; lost if it is gone, or no guest any more.
    async fn touch(&self, guest: &str, now: Timestamp) -> Result<Written, StoreError>;

    /// Removes at most `limit` guests that were last noted before this moment, and says how many there were.
    async fn sweep_guests(&self, used_before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// One identity with its logins.
    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError>;

    /// At most `limit` identities of a pool whose ids come after `after`, in order.
    async fn identities(
        &self,
        pool_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<IdentityRecord>, StoreError>;

    /// The ids that were merged into this identity since then, the latest first, at most `limit`.
    async fn merged_into(&self, id: &str, since: Timestamp, limit: u32) -> Result<Vec<String>, StoreError>;

    /// For each login the identity in this pool that has it.
    async fn owners(&self, pool_id: &str, logins: &[Login]) -> Result<Vec<Option<String>>, StoreError>;

    /// Adds an identity with these logins, or none. Lost if a login has got an identity, or the pool is gone.
    async fn add_identity(
        &self,
        pool_id: &str,
        id: &str,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Adds logins to an identity as it was seen. Lost if it has changed since, or a login has got an identity.
    async fn link(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Takes logins from an identity as it was seen. Lost if it has changed since.
    async fn unlink(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Merges an identity as it was seen into another as it was seen, which gets the logins of the first and these new ones.
    /// Lost if either has changed since, or a new login has got an identity.
    async fn merge(
        &self,
        from: &IdentityRecord,
        into: &IdentityRecord,
        new: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Deletes an identity, and what was merged into it; false if there is none.
    async fn delete_identity(&self, id: &str) -> Result<bool, StoreError>;

    /// The keys that sign open-id tokens, newest first.
    async fn open_id_keys(&self) -> Result<Vec<OpenIdKeyRecord>, StoreError>;

    /// Adds a key after the one that its maker saw as the newest; lost if another is.
    async fn add_open_id_key(
        &self,
        key: &OpenIdKeyRecord,
        newest: Option<&str>,
    ) -> Result<Written, StoreError>;

    /// Removes a key.
    async fn remove_open_id_key(&self, id: &str) -> Result<(), StoreError>;
}
