//! What is kept of a function, and the trait of those who keep it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{StoreError, artifacts::PackageHash};
use crate::base::{AccountId, Timestamp};

/// A function as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionRecord {
    /// Whose it is.
    pub account: AccountId,
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// The `RevisionId`, a UUID; every write draws a new one.
    pub revision: String,
    /// Changes with whatever a running sandbox cannot take on: the code and nearly all of the configuration.
    pub generation: String,
    /// When its code or configuration was last changed by a caller.
    pub modified: Timestamp,
    /// How far the last change has come.
    pub stage: Stage,
    /// The hash of its package.
    pub code: PackageHash,
    /// The size of its package, zipped, in bytes.
    pub code_bytes: u64,
    /// What callers set, but for environment and tags.
    pub configuration: Configuration,
    /// Its environment variables as a JSON object, sealed; `None` where none were ever given.
    pub environment: Option<Vec<u8>>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// How far the last change of a function has come. AWS answers it as `State` and `LastUpdateStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// `Pending`.
    Creating,
    /// `Active`, last update `InProgress`.
    Updating,
    /// `Active`, last update `Successful`.
    Settled,
}

impl Stage {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Updating => "updating",
            Self::Settled => "settled",
        }
    }

    /// The stage a stored word means.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Creating, Self::Updating, Self::Settled].into_iter().find(|stage| stage.as_str() == word)
    }
}

/// A function's configuration, in the words of the Lambda API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// At most 256 characters.
    pub description: String,
    /// `nodejs` or `nodejs<n>.x`.
    pub runtime: String,
    /// `file.export`.
    pub handler: String,
    /// The execution role's ARN.
    pub role_arn: String,
    /// 1 to 900.
    pub timeout_seconds: u32,
    /// 128 to 10,240.
    pub memory_mb: u32,
    /// The size of `/tmp`, 512 to 10,240.
    pub tmp_mb: u32,
    /// `x86_64` or `arm64`, as declared.
    pub architecture: String,
    /// `PassThrough` or `Active`.
    pub tracing: String,
    /// How and where it logs.
    pub logging: Logging,
}

/// A function's `LoggingConfig`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logging {
    /// `Text` or `JSON`.
    pub format: String,
    /// With format `JSON` only.
    pub application_level: Option<String>,
    /// With format `JSON` only.
    pub system_level: Option<String>,
    /// The log group's name.
    pub group: String,
}

/// Keeps functions.
#[async_trait]
pub trait FunctionStore: Send + Sync {
    /// Every function of every account.
    async fn all(&self) -> Result<Vec<FunctionRecord>, StoreError>;

    /// One function.
    async fn get(&self, account: AccountId, name: &str) -> Result<Option<FunctionRecord>, StoreError>;

    /// Writes a function and notes the change, in one transaction. With `replaces`, only if the stored revision is that
    /// one; without, only if there is no function of that name. Says whether it was written.
    async fn put(
        &self,
        record: &FunctionRecord,
        replaces: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deletes a function and notes the change, in one transaction. Says whether there was one.
    async fn delete(&self, account: AccountId, name: &str, at: Timestamp) -> Result<bool, StoreError>;
}
