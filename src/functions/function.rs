//! A function as it is held in memory, ready to be run.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration};

use super::{
    environment::{self, Variables},
    name::{LATEST, arn},
};
use crate::{
    base::{
        AccountId, KeyRing, Region,
        egress::{EGRESS_TAG, Egress},
    },
    store::{
        StoreError,
        functions::{FunctionRecord, Stage},
    },
};

/// A deployed function. It is never changed: a change makes another one in its place.
///
/// A function that is still [`Stage::Creating`] or [`Stage::Updating`] can be run: its package is on the disk before its
/// record is written, and the generation stays when the stage ends.
pub struct Function {
    /// Whose it is.
    pub account: AccountId,
    /// Its name.
    pub name: Arc<str>,
    /// Its ARN, without a version.
    pub arn: Arc<str>,
    /// The execution role's ARN.
    pub role_arn: Arc<str>,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// The size of `/tmp` in MiB.
    pub tmp_mb: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// `nodejs` or `nodejs<n>.x`.
    pub runtime: Arc<str>,
    /// `file.export`.
    pub handler: Arc<str>,
    /// Its own environment variables, opened; empty where none were ever given.
    pub environment: Arc<Variables>,
    /// Where its package lies unpacked.
    pub package_dir: Arc<Path>,
    /// Sandboxes of another generation are not for this function any more.
    pub generation: Arc<str>,
    /// Where it may connect to, as its tag says; `None` for what the gateway's configuration says.
    pub egress: Option<Egress>,
    /// Its tags.
    pub tags: Arc<BTreeMap<String, String>>,
    /// Where it logs.
    pub log_group: Arc<str>,
    /// How far the last change has come.
    pub ready: Stage,
    /// What is stored, for the answers of the API.
    pub record: FunctionRecord,
}

impl Function {
    /// Opens a record.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] if its environment does not open.
    pub(crate) fn open(
        record: FunctionRecord,
        package_dir: &Path,
        region: &Region,
        keys: &KeyRing,
    ) -> Result<Self, StoreError> {
        let variables = match &record.environment {
            Some(sealed) => environment::open(keys, record.account, &record.name, sealed)?,
            None => Variables::new(),
        };
        let configuration = &record.configuration;
        Ok(Self {
            account: record.account,
            name: record.name.as_str().into(),
            arn: arn(region, record.account, &record.name).into(),
            role_arn: configuration.role_arn.as_str().into(),
            memory_mb: configuration.memory_mb,
            tmp_mb: configuration.tmp_mb,
            timeout: Duration::from_secs(configuration.timeout_seconds.into()),
            runtime: configuration.runtime.as_str().into(),
            handler: configuration.handler.as_str().into(),
            environment: Arc::new(variables),
            package_dir: package_dir.into(),
            generation: record.generation.as_str().into(),
            // Tags are checked before they are stored. One that means nothing all the same opens nothing.
            egress: record.tags.get(EGRESS_TAG).map(|text| text.parse().unwrap_or(Egress::Nothing)),
            tags: Arc::new(record.tags.clone()),
            log_group: configuration.logging.group.as_str().into(),
            ready: record.stage,
            record,
        })
    }

    /// Whether an environment was ever given, be it an empty one.
    pub fn has_environment(&self) -> bool {
        self.record.environment.is_some()
    }
}

impl fmt::Debug for Function {
    /// Shows which function it is, and nothing of its environment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("arn", &self.arn)
            .field("generation", &self.generation)
            .field("ready", &self.ready)
            .finish_non_exhaustive()
    }
}

/// What an invocation runs: a function that exists, in a version that exists.
#[derive(Clone, Debug)]
pub struct Target {
    /// The function.
    pub function: Arc<Function>,
    /// The version that runs.
    pub version: &'static str,
}

impl Target {
    /// The version that is not published.
    pub(crate) fn latest(function: Arc<Function>) -> Self {
        Self { function, version: LATEST }
    }
}
