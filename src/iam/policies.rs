//! Making and changing managed policies.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Directory, IamError, ManagedPolicy, Result, Role, User, draw_id,
    permissions::{Room, check_policy, check_tags, tag, untag},
    user::policy_arn,
};
use crate::{
    base::AccountId,
    store::iam::{PolicyRecord, PolicyVersionRecord},
};

/// How many managed policies an account has at most (IAM's quota).
pub const POLICIES_MAX: usize = 1500;
/// How many versions a policy has at most (IAM's quota).
pub const VERSIONS_MAX: usize = 5;
/// What the ids of policies begin with, and how many letters follow.
const ID: (&str, usize) = ("ANPA", 17);

/// What a managed policy is made of.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// Its name.
    pub name: String,
    /// `/`, or `/a/b/`.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its first version's text.
    pub document: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Who has a policy attached.
#[derive(Debug)]
pub struct Entities {
    /// The roles, in the order of their names.
    pub roles: Vec<Arc<Role>>,
    /// The users, in the order of their names.
    pub users: Vec<Arc<User>>,
}

impl Directory {
    /// The policy of this ARN in the account, or that there is none.
    pub fn existing_policy(&self, account: AccountId, arn: &str) -> Result<Arc<ManagedPolicy>> {
        self.policy_by_arn(arn)
            .filter(|policy| policy.record.account == account)
            .ok_or_else(|| no_such_policy(arn))
    }

    /// The same, in the words for something that was to be attached.
    pub(super) fn attachable_policy(&self, account: AccountId, arn: &str) -> Result<Arc<ManagedPolicy>> {
        self.existing_policy(account, arn)
            .map_err(|_| IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable.")))
    }

    /// Who has the policy attached.
    pub fn entities_of(&self, policy: &ManagedPolicy) -> Entities {
        let (account, name) = (policy.record.account, policy.name());
        let roles = self.roles(account);
        let users = self.users(account);
        Entities {
            roles: roles.values().filter(|role| role.record.attached.contains(name)).cloned().collect(),
            users: users.values().filter(|user| user.record.attached.contains(name)).cloned().collect(),
        }
    }

    /// Makes a policy; the document is its version `v1`.
    pub async fn create_policy(&self, account: AccountId, new: NewPolicy) -> Result<Arc<ManagedPolicy>> {
        let exists = || {
            IamError::EntityAlreadyExists(format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                new.name
            ))
        };
        check_policy(&new.document, Room::Managed)?;
        check_tags(&new.tags, "Policy")?;
        let _writing = self.writing().await;
        let policies = self.policies(account);
        if policies.keys().any(|name| name.eq_ignore_ascii_case(&new.name)) {
            return Err(exists());
        }
        if policies.len() >= POLICIES_MAX {
            return Err(IamError::LimitExceeded(format!(
                "Cannot exceed quota for PoliciesPerAccount: {POLICIES_MAX}"
            )));
        }
        let created = self.now();
        let first = PolicyVersionRecord { document: new.document.clone(), created };
        let record = PolicyRecord {
            account,
            name: new.name.clone(),
            id: draw_id(ID.0, ID.1, self.parts.rng.as_ref()),
            path: new.path.clone(),
            description: new.description.clone(),
            created,
            updated: created,
            versions: [(1, first)].into(),
            default: 1,
            newest: 1,
            tags: new.tags.clone(),
            revision: 1,
        };
        if !self.parts.store.put_policy(&record, created).await? {
            return Err(exists());
        }
        self.catch_up().await?;
        self.existing_policy(account, &policy_arn(account, &record.path, &record.name))
    }

    /// Deletes a policy that has one version and is attached to nobody.
    pub async fn delete_policy(&self, account: AccountId, arn: &str) -> Result<()> {
        let _writing = self.writing().await;
        let policy = self.existing_policy(account, arn)?;
        let entities = self.entities_of(&policy);
        if !entities.roles.is_empty() || !entities.users.is_empty() {
            return Err(IamError::DeleteConflict("Cannot delete a policy attached to entities.".to_owned()));
        }
        if policy.record.versions.len() > 1 {
            return Err(IamError::DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy."
                    .to_owned(),
            ));
        }
        if !self.parts.store.delete_policy(&policy.record, self.now()).await? {
            return Err(IamError::ConcurrentModification(arn.to_owned()));
        }
        Ok(self.catch_up().await?)
    }

    /// Adds a version, and gives its number.
    pub async fn create_policy_version(
        &self,
        account: AccountId,
        arn: &str,
        document: String,
        as_default: bool,
    ) -> Result<u32> {
        check_policy(&document, Room::Managed)?;
        let now = self.now();
        self.change_policy(account, arn, |record| {
            if record.versions.len() >= VERSIONS_MAX {
                return Err(IamError::LimitExceeded(format!(
                    "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must \
                     delete an existing version."
                )));
            }
            record.newest += 1;
            record.versions.insert(record.newest, PolicyVersionRecord { document, created: now });
            record.updated = now;
            if as_default {
                record.default = record.newest;
            }
            Ok(record.newest)
        })
        .await
    }

    /// Deletes a version that is not the default.
    pub async fn delete_policy_version(&self, account: AccountId, arn: &str, version: u32) -> Result<()> {
        self.change_policy(account, arn, |record| {
            if record.default == version {
                return Err(IamError::DeleteConflict(
                    "Cannot delete the default version of a policy.".to_owned(),
                ));
            }
            record.versions.remove(&version).map(drop).ok_or_else(|| no_such_version(arn, version))
        })
        .await
    }

    /// Makes a version the one that counts, from the next call on.
    pub async fn set_default_policy_version(
        &self,
        account: AccountId,
        arn: &str,
        version: u32,
    ) -> Result<()> {
        let now = self.now();
        self.change_policy(account, arn, |record| {
            if !record.versions.contains_key(&version) {
                return Err(no_such_version(arn, version));
            }
            record.default = version;
            record.updated = now;
            Ok(())
        })
        .await
    }

    /// Sets tags.
    pub async fn tag_policy(
        &self,
        account: AccountId,
        arn: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_policy(account, arn, |record| tag(&mut record.tags, tags, "Policy")).await
    }

    /// Takes tags away; those that are not there are passed over.
    pub async fn untag_policy(&self, account: AccountId, arn: &str, keys: &[String]) -> Result<()> {
        self.change_policy(account, arn, |record| {
            untag(&mut record.tags, keys);
            Ok(())
        })
        .await
    }

    /// Reads, changes and writes a policy as one.
    async fn change_policy<T>(
        &self,
        account: AccountId,
        arn: &str,
        change: impl FnOnce(&mut PolicyRecord) -> Result<T>,
    ) -> Result<T> {
        let _writing = self.writing().await;
        let mut record = self.existing_policy(account, arn)?.record.clone();
        let changed = change(&mut record)?;
        record.revision += 1;
        if !self.parts.store.put_policy(&record, self.now()).await? {
            return Err(IamError::ConcurrentModification(arn.to_owned()));
        }
        self.catch_up().await?;
        Ok(changed)
    }
}

/// There is no policy of this ARN.
pub fn no_such_policy(arn: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} was not found."))
}

/// The policy has no such version.
pub fn no_such_version(arn: &str, version: u32) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} version v{version} does not exist or is not attachable."))
}
