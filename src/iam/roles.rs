//! Making and changing roles.

use std::{collections::BTreeMap, sync::Arc};

use super::{Directory, IamError, ROLE_PREFIX, Result, Role, draw_id};
use crate::{
    base::AccountId,
    policy::{Document, Kind},
    store::iam::RoleRecord,
};

/// How many roles an account has at most (IAM's quota).
pub const ROLES_MAX: usize = 1000;
/// How many tags a role or provider has at most (IAM's quota).
pub const TAGS_MAX: usize = 50;
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
        check_policy(&new.trust, Kind::Trust, &new.name)?;
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
        if !role.record.policies.is_empty() {
            return Err(IamError::DeleteConflict(
                "Cannot delete entity, must delete policies first.".to_owned(),
            ));
        }
        if !self.parts.store.delete_role(&role.record, self.now()).await? {
            return Err(IamError::ConcurrentModification(format!("Role {name}")));
        }
        Ok(self.catch_up().await?)
    }

    /// Replaces the trust policy.
    pub async fn set_trust(&self, account: AccountId, name: &str, trust: String) -> Result<()> {
        check_policy(&trust, Kind::Trust, name)?;
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
        let size = check_policy(&text, Kind::Identity, name)?;
        self.change_role(account, name, |record| {
            let others = record.policies.iter().filter(|(other, _)| *other != policy);
            let sizes = others.map(|(_, text)| check_policy(text, Kind::Identity, name));
            let sum = sizes.sum::<Result<usize>>()?;
            if sum + size > Kind::Identity.size_max() {
                return Err(IamError::policy_too_long(Kind::Identity, name));
            }
            record.policies.insert(policy.to_owned(), text);
            Ok(())
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

    /// Sets tags. A key in another case is the same key, as it is now written.
    pub async fn tag_role(
        &self,
        account: AccountId,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_role(account, name, |record| {
            record.tags.retain(|known, _| !tags.keys().any(|key| key.eq_ignore_ascii_case(known)));
            record.tags.extend(tags);
            check_tags(&record.tags, "Role")
        })
        .await
    }

    /// Takes tags away; those that are not there are passed over.
    pub async fn untag_role(&self, account: AccountId, name: &str, keys: &[String]) -> Result<()> {
        self.change_role(account, name, |record| {
            record.tags.retain(|known, _| !keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
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

/// Compiles a policy to see whether it is one, and how much of the role's room it takes.
fn check_policy(text: &str, kind: Kind, role: &str) -> Result<usize> {
    // What AWS answers for a text that is not even JSON; the parser's own word would name a position.
    if text.len() <= crate::policy::TEXT_BYTES_MAX
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()
    {
        return Err(IamError::MalformedPolicyDocument("This policy contains invalid Json".to_owned()));
    }
    let document = Document::parse(text, kind).map_err(|error| IamError::of_policy(&error, kind, role))?;
    Ok(document.size())
}

/// That there are not too many tags on one thing.
pub(super) fn check_tags(tags: &BTreeMap<String, String>, what: &str) -> Result<()> {
    if tags.len() > TAGS_MAX {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for TagsPer{what}: {TAGS_MAX}")));
    }
    Ok(())
}

/// There is no role of this name.
pub fn no_such_role(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role with name {name} cannot be found."))
}

/// The role has no inline policy of this name.
pub fn no_such_policy(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role policy with name {name} cannot be found."))
}
