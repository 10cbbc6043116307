//! Users and their access keys.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{super::StoreError, AccessKeyRecord};
use crate::base::{AccountId, Timestamp};

/// A user with its inline policies and tags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRecord {
    /// Whose it is.
    pub account: AccountId,
    /// Its name; unique in its account whatever the case of its letters.
    pub name: String,
    /// `AIDA…`: never used again, also if the name is.
    pub id: String,
    /// `/`, or `/a/b/`.
    pub path: String,
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

/// Keeps users and their keys. Whatever is written is noted in the change log as a change of the user.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// A user.
    async fn user(&self, account: AccountId, name: &str) -> Result<Option<UserRecord>, StoreError>;

    /// As [`super::IamStore::put_role`].
    async fn put_user(&self, user: &UserRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the user of this revision. `false` if that is not what is there, or if it still has keys.
    async fn delete_user(&self, user: &UserRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// A user's access keys, oldest first.
    async fn user_keys(&self, account: AccountId, user: &str) -> Result<Vec<AccessKeyRecord>, StoreError>;

    /// Adds a key to the user it names. `false` if there is no such user, or already such a key.
    async fn add_user_key(&self, key: &AccessKeyRecord) -> Result<bool, StoreError>;

    /// Switches a user's key on or off. `false` if there is none.
    async fn set_user_key(
        &self,
        account: AccountId,
        user: &str,
        id: &str,
        active: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deletes a user's key. `false` if there is none.
    async fn delete_user_key(
        &self,
        account: AccountId,
        user: &str,
        id: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
