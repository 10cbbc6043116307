//! Everything of IAM in memory: who looks something up waits for nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

use super::{OidcProvider, Role};
use crate::{
    authn::{AccessKey, KeyStore, sigv4::key::SigningSecret},
    base::{
        AccountId, Arn, Caller, KeyRing, Principal, Purpose, Timestamp, clock::SharedClock, rng::SharedRng,
    },
    store::{
        Change, Feed, Follower, Kind, StoreError,
        iam::{AccessKeyRecord, IamStore, RoleRecord},
    },
};

/// One account's things in the order of their names.
type ByName<T> = Arc<BTreeMap<String, Arc<T>>>;
type Accounts<T> = HashMap<AccountId, ByName<T>>;

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

/// Accounts, access keys, roles and providers, and the way to change them.
pub struct Directory {
    pub(super) parts: Parts,
    pub(super) options: Options,
    accounts: ArcSwap<BTreeSet<AccountId>>,
    access_keys: ArcSwap<HashMap<String, Arc<AccessKey>>>,
    roles: ArcSwap<Accounts<Role>>,
    oidc_providers: ArcSwap<Accounts<OidcProvider>>,
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
            roles: ArcSwap::default(),
            oidc_providers: ArcSwap::default(),
            writing: Mutex::new(()),
        })
    }

    /// Whether there is such an account.
    pub fn has_account(&self, account: AccountId) -> bool {
        self.accounts.load().contains(&account)
    }

    /// Whether the account has an access key.
    pub fn has_access_key(&self, account: AccountId) -> bool {
        self.access_keys.load().values().any(|key| key.caller.account == account)
    }

    /// A role by its name, whose case matters.
    pub fn role(&self, account: AccountId, name: &str) -> Option<Arc<Role>> {
        self.roles.load().get(&account)?.get(name).cloned()
    }

    /// A role by its ARN, path and all.
    pub fn role_by_arn(&self, arn: &str) -> Option<Arc<Role>> {
        let parsed: Arn = arn.parse().ok()?;
        let (_, name) = parsed.resource.rsplit_once('/')?;
        self.role(parsed.account.parse().ok()?, name).filter(|role| role.arn == arn)
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

    /// Opens a key's secret.
    fn open(&self, record: &AccessKeyRecord) -> Result<(String, Arc<AccessKey>), StoreError> {
        let opened = self.parts.keys.open(Purpose::IamSecret, record.id.as_bytes(), &record.sealed_secret);
        let secret = opened.map_err(|error| StoreError::Unreadable {
            what: format!("the secret of access key {}", record.id),
            why: error.to_string(),
        })?;
        let caller = Caller {
            account: record.account,
            principal: Principal::Root,
            access_key_id: record.id.as_str().into(),
            identity: None,
            session: None,
        };
        let key =
            AccessKey { caller: Arc::new(caller), secret: SigningSecret::new(secret), active: record.active };
        Ok((record.id.clone(), Arc::new(key)))
    }

    async fn reload_account(&self, account: AccountId) -> Result<(), StoreError> {
        let exists = self.parts.store.has_account(account).await?;
        let records = self.parts.store.access_keys(account).await?;
        let opened = records.iter().map(|record| self.open(record)).collect::<Result<Vec<_>, _>>()?;
        let mut accounts = BTreeSet::clone(&self.accounts.load());
        if exists {
            accounts.insert(account);
        } else {
            accounts.remove(&account);
        }
        let mut keys = HashMap::clone(&self.access_keys.load());
        keys.retain(|_, key| key.caller.account != account);
        keys.extend(opened);
        self.accounts.store(Arc::new(accounts));
        self.access_keys.store(Arc::new(keys));
        Ok(())
    }

    async fn reload_role(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let record = self.parts.store.role(account, name).await?;
        let role = record.map(compile).transpose()?;
        replace(&self.roles, account, name, role);
        Ok(())
    }

    async fn reload_oidc_provider(&self, account: AccountId, name: &str) -> Result<(), StoreError> {
        let record = self.parts.store.oidc_provider(account, name).await?;
        replace(&self.oidc_providers, account, name, record.map(OidcProvider::from));
        Ok(())
    }
}

/// Compiles a stored role. One that no longer compiles fails the start: to serve without it could be to serve without
/// a Deny.
fn compile(record: RoleRecord) -> Result<Role, StoreError> {
    let what = format!("role {}/{}", record.account, record.name);
    Role::compile(record).map_err(|error| StoreError::Unreadable { what, why: error.to_string() })
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
fn by_account<T>(things: impl IntoIterator<Item = (AccountId, String, T)>) -> Arc<Accounts<T>> {
    let mut accounts: HashMap<AccountId, BTreeMap<String, Arc<T>>> = HashMap::new();
    for (account, name, thing) in things {
        accounts.entry(account).or_default().insert(name, Arc::new(thing));
    }
    Arc::new(accounts.into_iter().map(|(account, names)| (account, Arc::new(names))).collect())
}

#[async_trait]
impl Follower for Directory {
    async fn load(&self) -> Result<(), StoreError> {
        let records = self.parts.store.all().await?;
        let keys = records.access_keys.iter().map(|record| self.open(record));
        let keys: HashMap<_, _> = keys.collect::<Result<_, _>>()?;
        let roles = records
            .roles
            .into_iter()
            .map(|record| Ok((record.account, record.name.clone(), compile(record)?)));
        let roles = roles.collect::<Result<Vec<_>, StoreError>>()?;
        let providers = records.oidc_providers.into_iter();
        let providers = providers.map(|record| (record.account, record.name.clone(), record.into()));
        self.accounts.store(Arc::new(records.accounts.into_iter().collect()));
        self.access_keys.store(Arc::new(keys));
        self.roles.store(by_account(roles));
        self.oidc_providers.store(by_account(providers));
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change.kind {
                Kind::Account => self.reload_account(change.account).await?,
                Kind::Role => self.reload_role(change.account, &change.key).await?,
                Kind::OidcProvider => self.reload_oidc_provider(change.account, &change.key).await?,
                Kind::Function | Kind::User | Kind::Pool | Kind::Revocation => {}
            }
        }
        Ok(())
    }
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
