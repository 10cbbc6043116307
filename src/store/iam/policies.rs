//! Managed policies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::StoreError;
use crate::base::{AccountId, Timestamp};

/// A managed policy with its versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRecord {
    /// Whose it is.
    pub account: AccountId,
    /// Its name; unique in its account whatever the case of its letters.
    pub name: String,
    /// `ANPA…`: never used again, also if the name is.
    pub id: String,
    /// `/`, or `/a/b/`.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When a version was last made or made the default.
    pub updated: Timestamp,
    /// Its versions by their numbers: 1 for `v1`.
    pub versions: BTreeMap<u32, PolicyVersionRecord>,
    /// The number of the version that counts.
    pub default: u32,
    /// The highest number that a version ever had.
    pub newest: u32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// How often it was written: what a writer expects to replace.
    pub revision: i64,
}

/// A version of a managed policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyVersionRecord {
    /// The document, as it was put.
    pub document: String,
    /// When it was made, in milliseconds since the epoch.
    pub created: Timestamp,
}

/// Keeps managed policies. Whatever is written is noted in the change log in the same transaction.
#[async_trait]
pub trait PolicyStore: Send + Sync {
    /// A policy.
    async fn policy(&self, account: AccountId, name: &str) -> Result<Option<PolicyRecord>, StoreError>;

    /// As [`super::IamStore::put_role`].
    async fn put_policy(&self, policy: &PolicyRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the policy of this revision. `false` if that is not what is there, or if a role or user has it attached.
    async fn delete_policy(&self, policy: &PolicyRecord, at: Timestamp) -> Result<bool, StoreError>;
}
