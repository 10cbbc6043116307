//! The change log: how memory, on this node and on others, learns what was written.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::StoreError;
use crate::base::AccountId;

/// What a change is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An account or one of its access keys.
    Account,
    /// A function: key is its name.
    Function,
    /// A role: key is its name.
    Role,
    /// A user or one of its access keys: key is the user's name.
    User,
    /// A managed policy: key is its name.
    Policy,
    /// An OpenID Connect provider: key is its URL without scheme.
    OidcProvider,
    /// An identity pool: key is its id.
    Pool,
    /// A limit: key is the name of the function or the id of the pool that it is for, empty for the account's own.
    Limit,
    /// A revocation: key is its scope; or an identity's hold, with its id.
    Revocation,
}

impl Kind {
    /// The word the change log keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Function => "function",
            Self::Role => "role",
            Self::User => "user",
            Self::Policy => "managed-policy",
            Self::OidcProvider => "oidc-provider",
            Self::Pool => "pool",
            Self::Limit => "limit",
            Self::Revocation => "revocation",
        }
    }

    /// The kind a word means; `None` for a word of a newer version.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Account,
            Self::Function,
            Self::Role,
            Self::User,
            Self::Policy,
            Self::OidcProvider,
            Self::Pool,
            Self::Limit,
            Self::Revocation,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// One row of the change log: something of this kind and key was written or deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The row's number; later changes have higher ones.
    pub seq: i64,
    /// What it is about.
    pub kind: Kind,
    /// Whose it is.
    pub account: AccountId,
    /// Which one.
    pub key: String,
}

/// The log of changes.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// The number of the newest change; 0 when there is none.
    async fn newest(&self) -> Result<i64, StoreError>;

    /// At most `limit` changes after `seq`, oldest first.
    async fn since(&self, seq: i64, limit: u32) -> Result<Vec<Change>, StoreError>;
}

/// Someone who holds stored state in memory.
#[async_trait]
pub trait Follower: Send + Sync {
    /// Reads everything anew, at start.
    async fn load(&self) -> Result<(), StoreError>;

    /// Re-reads what these changes are about. Changes of kinds the follower does not hold are passed over.
    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError>;
}

/// Brings followers up to date.
pub struct Feed {
    log: Arc<dyn ChangeLog>,
    followers: OnceLock<Vec<Arc<dyn Follower>>>,
    seen: Mutex<i64>,
}

impl Feed {
    /// A feed that nobody follows yet.
    pub fn new(log: Arc<dyn ChangeLog>) -> Arc<Self> {
        Arc::new(Self { log, followers: OnceLock::new(), seen: Mutex::new(0) })
    }

    /// Names the followers, once, and has them load.
    pub async fn start(&self, followers: Vec<Arc<dyn Follower>>) -> Result<(), StoreError> {
        let mut seen = self.seen.lock().await;
        // Taken before the load: a change made meanwhile is then applied once more, which does no harm.
        let newest = self.log.newest().await?;
        let followers = self.followers.get_or_init(|| followers);
        for follower in followers {
            follower.load().await?;
        }
        *seen = newest;
        Ok(())
    }

    /// Applies every change committed before this call. A writer calls it after its commit and before its answer.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        const BATCH: u32 = 512;
        let mut seen = self.seen.lock().await;
        loop {
            let changes = self.log.since(*seen, BATCH).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            for follower in self.followers.get().into_iter().flatten() {
                follower.apply(&changes).await?;
            }
            *seen = last.seq;
            if changes.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}
