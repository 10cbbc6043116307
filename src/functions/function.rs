//! A function as it is held in memory, ready to be run.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration};

use super::{
    environment::{self, Variables},
    name::{LATEST, arn, is_alias},
};
use crate::{
    base::{
        AccountId, KeyRing, Region,
        egress::{EGRESS_TAG, Egress},
    },
    policy::{Document, Kind},
    store::{
        StoreError,
        functions::{FunctionRecord, Stage},
    },
};

/// The tag that says what a caller's leaving means; it is absent, or [`CANCEL`].
pub(super) const ON_DISCONNECT_TAG: &str = "callgate:on-disconnect";
/// It asks the function to stop.
pub(super) const CANCEL: &str = "cancel";

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
    /// `$LATEST`, or the number of a published version.
    pub version: Arc<str>,
    /// What tells its sandboxes from those of other functions and versions of the account.
    pub pool: Arc<str>,
    /// Sandboxes of another generation are not for this function any more.
    pub generation: Arc<str>,
    /// Where it may connect to, as its tag says; `None` for what the gateway's configuration says.
    pub egress: Option<Egress>,
    /// Whether a caller's leaving asks it to stop, as its tag says.
    pub leaving_cancels: bool,
    /// Its tags.
    pub tags: Arc<BTreeMap<String, String>>,
    /// Where it logs.
    pub log_group: Arc<str>,
    /// How far the last change has come.
    pub ready: Stage,
    /// Its resource policy.
    pub policy: Option<Arc<Document>>,
    /// Its versions and aliases; empty for a version.
    pub published: Arc<Published>,
    /// What is stored, for the answers of the API.
    pub record: FunctionRecord,
}

/// What is published of a function.
#[derive(Debug, Default)]
pub struct Published {
    /// The versions by their numbers.
    pub versions: BTreeMap<u32, Arc<Function>>,
    /// The resource policies of aliases by their names; the aliases themselves stand in the function's record.
    pub alias_policies: BTreeMap<String, Arc<Document>>,
}

impl Function {
    /// Opens a record.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] if its environment does not open, or a policy does not compile: to serve without it could
    /// be to serve without a Deny.
    pub(crate) fn open(
        record: FunctionRecord,
        versions: BTreeMap<u32, Arc<Self>>,
        package_dir: &Path,
        region: &Region,
        keys: &KeyRing,
    ) -> Result<Self, StoreError> {
        let compile = |text: &String| {
            Document::parse(text, Kind::Resource).map(Arc::new).map_err(|error| StoreError::Unreadable {
                what: format!("a policy of function {}/{}", record.account, record.name),
                why: error.to_string(),
            })
        };
        let policy = record.policy.as_ref().map(compile).transpose()?;
        let mut alias_policies = BTreeMap::new();
        for (name, alias) in &record.aliases {
            if let Some(text) = &alias.policy {
                alias_policies.insert(name.clone(), compile(text)?);
            }
        }
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
            version: match record.version {
                0 => LATEST.into(),
                number => number.to_string().into(),
            },
            pool: match record.version {
                0 => record.name.as_str().into(),
                number => format!("{}:{number}", record.name).into(),
            },
            generation: match record.tags.get(EGRESS_TAG) {
                // A version's sandboxes too go when the function's tag changes, and its generation does not.
                Some(egress) if record.version > 0 => format!("{} {egress}", record.generation).into(),
                _ => record.generation.as_str().into(),
            },
            // Tags are checked before they are stored. One that means nothing all the same opens nothing.
            egress: record.tags.get(EGRESS_TAG).map(|text| text.parse().unwrap_or(Egress::Nothing)),
            leaving_cancels: record.tags.contains_key(ON_DISCONNECT_TAG),
            tags: Arc::new(record.tags.clone()),
            log_group: configuration.logging.group.as_str().into(),
            ready: record.stage,
            policy,
            published: Arc::new(Published { versions, alias_policies }),
            record,
        })
    }

    /// The function in the version that a qualifier names; `None` if there is none.
    pub fn qualified(self: &Arc<Self>, qualifier: Option<&str>) -> Option<Arc<Self>> {
        match qualifier {
            None | Some(LATEST) => Some(self.clone()),
            Some(name) => match name.parse::<u32>() {
                Ok(number) if !is_alias(name) => self.published.versions.get(&number).cloned(),
                _ => match self.record.aliases.get(name)?.version {
                    0 => Some(self.clone()),
                    number => self.published.versions.get(&number).cloned(),
                },
            },
        }
    }

    /// The resource policy of the function, version or alias that a qualifier names: each has its own.
    pub fn policy_of(&self, qualifier: Option<&str>) -> Option<&Arc<Document>> {
        match qualifier {
            None | Some(LATEST) => self.policy.as_ref(),
            Some(name) => match name.parse::<u32>() {
                Ok(number) if !is_alias(name) => self.published.versions.get(&number)?.policy.as_ref(),
                _ => self.published.alias_policies.get(name),
            },
        }
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
    pub version: Arc<str>,
}

impl From<Arc<Function>> for Target {
    fn from(function: Arc<Function>) -> Self {
        let version = function.version.clone();
        Self { function, version }
    }
}
