//! A dispatch with everything it needs, and functions to run in it.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use callgate::{
    base::{
        AccountId, Caller, KeyRing, Principal, Region, RequestId, Secret,
        clock::{SharedClock, SystemClock},
        rng::SystemRng,
    },
    dispatch::{
        Dispatch, DispatchError, FunctionError, Invocation, Options, Outcome, Pools, Terms,
        connecting::Connecting,
        credentials::{NoCredentials, SharedCredentialSource},
        logs::{GatewayLog, LogSink},
        nodes::Nodes,
        start::Starter,
    },
    functions::{self, FunctionRef, Functions, Parts, RoleCheck, config::Settings},
    policy::permit_root,
    quota::{Call, Quota, QuotaConfig, Share},
    sandbox::{Level, Means, RuntimeFiles, Spawner, Users},
    store::{Feed, sqlite::SqliteStore},
};
use serde_json::Value;
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::processes;

const ACCOUNT: AccountId = AccountId::DEFAULT;

struct AnyRole;

impl RoleCheck for AnyRole {
    fn lambda_may_assume(&self, _: AccountId, _: &str) -> bool {
        true
    }
}

/// How a stand differs from the usual.
pub struct Plan {
    pub clock: SharedClock,
    pub sink: Arc<dyn LogSink>,
    pub options: Options,
    pub freeze_delay: Duration,
    pub credentials: SharedCredentialSource,
    pub nodes: Nodes,
    pub sdk: Option<std::path::PathBuf>,
    pub network: Connecting,
    pub quota: QuotaConfig,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            sink: Arc::new(GatewayLog),
            options: Options {
                sandboxes_max: 20,
                function_sandboxes_max: 10,
                line_max: 100,
                threads: 1,
                processors: 2,
                prewarmed_min: 0,
                prewarmed_max: 0,
                cancel_grace: Duration::from_millis(500),
                is_memory_short: || false,
                busy_sandboxes: 2,
                idle: Duration::from_secs(300),
            },
            freeze_delay: Duration::from_millis(5),
            credentials: Arc::new(NoCredentials),
            nodes: Nodes::new(node(), BTreeMap::new()),
            sdk: None,
            network: Connecting::default(),
            quota: QuotaConfig::default(),
        }
    }
}

/// A gateway's inside, from permitted invocations down.
pub struct Stand {
    pub dispatch: Dispatch,
    pub quota: Quota,
    pub functions: Arc<Functions>,
    clock: SharedClock,
    /// The limit of processes that its sandboxes are given: no other stand's of this test run have the same.
    pub mark: u32,
    _data: TempDir,
}

/// The Node.js that sandboxes run on: `CALLGATE_TEST_NODE`, so that the tests can run on several, or the one on the PATH.
pub fn node() -> std::path::PathBuf {
    std::env::var_os("CALLGATE_TEST_NODE").map_or_else(|| program("node"), Into::into)
}

pub fn program(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not on the PATH"))
}

/// Host users for the sandboxes of all stands, far from those of a real gateway: separate ones for root, and for an ordinary
/// user if this variable says so.
pub const SEPARATE: &str = "CALLGATE_TEST_SEPARATE_USERS";

pub fn users() -> Users {
    static USERS: OnceLock<Users> = OnceLock::new();
    let level = if std::env::var_os(SEPARATE).is_some() { Level::SeparateUsers } else { Level::SharedUser };
    let base = 700_000 + std::process::id() % 1_000 * 1_000;
    USERS.get_or_init(|| Users::find(level, base, 1_000).unwrap()).clone()
}

/// The gateway's program, which helps from outside: beside the tests' own where they were copied, else where cargo has it.
pub fn gateway() -> std::path::PathBuf {
    let beside = std::env::current_exe().unwrap().with_file_name("callgate");
    if beside.is_file() { beside } else { env!("CARGO_BIN_EXE_callgate").into() }
}

pub fn mark() -> u32 {
    static STANDS: AtomicU32 = AtomicU32::new(0);
    1_000 + STANDS.fetch_add(1, Ordering::Relaxed)
}

impl Stand {
    pub async fn new() -> Self {
        Self::of(Plan::default()).await
    }

    pub async fn of(plan: Plan) -> Self {
        let data = tempfile::tempdir().unwrap();
        let region = Region::new("us-east-1");
        let store = SqliteStore::open(&data.path().join("callgate.db")).await.unwrap();
        let feed = Feed::new(Arc::new(store.clone()));
        let parts = Parts {
            store: Arc::new(store),
            feed: feed.clone(),
            keys: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
            roles: Arc::new(AnyRole),
            clock: plan.clock.clone(),
            rng: Arc::new(SystemRng),
        };
        let functions = Functions::open(data.path(), functions::Options::new(region.clone()), parts).unwrap();
        feed.start(vec![functions.clone()]).await.unwrap();
        let mark = mark();
        let starter = Starter {
            spawner: Spawner::new(4, 100, Means::find(users(), gateway()).unwrap()).unwrap(),
            bwrap: program("bwrap"),
            nodes: plan.nodes,
            sdk: plan.sdk,
            credentials: plan.credentials,
            runtime: RuntimeFiles::unpack(&data.path().join("runtime")).unwrap().folder().to_owned(),
            default_heap_mb: callgate::dispatch::heap::default_mb(callgate::sandbox::detect::memory_mb()),
            processes_max: mark,
            network: plan.network,
            freeze_delay: plan.freeze_delay,
            region,
            clock: plan.clock.clone(),
            rng: Arc::new(SystemRng),
        };
        let pools = Pools::new(plan.options, starter, plan.clock.clone());
        Self {
            dispatch: Dispatch::new(pools, plan.clock.clone(), plan.sink),
            quota: Quota::new(plan.quota, plan.clock.clone()),
            clock: plan.clock,
            functions,
            mark,
            _data: data,
        }
    }

