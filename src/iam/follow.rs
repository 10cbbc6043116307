//! How the directory's memory follows the store.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;

use super::{
    Directory, ManagedPolicy, OidcProvider, Role, User,
    compile::CompileError,
    directory::Accounts,
    user::{UserKey, principal},
};
use crate::{
    authn::{AccessKey, sigv4::key::SigningSecret},
    base::{AccountId, Caller, Principal, Purpose},
    policy::Document,
    store::{
        Change, Follower, Kind, StoreError,
        iam::{AccessKeyRecord, RoleRecord, UserRecord},
    },
};

impl Directory {
    /// Opens a key's secret.
    fn open(
        &self,
        record: &AccessKeyRecord,
        principal: Principal,
    ) -> Result<(String, Arc<AccessKey>), StoreError> {
        let opened = self.parts.keys.open(Purpose::IamSecret, record.id.as_bytes(), &record.sealed_secret);
        let secret = opened.map_err(|error| StoreError::Unreadable {
            what: format!("the secret of access key {}", record.id),
            why: error.to_string(),
        })?;
        let caller = Caller {
            account: record.account,
            principal,
            access_key_id: record.id.as_str().into(),
            identity: None,
            session: None,
        };
        let key =
            AccessKey { caller: Arc::new(caller), secret: SigningSecret::new(secret), active: record.active };
        Ok((record.id.clone(), Arc::new(key)))
    }

    /// Puts new keys in place of those that were `whose`.
    fn replace_keys(&self, new: Vec<(String, Arc<AccessKey>)>, whose: impl Fn(&Caller) -> bool) {
        let mut keys = HashMap::clone(&self.access_keys.load());
        keys.retain(|_, key| !whose(&key.caller));
        keys.extend(new);
        self.access_keys.store(Arc::new(keys));
    }

    async fn reload_account(&self, account: AccountId) -> Result<(), StoreError> {
        let exists = self.parts.store.has_account(account).await?;
        let records = self.parts.store.access_keys(account).await?;
        let opened = records.iter().map(|record| self.open(record, Principal::Root));
        let opened = opened.collect::<Result<Vec<_>, _>>()?;
        let mut accounts = BTreeSet::clone(&self.accounts.load());
        if exists {
            accounts.insert(account);
        } else {
            accounts.remove(&account);
        }
        self.accounts.store(Arc::new(accounts));
        self.replace_keys(opened, |caller| caller.account == account && caller.principal == Principal::Root);
        Ok(())
    }

    async fn reload_user(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let record = self.parts.store.user(account, name).await?;
        let keys = match &record {
            Some(_) => self.parts.store.user_keys(account, name).await?,
            None => Vec::new(),
        };
        let opened: Result<Vec<_>, StoreError> = match &record {
            Some(record) => keys.iter().map(|key| self.open(key, principal(record))).collect(),
            None => Ok(Vec::new()),
        };
        let opened = opened?;
        let summaries: Vec<UserKey> = keys.iter().map(UserKey::from).collect();
        let user = match record {
            Some(record) => {
                self.hold_policies(account, &record.attached).await?;
                Some(self.compile_user(record, summaries)?)
            }
            None => None,
        };
        replace(&self.users, account, name, user);
        self.replace_keys(opened, |caller| {
            let of_user = matches!(&caller.principal, Principal::User { name: of, .. } if **of == *name);
            caller.account == account && of_user
        });
        Ok(())
    }

    async fn reload_role(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let role = match self.parts.store.role(account, name).await? {
            Some(record) => {
                self.hold_policies(account, &record.attached).await?;
                Some(self.compile_role(record)?)
            }
            None => None,
        };
        replace(&self.roles, account, name, role);
        Ok(())
    }

    /// What is attached may be newer than the change that led here.
    async fn hold_policies(&self, account: AccountId, names: &BTreeSet<String>) -> Result<(), StoreError> {
        for name in names {
            if self.document(account, name).is_none() {
                self.read_policy(account, name).await?;
            }
        }
        Ok(())
    }

    async fn read_policy(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let record = self.parts.store.policy(account, name).await?;
        let policy = record.map(|record| {
            let what = format!("managed policy {}/{}", record.account, record.name);
            ManagedPolicy::compile(record).map_err(|error| unreadable(what, &error))
        });
        replace(&self.policies, account, name, policy.transpose()?);
        Ok(())
    }

    /// Reads a policy anew, and compiles those again who have it attached.
    async fn reload_policy(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        self.read_policy(account, name).await?;
        for role in self.roles(account).values().filter(|role| role.record.attached.contains(name)) {
            let compiled = self.compile_role(role.record.clone())?;
            replace(&self.roles, account, role.name(), Some(compiled));
        }
        for user in self.users(account).values().filter(|user| user.record.attached.contains(name)) {
            let compiled = self.compile_user(user.record.clone(), user.keys.clone())?;
            replace(&self.users, account, user.name(), Some(compiled));
        }
        Ok(())
    }

    async fn reload_oidc_provider(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let record = self.parts.store.oidc_provider(account, name).await?;
        replace(&self.oidc_providers, account, name, record.map(OidcProvider::from));
        Ok(())
    }

