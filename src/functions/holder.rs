//! Functions in memory: who looks one up waits for nothing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::{
    FunctionError,
    function::{Function, Target},
    name::FunctionRef,
    shelf::Shelf,
};
use crate::{
    base::{AccountId, KeyRing, Region, clock::SharedClock, rng::SharedRng},
    store::{
        Change, Feed, Follower, Kind, StoreError,
        artifacts::PackageHash,
        functions::{FunctionRecord, FunctionStore, Stage},
    },
};

/// One account's functions in the order of their names.
type ByName = BTreeMap<Arc<str>, Arc<Function>>;
type Accounts = HashMap<AccountId, Arc<ByName>>;

/// Says whether Lambda may take on a role. The directory of roles implements it.
pub trait RoleCheck: Send + Sync {
    /// Whether the role exists in the account and its trust policy lets `lambda.amazonaws.com` assume it. It reads memory
    /// alone.
    fn lambda_may_assume(&self, account: AccountId, role_arn: &str) -> bool;
}

/// What [`Functions`] works with.
pub struct Parts {
    /// Where records are kept.
    pub store: Arc<dyn FunctionStore>,
    /// What brings memory up to date after a write; [`Functions`] must be one of its followers.
    pub feed: Arc<Feed>,
    /// What seals environments and links.
    pub keys: Arc<KeyRing>,
    /// The judge of roles.
    pub roles: Arc<dyn RoleCheck>,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

/// How [`Functions`] behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The gateway's region.
    pub region: Region,
    /// How long an update stays `InProgress` after its answer. The new code and configuration serve from the answer on; in
    /// this time a second update meets 409, as it does on AWS, where it takes longer. New functions become `Active` at once.
    pub update_settles_after: Duration,
}

impl Options {
    /// What a gateway of this region does unless told otherwise.
    pub fn new(region: Region) -> Self {
        Self { region, update_settles_after: Duration::from_millis(100) }
    }
}

/// Every function, in memory; the packages of this node; and the way to change them.
pub struct Functions {
    pub(crate) parts: Parts,
    pub(crate) options: Options,
    pub(crate) shelf: Shelf,
    held: ArcSwap<Accounts>,
    /// Whoever changes functions reads, checks and commits behind this; the store has one writer anyhow.
    pub(crate) writing: Mutex<()>,
    /// Functions an update of which is being uploaded and checked.
    pub(crate) updating: std::sync::Mutex<HashSet<(AccountId, String)>>,
    me: Weak<Self>,
}

impl Functions {
    /// The functions of a data directory. They are in memory once the feed has started.
    ///
    /// # Errors
    /// [`StoreError::Packages`] if the folders of packages cannot be made.
    pub fn open(data: &Path, options: Options, parts: Parts) -> Result<Arc<Self>, StoreError> {
        let shelf = Shelf::open(data, parts.clock.clone(), parts.rng.clone())?;
        Ok(Arc::new_cyclic(|me| Self {
            parts,
            options,
            shelf,
            held: ArcSwap::default(),
            writing: Mutex::new(()),
            updating: std::sync::Mutex::default(),
            me: me.clone(),
        }))
    }

    /// A function by its name.
    pub fn find(&self, account: AccountId, name: &str) -> Option<Arc<Function>> {
        self.held.load().get(&account)?.get(name).cloned()
    }

    /// What a name in a request means.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`] with the ARN as it was named.
    pub fn resolve(&self, reference: &FunctionRef) -> Result<Target, FunctionError> {
        self.find(reference.account, &reference.name)
            .and_then(|function| function.qualified(reference.qualifier.as_deref()))
            .map(Target::from)
            .ok_or_else(|| FunctionError::NotFound(reference.arn()))
    }

    /// At most `limit` functions of an account whose names come after `after`, in order, and whether there are more.
    pub fn list(&self, account: AccountId, after: Option<&str>, limit: usize) -> (Vec<Arc<Function>>, bool) {
        use std::ops::Bound::{Excluded, Unbounded};
        let held = self.held.load();
        let Some(functions) = held.get(&account) else { return (Vec::new(), false) };
        let mut found = functions
            .range::<str, _>((after.map_or(Unbounded, Excluded), Unbounded))
            .map(|(_, function)| function.clone());
        let page: Vec<_> = found.by_ref().take(limit).collect();
        (page, found.next().is_some())
    }