    /// Deploys `index.js`, exporting `handler`.
    pub async fn deploy(&self, name: &str, code: &str) {
        self.deploy_with(name, code, |_| {}).await;
    }

    pub async fn deploy_with(&self, name: &str, code: &str, change: impl FnOnce(&mut Settings)) {
        self.deploy_package(name, package(code), change).await;
    }

    pub async fn deploy_package(&self, name: &str, package: Bytes, change: impl FnOnce(&mut Settings)) {
        self.deploy_whole(name, package, BTreeMap::new(), change).await;
    }

    pub async fn deploy_tagged(
        &self,
        name: &str,
        code: &str,
        tags: BTreeMap<String, String>,
        change: impl FnOnce(&mut Settings),
    ) {
        self.deploy_whole(name, package(code), tags, change).await;
    }

    async fn deploy_whole(
        &self,
        name: &str,
        package: Bytes,
        tags: BTreeMap<String, String>,
        change: impl FnOnce(&mut Settings),
    ) {
        let mut settings = Settings {
            runtime: Some("nodejs22.x".to_owned()),
            handler: Some("index.handler".to_owned()),
            role_arn: Some("arn:aws:iam::000000000000:role/any".to_owned()),
            timeout_seconds: Some(20),
            ..Settings::default()
        };
        change(&mut settings);
        let created = self.functions.create(ACCOUNT, name, &settings, tags, package).await;
        created.unwrap();
    }

    pub fn named(&self, name: &str) -> FunctionRef {
        FunctionRef {
            region: Region::new("us-east-1"),
            account: ACCOUNT,
            name: name.to_owned(),
            qualifier: None,
        }
    }

    /// Invokes as the account's root.
    pub async fn run(&self, name: &str, invocation: Invocation) -> Result<Outcome, DispatchError> {
        self.try_run(name, invocation).await.unwrap()
    }

    /// The same; `None` if there is no such function, or it cannot be called yet.
    pub async fn try_run(
        &self,
        name: &str,
        invocation: Invocation,
    ) -> Option<Result<Outcome, DispatchError>> {
        let target = self.functions.resolve(&self.named(name)).ok()?;
        let caller = Caller {
            account: ACCOUNT,
            principal: Principal::Root,
            access_key_id: "AKIA".into(),
            identity: None,
            session: None,
        };
        let permit = permit_root(&caller, "lambda:InvokeFunction", &invocation.invoked_arn).unwrap();
        let admission = self
            .quota
            .admit(&Call { owner: ACCOUNT, function: "f", pool: None, share: Share::NOBODY })
            .unwrap();
        Some(self.dispatch.run(&permit, admission, target, invocation).await)
    }

    /// What came of a call with this payload.
    pub async fn outcome(&self, name: &str, payload: &str) -> Outcome {
        self.run(name, invocation(name, payload)).await.unwrap()
    }

    /// What a call returned.
    pub async fn value(&self, name: &str, payload: &str) -> Value {
        value(&self.outcome(name, payload).await)
    }

    /// The error that a call ended in, with request ids written as `ID`.
    pub async fn error(&self, name: &str, payload: &str) -> (FunctionError, Value) {
        let invocation = invocation(name, payload);
        let id = invocation.id.to_string();
        let outcome = self.run(name, invocation).await.unwrap();
        let text = String::from_utf8(outcome.payload.to_vec()).unwrap().replace(&id, "ID");
        let error = outcome.function_error.unwrap_or_else(|| panic!("no error but {text}"));
        (error, serde_json::from_str(&text).unwrap())
    }

    /// Now, on the monotonic clock.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Executions that hold a slot.
    pub fn running(&self) -> u32 {
        self.quota.running(ACCOUNT)
    }

    /// Ends it, and looks that no process is left of it.
    pub async fn close(self) {
        let living = processes::Living::of(self.mark);
        self.dispatch.shutdown(Duration::from_secs(10)).await;
        assert_eq!(self.dispatch.sandboxes(), 0);
        assert_eq!(self.running(), 0);
        living.ended().await;
        assert_eq!(processes::of(self.mark), Vec::<u32>::new());
    }
}

/// Waits until something is so. Only a failing test waits long.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "it never was so: {what}");
}

pub fn package(code: &str) -> Bytes {
    package_of(&[("index.js", 0o644, code.as_bytes())])
}

/// A package of files: name, mode, contents.
pub fn package_of(files: &[(&str, u32, &[u8])]) -> Bytes {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, contents) in files {
        archive.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap().into_inner().into()
}

pub fn invocation(name: &str, payload: &str) -> Invocation {
    Invocation {
        id: RequestId::draw(&SystemRng),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        invoked_arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"),
        identity: None,
        client_context: None,
        log_tail: false,
        terms: Terms::default(),
    }
}

pub fn value(outcome: &Outcome) -> Value {
    let text = String::from_utf8_lossy(&outcome.payload);
    assert_eq!(outcome.function_error, None, "{text}");
    serde_json::from_str(&text).unwrap()
}
