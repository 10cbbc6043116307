//! What is kept of accounts, access keys, roles, users, managed policies and OpenID Connect providers, and the traits of
//! those who keep it.

mod policies;
mod session_policies;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::StoreError;
use crate::base::{AccountId, Timestamp};

pub use policies::{PolicyRecord, PolicyStore, PolicyVersionRecord};
pub use session_policies::SessionPolicyStore;
pub use users::{UserRecord, UserStore};

/// An access key of an account's root or of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessKeyRecord {
    /// `AKIA…`, or what the operator chose.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The user's name; `None` for the root's.
    pub user: Option<String>,
    /// The secret, sealed with the id as associated data.
    pub sealed_secret: Vec<u8>,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// A role with its inline policies and tags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleRecord {
    /// Whose it is.
    pub account: AccountId,
    /// Its name; unique in its account whatever the case of its letters.
    pub name: String,
    /// `AROA…`: never used again, also if the name is.
    pub id: String,
    /// `/`, or `/a/b/`.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// The trust policy, as it was put.
    pub trust: String,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// When it was made.
    pub created: Timestamp,
    /// Its inline policies, as they were put, by name.
    pub policies: BTreeMap<String, String>,
    /// The names of the managed policies attached to it.
    pub attached: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// How often it was written: what a writer expects to replace.
    pub revision: i64,
}

/// An OpenID Connect provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OidcProviderRecord {
    /// Whose it is.
    pub account: AccountId,
    /// The issuer's URL without its scheme, as ARNs and logins name it.
    pub name: String,
    /// The issuer's URL.
    pub issuer: String,
    /// The client ids whose tokens are taken.
    pub client_ids: Vec<String>,
    /// Fingerprints of certificates; kept and answered, and not used.
    pub thumbprints: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// How often it was written: what a writer expects to replace.
    pub revision: i64,
}

/// What is read at start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IamRecords {
    /// Every account.
    pub accounts: Vec<AccountId>,
    /// Every access key.
    pub access_keys: Vec<AccessKeyRecord>,
    /// Every managed policy.
    pub policies: Vec<PolicyRecord>,
    /// Every user.
    pub users: Vec<UserRecord>,
    /// Every role.
    pub roles: Vec<RoleRecord>,
    /// Every provider.
    pub oidc_providers: Vec<OidcProviderRecord>,
}

/// Keeps them. Whatever is written is noted in the change log in the same transaction.
#[async_trait]
pub trait IamStore: UserStore + PolicyStore + Send + Sync {
    /// Everything.
    async fn all(&self) -> Result<IamRecords, StoreError>;

    /// Whether there is such an account.
    async fn has_account(&self, account: AccountId) -> Result<bool, StoreError>;

    /// The access keys of an account's root.
    async fn access_keys(&self, account: AccountId) -> Result<Vec<AccessKeyRecord>, StoreError>;

    /// A role.
    async fn role(&self, account: AccountId, name: &str) -> Result<Option<RoleRecord>, StoreError>;

    /// A provider.
    async fn oidc_provider(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<OidcProviderRecord>, StoreError>;

    /// Makes the key's account with this as its only key. `false` if there is such an account or key, and nothing is
    /// written then.
    async fn create_account(&self, key: &AccessKeyRecord) -> Result<bool, StoreError>;

    /// Makes this the only key of its account's root; the account is made if need be. `false` if somebody else has a key
    /// of that id, and nothing is written then.
    async fn replace_access_keys(&self, key: &AccessKeyRecord) -> Result<bool, StoreError>;

    /// Writes a role with its revision. Revision 1 makes it, if its account has none of that name whatever the case; a
    /// higher one replaces the one before. `false` if that is not what is there, or a policy attached to it is not.
    async fn put_role(&self, role: &RoleRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the role of this revision. `false` if that is not what is there.
    async fn delete_role(&self, role: &RoleRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// As [`Self::put_role`].
    async fn put_oidc_provider(
        &self,
        provider: &OidcProviderRecord,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// As [`Self::delete_role`].
    async fn delete_oidc_provider(
        &self,
        provider: &OidcProviderRecord,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
