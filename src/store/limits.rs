//! What is kept of limits: those that single accounts, functions and pools have instead of the general ones.

use async_trait::async_trait;

use super::StoreError;
use crate::base::{AccountId, Timestamp};

/// What a limit is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LimitTarget {
    /// The account.
    Account,
    /// A function of it, by name.
    Function(String),
    /// An identity pool of it, by id.
    Pool(String),
}

/// How much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitValue {
    /// So many at a time.
    Concurrency(u32),
    /// So many in so many seconds, and so many at once.
    Rate {
        /// In each period.
        tokens: u32,
        /// The period.
        per_seconds: u32,
        /// At once, after a rest.
        burst: u32,
    },
}

/// A limit of one account, function or pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitRecord {
    /// Whose it is: the account itself, or the owner of the function or pool.
    pub account: AccountId,
    /// What it is for.
    pub target: LimitTarget,
    /// The limit's name.
    pub limit: String,
    /// How much.
    pub value: LimitValue,
}

/// Keeps limits. Whatever is written is noted in the change log in the same transaction. The limits of a function or pool go
/// with it.
#[async_trait]
pub trait LimitStore: Send + Sync {
    /// Every record.
    async fn limits(&self) -> Result<Vec<LimitRecord>, StoreError>;

    /// Writes a record in the place of the one of its target and name. False, and nothing is written, if there is no such
    /// function or pool in the account.
    async fn put_limit(&self, record: &LimitRecord, at: Timestamp) -> Result<bool, StoreError>;

    /// Removes a record; false if there is none.
    async fn delete_limit(
        &self,
        account: AccountId,
        target: &LimitTarget,
        limit: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
