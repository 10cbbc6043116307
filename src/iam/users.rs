//! Making and changing users and their access keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Directory, IamError, NewAccessKey, Result, User, draw_id,
    permissions::{Room, attach, check_tags, put_inline, tag, untag},
};
use crate::{base::AccountId, store::iam::UserRecord};

/// How many users an account has at most (IAM's quota).
pub const USERS_MAX: usize = 5000;
/// How many access keys a user has at most (IAM's quota).
pub const KEYS_MAX: usize = 2;
/// What the ids of users begin with, and how many letters follow.
const ID: (&str, usize) = ("AIDA", 17);

/// What a user is made of.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its name.
    pub name: String,
    /// `/`, or `/a/b/`.
    pub path: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Directory {
    /// The user of this name, or that there is none.
    pub fn existing_user(&self, account: AccountId, name: &str) -> Result<Arc<User>> {
        self.user(account, name).ok_or_else(|| no_such_user(name))
    }

    /// Makes a user.
    pub async fn create_user(&self, account: AccountId, new: NewUser) -> Result<Arc<User>> {
        let exists = || IamError::EntityAlreadyExists(format!("User with name {} already exists.", new.name));
        check_tags(&new.tags, "User")?;
        let _writing = self.writing().await;
        let users = self.users(account);
        if users.keys().any(|name| name.eq_ignore_ascii_case(&new.name)) {
            return Err(exists());
        }
        if users.len() >= USERS_MAX {
            return Err(IamError::LimitExceeded(format!(
                "Cannot exceed quota for UsersPerAccount: {USERS_MAX}"
            )));
        }
        let record = UserRecord {
            account,
            name: new.name.clone(),
            id: draw_id(ID.0, ID.1, self.parts.rng.as_ref()),
            path: new.path.clone(),
            created: self.now(),
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            tags: new.tags.clone(),
            revision: 1,
        };
        if !self.parts.store.put_user(&record, self.now()).await? {
            return Err(exists());
        }
        self.catch_up().await?;
        self.existing_user(account, &record.name)
    }

    /// Deletes a user that has neither keys nor policies any more.
    pub async fn delete_user(&self, account: AccountId, name: &str) -> Result<()> {
        let _writing = self.writing().await;
        let user = self.existing_user(account, name)?;
        if !user.keys.is_empty() {
            return Err(IamError::must_first("delete access keys"));
        }
        if !user.record.attached.is_empty() {
            return Err(IamError::must_first("detach all policies"));
        }
        if !user.record.policies.is_empty() {
            return Err(IamError::must_first("delete policies"));
        }
        if !self.parts.store.delete_user(&user.record, self.now()).await? {
            return Err(IamError::ConcurrentModification(format!("User {name}")));
        }
        Ok(self.catch_up().await?)
    }

    /// Puts an inline policy, in place of the one of its name.
    pub async fn put_user_policy(
        &self,
        account: AccountId,
        name: &str,
        policy: &str,
        text: String,
    ) -> Result<()> {
        self.change_user(account, name, |record| {
            put_inline(&mut record.policies, policy, text, Room::User(name))
        })
        .await
    }

    /// Deletes an inline policy.
    pub async fn delete_user_policy(&self, account: AccountId, name: &str, policy: &str) -> Result<()> {
        self.change_user(account, name, |record| match record.policies.remove(policy) {
            Some(_) => Ok(()),
            None => Err(no_such_user_policy(policy)),
        })
        .await
    }

    /// Attaches a managed policy of the account.
    pub async fn attach_user_policy(&self, account: AccountId, name: &str, policy_arn: &str) -> Result<()> {
        let policy = self.attachable_policy(account, policy_arn)?;
        self.change_user(account, name, |record| attach(&mut record.attached, policy.name(), "User")).await
    }

    /// Detaches a managed policy.
    pub async fn detach_user_policy(&self, account: AccountId, name: &str, policy_arn: &str) -> Result<()> {
        let policy = self.existing_policy(account, policy_arn)?;
        self.change_user(account, name, |record| match record.attached.remove(policy.name()) {
            true => Ok(()),
            false => Err(super::policies::no_such_policy(policy_arn)),
        })
        .await
    }

    /// Sets tags.
    pub async fn tag_user(
        &self,
        account: AccountId,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_user(account, name, |record| tag(&mut record.tags, tags, "User")).await
    }

    /// Takes tags away; those that are not there are passed over.
    pub async fn untag_user(&self, account: AccountId, name: &str, keys: &[String]) -> Result<()> {
        self.change_user(account, name, |record| {
            untag(&mut record.tags, keys);
            Ok(())
        })
        .await
    }

    /// Draws an access key for a user, and gives its secret, which is never shown again.
    pub async fn create_user_key(&self, account: AccountId, name: &str) -> Result<NewAccessKey> {
        let _writing = self.writing().await;
        if self.existing_user(account, name)?.keys.len() >= KEYS_MAX {
            return Err(IamError::LimitExceeded(format!(
                "Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}"
            )));
        }
        let key = self.draw_key(account);
        if !self.parts.store.add_user_key(&self.seal(&key, Some(name))?).await? {
            return Err(IamError::ConcurrentModification(format!("User {name}")));
        }
        self.catch_up().await?;
        Ok(key)
    }

    /// Switches a user's access key on or off, from the next call on.
    pub async fn set_user_key(&self, account: AccountId, name: &str, id: &str, active: bool) -> Result<()> {
        let _writing = self.writing().await;
        self.existing_user(account, name)?;
        if !self.parts.store.set_user_key(account, name, id, active, self.now()).await? {
            return Err(no_such_key(id));
        }
        Ok(self.catch_up().await?)
    }

    /// Deletes a user's access key, from the next call on.
    pub async fn delete_user_key(&self, account: AccountId, name: &str, id: &str) -> Result<()> {
        let _writing = self.writing().await;
        self.existing_user(account, name)?;
        if !self.parts.store.delete_user_key(account, name, id, self.now()).await? {
            return Err(no_such_key(id));
        }
        Ok(self.catch_up().await?)
    }

    /// Reads, changes and writes a user as one.
    async fn change_user(
        &self,
        account: AccountId,
        name: &str,
        change: impl FnOnce(&mut UserRecord) -> Result<()>,
    ) -> Result<()> {
        let _writing = self.writing().await;
        let mut record = self.existing_user(account, name)?.record.clone();
        change(&mut record)?;
        record.revision += 1;
        if !self.parts.store.put_user(&record, self.now()).await? {
            return Err(IamError::ConcurrentModification(format!("User {name}")));
        }
        Ok(self.catch_up().await?)
    }
}

/// There is no user of this name.
pub fn no_such_user(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The user with name {name} cannot be found."))
}

/// The user has no inline policy of this name.
pub fn no_such_user_policy(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The user policy with name {name} cannot be found."))
}

fn no_such_key(id: &str) -> IamError {
    IamError::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}
