//! What is kept of identity pools: pools, identities and their logins, and the keys that sign open-id tokens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::base::{AccountId, Timestamp};

/// An identity pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolRecord {
    /// `region:uuid`.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// Its name, which need not be unique.
    pub name: String,
    /// How it is set.
    pub settings: PoolSettings,
    /// The roles its identities get.
    pub roles: PoolRoles,
    /// When it was made.
    pub created: Timestamp,
}

/// How a pool is set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolSettings {
    /// Whether there are guests.
    pub allow_guests: bool,
    /// `AllowClassicFlow`, as it was given.
    pub allow_classic_flow: Option<bool>,
    /// ARNs of the OpenID Connect providers whose logins the pool takes.
    pub oidc_providers: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The roles of a pool's identities.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolRoles {
    /// ARN of the role of identities with a login.
    pub authenticated: Option<String>,
    /// ARN of the role of guests.
    pub unauthenticated: Option<String>,
}

/// Somebody at a provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Login {
    /// The issuer's URL without its scheme.
    pub provider: String,
    /// `sub` of its tokens.
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
    /// When its first login was linked; `None` for a guest.
    pub signed_in: Option<Timestamp>,
    /// Counts its changes.
    pub revision: i64,
    /// Its logins.
    pub logins: Vec<Login>,
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
/// memory, so theirs are not.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Every pool.
    async fn pools(&self) -> Result<Vec<PoolRecord>, StoreError>;

    /// One pool.
    async fn pool(&self, id: &str) -> Result<Option<PoolRecord>, StoreError>;

    /// Adds a pool.
    async fn add_pool(&self, pool: &PoolRecord) -> Result<(), StoreError>;

    /// Replaces a pool's roles; false if there is no such pool.
    async fn set_pool_roles(
        &self,
        account: AccountId,
        id: &str,
        roles: &PoolRoles,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deletes a pool; false if there is none. Its identities are dead from then on; [`Self::sweep`] removes their rows.
    async fn delete_pool(&self, account: AccountId, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Removes at most `limit` identities whose pool is gone, and says how many there were.
    async fn sweep(&self, limit: u32) -> Result<u64, StoreError>;

    /// One identity with its logins.
    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError>;

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