    /// How many functions an account has, and the bytes of the packages of all their versions.
    pub fn usage(&self, account: AccountId) -> (usize, u64) {
        let held = self.held.load();
        let Some(functions) = held.get(&account) else { return (0, 0) };
        let of_one = |function: &Arc<Function>| {
            let versions = function.published.versions.values().map(|version| version.record.code_bytes);
            function.record.code_bytes + versions.sum::<u64>()
        };
        (functions.len(), functions.values().map(of_one).sum())
    }

    /// How many functions there are, of all accounts.
    pub fn count(&self) -> usize {
        self.held.load().values().map(|functions| functions.len()).sum()
    }

    /// Removes packages that nothing refers to: at start all of them, later (to be called every few minutes) those that
    /// have been so for an hour. It may run beside anything else. Says how many went.
    pub async fn sweep(&self, at_start: bool) -> Result<usize, StoreError> {
        self.shelf
            .sweep(at_start, || {
                let held = self.held.load();
                held.values()
                    .flat_map(|functions| functions.values())
                    .flat_map(|function| {
                        let versions = function.published.versions.values();
                        versions.map(|version| version.record.code).chain([function.record.code])
                    })
                    .collect()
            })
            .await
    }

    /// A function's package as it was uploaded.
    pub async fn package(&self, hash: &PackageHash) -> Result<Option<Bytes>, StoreError> {
        self.shelf.zipped(hash).await
    }

    /// Itself, for work in the background; `None` once the gateway is going down.
    pub(crate) fn me(&self) -> Weak<Self> {
        self.me.clone()
    }

    /// Makes a function and its versions ready to be run. One that cannot be is left out, and said so, rather than keep all
    /// others from running: its package or key is gone.
    async fn ready(&self, records: Vec<FunctionRecord>) -> Option<Arc<Function>> {
        let (latest, published): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.version == 0);
        let latest = latest.into_iter().next()?;
        let mut versions = BTreeMap::new();
        for record in published {
            // Tags are the function's, whichever version is called.
            let record = FunctionRecord { tags: latest.tags.clone(), ..record };
            if let Some(version) = self.unpacked(record, BTreeMap::new()).await {
                versions.insert(version.record.version, version);
            }
        }
        self.unpacked(latest, versions).await
    }

    /// One of them, with its package on this node.
    async fn unpacked(
        &self,
        record: FunctionRecord,
        versions: BTreeMap<u32, Arc<Function>>,
    ) -> Option<Arc<Function>> {
        let (region, keys) = (&self.options.region, &self.parts.keys);
        let made = match self.shelf.ensure(record.code).await {
            Ok(folder) => Function::open(record.clone(), versions, &folder, region, keys),
            Err(error) => Err(error),
        };
        match made {
            Ok(function) => Some(Arc::new(function)),
            Err(error) => {
                let (account, name, version) = (record.account, record.name, record.version);
                tracing::error!(%account, function = name, version, %error, "a function cannot be served");
                None
            }
        }
    }
}

#[async_trait]
impl Follower for Functions {
    async fn load(&self) -> Result<(), StoreError> {
        let mut accounts: HashMap<AccountId, ByName> = HashMap::new();
        let mut unsettled = Vec::new();
        let records = self.parts.store.all().await?;
        for records in records.chunk_by(|one, next| one.account == next.account && one.name == next.name) {
            let Some(function) = self.ready(records.to_vec()).await else { continue };
            if function.ready != Stage::Settled {
                unsettled.push(function.clone());
            }
            accounts.entry(function.account).or_default().insert(function.name.clone(), function);
        }
        self.held.store(Arc::new(
            accounts.into_iter().map(|(account, functions)| (account, Arc::new(functions))).collect(),
        ));
        // The process ended before these did.
        for function in unsettled {
            self.settle_later(&function.record);
        }
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let keys: HashSet<(AccountId, &str)> = changes
            .iter()
            .filter(|change| change.kind == Kind::Function)
            .map(|change| (change.account, change.key.as_str()))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut accounts = Accounts::clone(&self.held.load());
        for (account, name) in keys {
            let function = self.ready(self.parts.store.get(account, name).await?).await;
            let functions = Arc::make_mut(accounts.entry(account).or_default());
            match function {
                Some(function) => functions.insert(function.name.clone(), function),
                None => functions.remove(name),
            };
        }
        // The feed calls one follower at a time, so nobody else has changed this meanwhile.
        self.held.store(Arc::new(accounts));
        Ok(())
    }
}
