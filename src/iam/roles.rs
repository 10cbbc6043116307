//! Making and changing roles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Directory, IamError, ROLE_PREFIX, Result, Role, draw_id,
    permissions::{Room, attach, check_policy, check_tags, put_inline, tag, untag},
};
use crate::{base::AccountId, store::iam::RoleRecord};

/// How many roles an account has at most (IAM's quota).
pub const ROLES_MAX: usize = 1000;
/// How many letters follow `AROA`.
const ID_LETTERS: usize = 17;

/// What a role is made of.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// `/`, or `/a/b/`.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// The trust policy's text.
    pub trust: String,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Directory {
    /// The role of this name, or that there is none.
    pub fn existing_role(&self, account: AccountId, name: &str) -> Result<Arc<Role>> {
        self.role(account, name).ok_or_else(|| no_such_role(name))
    }

    /// Makes a role.
    pub async fn create_role(&self, account: AccountId, new: NewRole) -> Result<Arc<Role>> {
        let exists = || IamError::EntityAlreadyExists(format!("Role with name {} already exists.", new.name));
        check_policy(&new.trust, Room::Trust)?;
        check_tags(&new.tags, "Role")?;
        let _writing = self.writing().await;
        let roles = self.roles(account);
        if roles.keys().any(|name| name.eq_ignore_ascii_case(&new.name)) {
            return Err(exists());
        }
        if roles.len() >= ROLES_MAX {
            return Err(IamError::LimitExceeded(format!(
                "Cannot exceed quota for RolesPerAccount: {ROLES_MAX}"
            )));
        }
        let record = RoleRecord {
            account,
            name: new.name.clone(),
            id: draw_id(ROLE_PREFIX, ID_LETTERS, self.parts.rng.as_ref()),
            path: new.path,
            description: new.description,
            trust: new.trust,
            max_session_seconds: new.max_session_seconds,
            created: self.now(),
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            tags: new.tags,
            revision: 1,
        };
        if !self.parts.store.put_role(&record, self.now()).await? {
            return Err(IamError::EntityAlreadyExists(format!(
                "Role with name {} already exists.",
                record.name
            )));
        }
        self.catch_up().await?;
        self.existing_role(account, &record.name)
    }

    /// Deletes a role that has no policies any more.
    pub async fn delete_role(&self, account: AccountId, name: &str) -> Result<()> {
        let _writing = self.writing().await;
        let role = self.existing_role(account, name)?;
        if !role.record.attached.is_empty() {
            return Err(IamError::must_first("detach all policies"));
        }
        if !role.record.policies.is_empty() {
            return Err(IamError::must_first("delete policies"));
        }
        if !self.parts.store.delete_role(&role.record, self.now()).await? {
            return Err(IamError::ConcurrentModification(format!("Role {name}")));
        }
        Ok(self.catch_up().await?)
    }

    /// Replaces the trust policy.
    pub async fn set_trust(&self, account: AccountId, name: &str, trust: String) -> Result<()> {
        check_policy(&trust, Room::Trust)?;
        self.change_role(account, name, |record| {
            record.trust = trust;
            Ok(())
        })
        .await
    }

    /// Changes description and longest session; `None` leaves what is there.
    pub async fn update_role(
        &self,
        account: AccountId,
        name: &str,
        description: Option<String>,
        max_session_seconds: Option<u32>,
    ) -> Result<()> {
        self.change_role(account, name, |record| {
            record.description = description.or(record.description.take());
            record.max_session_seconds = max_session_seconds.unwrap_or(record.max_session_seconds);
            Ok(())
        })
        .await
    }

    /// Puts an inline policy, in place of the one of its name.
    pub async fn put_role_policy(
        &self,
        account: AccountId,
        name: &str,
        policy: &str,
        text: String,
    ) -> Result<()> {
        self.change_role(account, name, |record| {
            put_inline(&mut record.policies, policy, text, Room::Role(name))
        })
        .await
    }

    /// Deletes an inline policy.
    pub async fn delete_role_policy(&self, account: AccountId, name: &str, policy: &str) -> Result<()> {
        self.change_role(account, name, |record| match record.policies.remove(policy) {
            Some(_) => Ok(()),
            None => Err(no_such_policy(policy)),
        })
        .await
    }

    /// Attaches a managed policy of the account.
    pub async fn attach_role_policy(&self, account: AccountId, name: &str, policy_arn: &str) -> Result<()> {
        let policy = self.attachable_policy(account, policy_arn)?;
        self.change_role(account, name, |record| attach(&mut record.attached, policy.name(), "Role")).await
    }

    /// Detaches a managed policy.
    pub async fn detach_role_policy(&self, account: AccountId, name: &str, policy_arn: &str) -> Result<()> {
        let policy = self.existing_policy(account, policy_arn)?;
        self.change_role(account, name, |record| match record.attached.remove(policy.name()) {
            true => Ok(()),
            false => Err(super::policies::no_such_policy(policy_arn)),
        })
        .await
    }

    /// Sets tags.
    pub async fn tag_role(
        &self,
        account: AccountId,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_role(account, name, |record| tag(&mut record.tags, tags, "Role")).await
    }

    /// Takes tags away; those that are not there are passed over.
    pub async fn untag_role(&self, account: AccountId, name: &str, keys: &[String]) -> Result<()> {
        self.change_role(account, name, |record| {
            untag(&mut record.tags, keys);
            Ok(())
        })
        .await
    }

    /// Reads, changes and writes a role as one.
    async fn change_role(
        &self,
        account: AccountId,
        name: &str,
        change: impl FnOnce(&mut RoleRecord) -> Result<()>,
    ) -> Result<()> {
        let _writing = self.writing().await;
        let mut record = self.existing_role(account, name)?.record.clone();
        change(&mut record)?;
        record.revision += 1;
        if !self.parts.store.put_role(&record, self.now()).await? {
            return Err(IamError::ConcurrentModification(format!("Role {name}")));
        }
        Ok(self.catch_up().await?)
    }
}

/// There is no role of this name.
pub fn no_such_role(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role with name {name} cannot be found."))
}

/// The role has no inline policy of this name.
pub fn no_such_policy(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role policy with name {name} cannot be found."))
}