    fn document(&self, account: AccountId, name: &str) -> Option<Arc<Document>> {
        Some(self.policies.load().get(&account)?.get(name)?.document.clone())
    }

    /// One that no longer compiles fails the start: to serve without it could be to serve without a Deny.
    fn compile_role(&self, record: RoleRecord) -> Result<Role, StoreError> {
        let (account, what) = (record.account, format!("role {}/{}", record.account, record.name));
        Role::compile(record, &|name| self.document(account, name)).map_err(|error| unreadable(what, &error))
    }

    fn compile_user(&self, record: UserRecord, keys: Vec<UserKey>) -> Result<User, StoreError> {
        let (account, what) = (record.account, format!("user {}/{}", record.account, record.name));
        User::compile(record, keys, &|name| self.document(account, name))
            .map_err(|error| unreadable(what, &error))
    }
}

fn unreadable(what: String, why: &CompileError) -> StoreError {
    StoreError::Unreadable { what, why: why.to_string() }
}

/// Puts one thing in place of the one of its name, or takes that away.
fn replace<T>(held: &ArcSwap<Accounts<T>>, account: AccountId, name: &str, new: Option<T>) {
    let mut accounts = HashMap::clone(&held.load());
    let mut names = accounts.get(&account).map(|names| BTreeMap::clone(names)).unwrap_or_default();
    match new {
        Some(new) => names.insert(name.to_owned(), Arc::new(new)),
        None => names.remove(name),
    };
    accounts.insert(account, Arc::new(names));
    held.store(Arc::new(accounts));
}

/// Sorts things by account and name.
fn by_account<T>(
    things: impl IntoIterator<Item = Result<(AccountId, String, T), StoreError>>,
) -> Result<Arc<Accounts<T>>, StoreError> {
    let mut accounts: HashMap<AccountId, BTreeMap<String, Arc<T>>> = HashMap::new();
    for thing in things {
        let (account, name, thing) = thing?;
        accounts.entry(account).or_default().insert(name, Arc::new(thing));
    }
    Ok(Arc::new(accounts.into_iter().map(|(account, names)| (account, Arc::new(names))).collect()))
}

#[async_trait]
impl Follower for Directory {
    async fn load(&self) -> Result<(), StoreError> {
        let records = self.parts.store.all().await?;
        let policies = by_account(records.policies.into_iter().map(|record| {
            let (account, name) = (record.account, record.name.clone());
            let what = format!("managed policy {account}/{name}");
            let policy = ManagedPolicy::compile(record).map_err(|error| unreadable(what, &error))?;
            Ok((account, name, policy))
        }))?;
        let find = |account: AccountId, name: &str| Some(policies.get(&account)?.get(name)?.document.clone());

        let mut principals = HashMap::new();
        for user in &records.users {
            principals.insert((user.account, user.name.clone()), principal(user));
        }
        let mut keys = HashMap::new();
        let mut summaries: HashMap<(AccountId, String), Vec<UserKey>> = HashMap::new();
        for record in &records.access_keys {
            let principal = match &record.user {
                None => Principal::Root,
                Some(user) => {
                    let user = (record.account, user.clone());
                    summaries.entry(user.clone()).or_default().push(record.into());
                    principals.get(&user).cloned().ok_or_else(|| StoreError::Unreadable {
                        what: format!("access key {}", record.id),
                        why: format!("there is no user {}", user.1),
                    })?
                }
            };
            let (id, key) = self.open(record, principal)?;
            keys.insert(id, key);
        }
        let users = by_account(records.users.into_iter().map(|record| {
            let (account, name) = (record.account, record.name.clone());
            let mut keys = summaries.remove(&(account, name.clone())).unwrap_or_default();
            keys.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
            let user = User::compile(record, keys, &|name| find(account, name));
            let user = user.map_err(|error| unreadable(format!("user {account}/{name}"), &error))?;
            Ok((account, name, user))
        }))?;
        let roles = by_account(records.roles.into_iter().map(|record| {
            let (account, name) = (record.account, record.name.clone());
            let role = Role::compile(record, &|name| find(account, name));
            let role = role.map_err(|error| unreadable(format!("role {account}/{name}"), &error))?;
            Ok((account, name, role))
        }))?;
        let providers = records.oidc_providers.into_iter();
        let providers =
            by_account(providers.map(|record| Ok((record.account, record.name.clone(), record.into()))))?;

        self.accounts.store(Arc::new(records.accounts.into_iter().collect()));
        self.access_keys.store(Arc::new(keys));
        self.policies.store(policies);
        self.users.store(users);
        self.roles.store(roles);
        self.oidc_providers.store(providers);
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change.kind {
                Kind::Account => self.reload_account(change.account).await?,
                Kind::Role => self.reload_role(change.account, &change.key).await?,
                Kind::User => self.reload_user(change.account, &change.key).await?,
                Kind::Policy => self.reload_policy(change.account, &change.key).await?,
                Kind::OidcProvider => self.reload_oidc_provider(change.account, &change.key).await?,
                Kind::Function | Kind::Pool | Kind::Limit | Kind::Revocation => {}
            }
        }
        Ok(())
    }
}
