//! What is kept of a function, and the trait of those who keep it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{StoreError, artifacts::PackageHash};
use crate::base::{AccountId, Timestamp};

/// A function as it is stored: the function itself, which is version 0, or one of its published versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionRecord {
    /// Whose it is.
    pub account: AccountId,
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// 0 for the function itself (`$LATEST`).
    pub version: u32,
    /// The `RevisionId`, a UUID; every write draws a new one, but for writes of aliases, which have their own.
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
    /// Its tags. A version has those that the function had when it was published; the function's count.
    pub tags: BTreeMap<String, String>,
    /// The number of the version published last, 0 for none. Of the function itself only.
    pub published: u32,
    /// Whether nothing has changed since then. Of the function itself only.
    pub is_published: bool,
    /// Its resource policy, as it was put.
    pub policy: Option<String>,
    /// Its aliases by name. Of the function itself only.
    pub aliases: BTreeMap<String, AliasRecord>,
}

/// A name for a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AliasRecord {
    /// The version, 0 for `$LATEST`.
    pub version: u32,
    /// At most 256 characters.
    pub description: String,
    /// The `RevisionId`, a UUID; every write of the alias draws a new one.
    pub revision: String,
    /// Its resource policy, as it was put.
    pub policy: Option<String>,
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
    /// Every function and version of every account, in order of account, name and version.
    async fn all(&self) -> Result<Vec<FunctionRecord>, StoreError>;

    /// One function and its versions, in order; empty if there is no such function.
    async fn get(&self, account: AccountId, name: &str) -> Result<Vec<FunctionRecord>, StoreError>;

    /// Writes functions and versions, each with the revision it replaces, and notes the changes, in one transaction.
    /// Without a revision there must be no such function or version. Says whether all were written; if not, none was.
    async fn put_all(
        &self,
        records: &[(&FunctionRecord, Option<&str>)],
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Writes one of them.
    async fn put(
        &self,
        record: &FunctionRecord,
        replaces: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.put_all(&[(record, replaces)], at).await
    }

    /// Deletes a function with its versions and notes the change, in one transaction. Says whether there was one.
    async fn delete(&self, account: AccountId, name: &str, at: Timestamp) -> Result<bool, StoreError>;

    /// Deletes a version and notes the change, in one transaction. Says whether there was one.
    async fn delete_version(
        &self,
        account: AccountId,
        name: &str,
        version: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
