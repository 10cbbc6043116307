//! Users and managed policies as they are held in memory.

use std::{collections::BTreeMap, sync::Arc};

use super::compile::{Attached, CompileError, documents};
use crate::{
    base::{AccountId, Principal, Timestamp},
    policy::{Document, Kind},
    store::iam::{AccessKeyRecord, PolicyRecord, UserRecord},
};

/// A user, with its policies compiled.
#[derive(Debug)]
pub struct User {
    /// `arn:aws:iam::<account>:user<path><name>`
    pub arn: String,
    /// What it may do: its inline policies and those attached to it.
    pub policies: Vec<Arc<Document>>,
    /// Its tags, for conditions.
    pub tags: Arc<BTreeMap<String, String>>,
    /// Its access keys, oldest first.
    pub keys: Vec<UserKey>,
    /// What is kept of it.
    pub record: UserRecord,
}

/// A user's access key, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserKey {
    /// `AKIA…`
    pub id: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl User {
    /// As [`super::Role::compile`].
    pub(super) fn compile(
        record: UserRecord,
        keys: Vec<UserKey>,
        attached: Attached<'_>,
    ) -> Result<Self, CompileError> {
        Ok(Self {
            arn: user_arn(record.account, &record.path, &record.name),
            policies: documents(&record.policies, &record.attached, attached)?,
            tags: Arc::new(record.tags.clone()),
            keys,
            record,
        })
    }

    /// Its name, without its path.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// `AIDA…`
    pub fn id(&self) -> &str {
        &self.record.id
    }
}

/// As whom a user's keys act.
pub(super) fn principal(record: &UserRecord) -> Principal {
    Principal::User {
        name: record.name.as_str().into(),
        id: record.id.as_str().into(),
        path: record.path.as_str().into(),
    }
}

impl From<&AccessKeyRecord> for UserKey {
    fn from(record: &AccessKeyRecord) -> Self {
        Self { id: record.id.clone(), active: record.active, created: record.created }
    }
}

/// The ARN of a user.
pub fn user_arn(account: AccountId, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user{path}{name}")
}

/// A managed policy, with its default version compiled.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::<account>:policy<path><name>`
    pub arn: String,
    /// Its default version.
    pub document: Arc<Document>,
    /// Its tags, for conditions.
    pub tags: Arc<BTreeMap<String, String>>,
    /// What is kept of it.
    pub record: PolicyRecord,
}

impl ManagedPolicy {
    /// As [`super::Role::compile`].
    pub(super) fn compile(record: PolicyRecord) -> Result<Self, CompileError> {
        let version = record.versions.get(&record.default).ok_or(CompileError::NoDefault(record.default))?;
        Ok(Self {
            arn: policy_arn(record.account, &record.path, &record.name),
            document: Arc::new(Document::parse(&version.document, Kind::Identity)?),
            tags: Arc::new(record.tags.clone()),
            record,
        })
    }

    /// Its name, without its path.
    pub fn name(&self) -> &str {
        &self.record.name
    }
}

/// The ARN of a managed policy.
pub fn policy_arn(account: AccountId, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:policy{path}{name}")
}
