//! Roles and providers as they are held in memory.

use std::{collections::BTreeMap, sync::Arc};

use super::compile::{Attached, CompileError, documents};
use crate::{
    base::AccountId,
    policy::{Document, Keys, Kind, Request, Requester, decide},
    store::iam::{OidcProviderRecord, RoleRecord},
};

/// A role, with its policies compiled.
#[derive(Debug)]
pub struct Role {
    /// `arn:aws:iam::<account>:role<path><name>`
    pub arn: String,
    /// Whom it trusts.
    pub trust: Arc<Document>,
    /// What it may do: its inline policies and those attached to it.
    pub policies: Vec<Arc<Document>>,
    /// Its tags, for conditions.
    pub tags: Arc<BTreeMap<String, String>>,
    /// What is kept of it.
    pub record: RoleRecord,
}

impl Role {
    /// Compiles what is kept. Everything in a record was compiled before it was put there, so an error here means that
    /// the record was written by another version, or by someone else.
    pub(super) fn compile(record: RoleRecord, attached: Attached<'_>) -> Result<Self, CompileError> {
        Ok(Self {
            arn: arn(record.account, &record.path, &record.name),
            trust: Arc::new(Document::parse(&record.trust, Kind::Trust)?),
            policies: documents(&record.policies, &record.attached, attached)?,
            tags: Arc::new(record.tags.clone()),
            record,
        })
    }

    /// Its name, without its path.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// `AROA…`
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Whether its trust policy lets `requester` do `action`, for example `sts:AssumeRole`.
    pub fn trusts(&self, action: &str, requester: Requester<'_>, keys: &dyn Keys) -> bool {
        let request = Request::to_assume(action, &self.arn, requester, keys);
        decide(&request, [&*self.trust]).is_allow()
    }
}

/// The ARN of a role.
pub fn arn(account: AccountId, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}

/// An OpenID Connect provider.
#[derive(Debug)]
pub struct OidcProvider {
    /// `arn:aws:iam::<account>:oidc-provider/<name>`
    pub arn: String,
    /// Its tags, for conditions.
    pub tags: Arc<BTreeMap<String, String>>,
    /// What is kept of it.
    pub record: OidcProviderRecord,
}

impl From<OidcProviderRecord> for OidcProvider {
    fn from(record: OidcProviderRecord) -> Self {
        Self {
            arn: oidc_provider_arn(record.account, &record.name),
            tags: Arc::new(record.tags.clone()),
            record,
        }
    }
}

/// The ARN of a provider; `name` is its URL without scheme.
pub fn oidc_provider_arn(account: AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{name}")
}
