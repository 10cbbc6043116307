//! Functions over a store in a temporary folder, for tests.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{
    Function, FunctionError, FunctionRef, Functions, Options, Parts, RoleCheck, config::Settings,
    package::hostile::package,
};
use crate::{
    base::{AccountId, KeyRing, Region, Secret, Timestamp, clock::MockClock, rng::SystemRng},
    store::{
        Feed,
        functions::{FunctionStore, Stage},
        sqlite::SqliteStore,
    },
};

pub(crate) const ACCOUNT: AccountId = AccountId::DEFAULT;
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/lambda-role";

/// Every role may be assumed but those called `…-untrusting`.
pub(crate) struct TrustingRoles;

impl RoleCheck for TrustingRoles {
    fn lambda_may_assume(&self, _: AccountId, role_arn: &str) -> bool {
        !role_arn.ends_with("-untrusting")
    }
}

/// A gateway's functions, its store and its data directory.
pub(crate) struct Fixture {
    pub(crate) functions: Arc<Functions>,
    pub(crate) store: SqliteStore,
    pub(crate) feed: Arc<Feed>,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) data: TempDir,
}

pub(crate) fn region() -> Region {
    Region::new("us-east-1")
}

/// What a node finds in `data`, with `wrap` around its store. Updates settle when [`Functions::settle`] is called.
pub(crate) async fn node(
    data: &Path,
    clock: &Arc<MockClock>,
    wrap: impl FnOnce(SqliteStore) -> Arc<dyn FunctionStore>,
) -> (Arc<Functions>, SqliteStore, Arc<Feed>) {
    let store = SqliteStore::open(&data.join("callgate.db")).await.unwrap();
    let feed = Feed::new(Arc::new(store.clone()));
    let parts = Parts {
        store: wrap(store.clone()),
        feed: feed.clone(),
        keys: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
        roles: Arc::new(TrustingRoles),
        clock: clock.clone(),
        rng: Arc::new(SystemRng),
    };
    let options = Options { update_settles_after: Duration::from_secs(3_600), ..Options::new(region()) };
    let functions = Functions::open(data, options, parts).unwrap();
    feed.start(vec![functions.clone()]).await.unwrap();
    (functions, store, feed)
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
        let (functions, store, feed) = node(data.path(), &clock, |store| Arc::new(store)).await;
        Self { functions, store, feed, clock, data }
    }

    /// Makes a function that answers with `answer`, and has it settle.
    pub(crate) async fn create(&self, name: &str, answer: &str) -> Arc<Function> {
        create(&self.functions, name, answer).await.unwrap();
        self.settled(name).await
    }

    /// Ends what is on its way and returns the function as it is then.
    pub(crate) async fn settled(&self, name: &str) -> Arc<Function> {
        self.functions.settle(ACCOUNT, name).await.unwrap();
        let function = self.functions.find(ACCOUNT, name).unwrap();
        assert_eq!(function.ready, Stage::Settled);
        function
    }
}

pub(crate) async fn create(
    functions: &Functions,
    name: &str,
    answer: &str,
) -> Result<Arc<Function>, FunctionError> {
    functions.create(ACCOUNT, name, &settings(), BTreeMap::new(), package(answer).into()).await
}

pub(crate) fn settings() -> Settings {
    Settings {
        runtime: Some("nodejs22.x".to_owned()),
        handler: Some("index.handler".to_owned()),
        role_arn: Some(ROLE.to_owned()),
        ..Settings::default()
    }
}

pub(crate) fn named(name: &str) -> FunctionRef {
    FunctionRef { region: region(), account: ACCOUNT, name: name.to_owned(), qualifier: None }
}

/// What the function's code says.
pub(crate) fn code(function: &Function) -> String {
    std::fs::read_to_string(function.package_dir.join("index.js")).unwrap()
}
