//! Everything of IAM in memory: who looks something up waits for nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, MutexGuard};

use super::{ManagedPolicy, OidcProvider, Role, User};
use crate::{
    authn::{AccessKey, KeyStore},
    base::{AccountId, Arn, Caller, KeyRing, Principal, Timestamp, clock::SharedClock, rng::SharedRng},
    store::{Feed, StoreError, iam::IamStore},
};

/// One account's things in the order of their names.
pub(super) type ByName<T> = Arc<BTreeMap<String, Arc<T>>>;
pub(super) type Accounts<T> = HashMap<AccountId, ByName<T>>;

/// What a [`Directory`] works with.
pub struct Parts {
    /// Where records are kept.
    pub store: Arc<dyn IamStore>,
    /// What brings memory up to date after a write; the directory must be one of its followers.
    pub feed: Arc<Feed>,
    /// What seals secrets.
    pub keys: Arc<KeyRing>,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

/// How a [`Directory`] behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether providers on loopback may be reached by plain `http`.
    pub allow_loopback_http: bool,
}

/// Accounts, access keys, users, roles, policies and providers, and the way to change them.
pub struct Directory {
    pub(super) parts: Parts,
    pub(super) options: Options,
    pub(super) accounts: ArcSwap<BTreeSet<AccountId>>,
    pub(super) access_keys: ArcSwap<HashMap<String, Arc<AccessKey>>>,
    pub(super) policies: ArcSwap<Accounts<ManagedPolicy>>,
    pub(super) users: ArcSwap<Accounts<User>>,
    pub(super) roles: ArcSwap<Accounts<Role>>,
    pub(super) oidc_providers: ArcSwap<Accounts<OidcProvider>>,
    /// Whoever changes something reads, checks and commits behind this, so that two requests to one gateway never meet a
    /// conflict. Between gateways the records' revisions decide.
    writing: Mutex<()>,
}

impl Directory {
    /// An empty directory; it fills when it is started as a follower of its feed.
    pub fn new(parts: Parts, options: Options) -> Arc<Self> {
        Arc::new(Self {
            parts,
            options,
            accounts: ArcSwap::default(),
            access_keys: ArcSwap::default(),
            policies: ArcSwap::default(),
            users: ArcSwap::default(),
            roles: ArcSwap::default(),
            oidc_providers: ArcSwap::default(),
            writing: Mutex::new(()),
        })
    }

    /// Whether there is such an account.
    pub fn has_account(&self, account: AccountId) -> bool {
        self.accounts.load().contains(&account)
    }

    /// Whether the account's root has an access key.
    pub fn has_root_key(&self, account: AccountId) -> bool {
        let is_root = |caller: &Caller| caller.account == account && caller.principal == Principal::Root;
        self.access_keys.load().values().any(|key| is_root(&key.caller))
    }

    /// A user by its name, whose case matters.
    pub fn user(&self, account: AccountId, name: &str) -> Option<Arc<User>> {
        self.users.load().get(&account)?.get(name).cloned()
    }

    /// A user by its ARN, path and all.
    pub fn user_by_arn(&self, arn: &str) -> Option<Arc<User>> {
        let (account, name) = last_name(arn)?;
        self.user(account, &name).filter(|user| user.arn == arn)
    }

    /// An account's users in the order of their names.
    pub fn users(&self, account: AccountId) -> ByName<User> {
        self.users.load().get(&account).cloned().unwrap_or_default()
    }

    /// A managed policy by its ARN, path and all.
    pub fn policy_by_arn(&self, arn: &str) -> Option<Arc<ManagedPolicy>> {
        let (account, name) = last_name(arn)?;
        self.policies.load().get(&account)?.get(&name).filter(|policy| policy.arn == arn).cloned()
    }

    /// An account's managed policies in the order of their names.
    pub fn policies(&self, account: AccountId) -> ByName<ManagedPolicy> {
        self.policies.load().get(&account).cloned().unwrap_or_default()
    }

    /// A role by its name, whose case matters.
    pub fn role(&self, account: AccountId, name: &str) -> Option<Arc<Role>> {
        self.roles.load().get(&account)?.get(name).cloned()
    }

    /// A role by its ARN, path and all.
    pub fn role_by_arn(&self, arn: &str) -> Option<Arc<Role>> {
        let (account, name) = last_name(arn)?;
        self.role(account, &name).filter(|role| role.arn == arn)
    }

    /// An account's roles in the order of their names.
    pub fn roles(&self, account: AccountId) -> ByName<Role> {
        self.roles.load().get(&account).cloned().unwrap_or_default()
    }

    /// A provider by its URL without scheme.
    pub fn oidc_provider(&self, account: AccountId, name: &str) -> Option<Arc<OidcProvider>> {
        self.oidc_providers.load().get(&account)?.get(name).cloned()
    }

    /// A provider by its ARN.
    pub fn oidc_provider_by_arn(&self, arn: &str) -> Option<Arc<OidcProvider>> {
        let parsed: Arn = arn.parse().ok()?;
        let name = parsed.resource.strip_prefix("oidc-provider/")?;
        self.oidc_provider(parsed.account.parse().ok()?, name).filter(|provider| provider.arn == arn)
    }

    /// An account's providers in the order of their names.
    pub fn oidc_providers(&self, account: AccountId) -> ByName<OidcProvider> {
        self.oidc_providers.load().get(&account).cloned().unwrap_or_default()
    }

    /// Waits for whoever is changing something.
    pub(super) async fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Brings memory up to what was committed.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        self.parts.feed.catch_up().await
    }
}

/// The account and the last part of an ARN's resource, which is a name.
fn last_name(arn: &str) -> Option<(AccountId, String)> {
    let parsed: Arn = arn.parse().ok()?;
    let (_, name) = parsed.resource.rsplit_once('/')?;
    Some((parsed.account.parse().ok()?, name.to_owned()))
}

impl KeyStore for Directory {
    fn access_key(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.access_keys.load().get(id).cloned()
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("accounts", &self.accounts.load().len()).finish_non_exhaustive()
    }
}
