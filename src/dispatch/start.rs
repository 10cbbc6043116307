//! From nothing to a sandbox that holds a function.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    END_MAX, Full,
    connecting::Connecting,
    credentials::{self, Granted, SharedCredentialSource},
    environment, heap,
    lifecycle::{Event as Change, State},
    nodes::Nodes,
    worker::{Loading, Worker},
};
use crate::{
    base::{ColdStart, Region, RequestId, clock::SharedClock, home, rng::SharedRng},
    functions::{Function, Target},
    sandbox::{
        Binding, Exit, LinkError, SpawnError, Spawner, Spec,
        link::{Event, Link},
        network::Attached,
        protocol::{self, Frame},
        spawner::Started,
    },
};

/// How long Node.js may take to boot.
const BOOT_MAX: Duration = Duration::from_secs(20);
/// How long a function may take to load, if its own time-out is not longer (AWS: 10 s).
const LOAD_MAX: Duration = Duration::from_secs(10);
/// How much of what is logged while loading is kept for the first invocation's log.
const LOG_MAX: usize = 4096;

/// Why there is no sandbox.
#[derive(Debug)]
pub enum StartFailure {
    /// The function failed to load: an answer, as its caller sees it.
    Function(InitFailure),
    /// There is no room for another.
    Saturated(Full),
    /// The gateway or its machine failed.
    System(String),
}

/// How a function failed to load.
#[derive(Debug)]
pub struct InitFailure {
    /// What happened.
    pub reason: InitReason,
    /// What it logged.
    pub log: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

/// What ended a function's loading.
#[derive(Debug)]
pub enum InitReason {
    /// The bootstrap's error, as JSON.
    Error(String),
    /// The process ended.
    Exit(Option<Exit>),
    /// It took too long.
    TimedOut,
}

/// What makes sandboxes.
pub struct Starter {
    /// Starts processes.
    pub spawner: Spawner,
    /// The bubblewrap program.
    pub bwrap: PathBuf,
    /// The Node.js programs.
    pub nodes: Nodes,
    /// The AWS SDK's `node_modules`, which functions find without packaging it.
    pub sdk: Option<PathBuf>,
    /// Who makes the credentials of execution roles.
    pub credentials: SharedCredentialSource,
    /// The unpacked runtime.
    pub runtime: PathBuf,
    /// Processes and threads a sandbox may have.
    pub processes_max: u32,
    /// The heap that Node.js has by itself at the least, in MiB.
    pub default_heap_mb: u32,
    /// Connects them.
    pub network: Connecting,
    /// How long a sandbox is idle before it is frozen, at the least.
    pub freeze_delay: Duration,
    /// The gateway's region.
    pub region: Region,
    /// The clock.
    pub clock: SharedClock,
    /// Randomness, for the names of log streams.
    pub rng: SharedRng,
}

/// A sandbox that is nobody's yet: Node.js has booted.
#[derive(Debug)]
pub struct Generic {
    started: Started,
    // Dropped after the sandbox.
    attached: Option<Attached>,
    state: State,
    /// The version of its Node.js.
    node: String,
    log: Vec<u8>,
    began: Duration,
    // Whose thread's event loop watches it.
    home: usize,
}

impl Generic {
    /// Whether it still is there.
    pub fn is_alive(&self) -> bool {
        !self.started.link.is_closed()
    }

    /// Has the calling thread's event loop watch it, if another's does.
    fn come_home(mut self) -> io::Result<Self> {
        let home = home::current();
        if self.home != home {
            self.started.link = self.started.link.move_here()?;
            self.home = home;
        }
        Ok(self)
    }
}

/// Why no sandbox can wait to be started.
pub(super) fn too_many_starts(spawner: &Spawner) -> Full {
    Full {
        limit: "sandbox.spawn_queue_max",
        most: spawner.waiting_max() as u64,
        why: "too many sandboxes are waiting to be started",
    }
}

fn flatten<T>(
    started: Result<Result<T, StartFailure>, SpawnError>,
    spawner: &Spawner,
) -> Result<T, StartFailure> {
    match started {
        Ok(result) => result,
        Err(SpawnError::Busy) => Err(StartFailure::Saturated(too_many_starts(spawner))),
        Err(error) => Err(StartFailure::System(error.to_string())),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bind<'a> {
    protocol: u32,
    function_name: &'a str,
    function_version: &'a str,
    #[serde(rename = "memoryLimitInMB")]
    memory_limit_in_mb: String,
    handler: &'a str,
    task_root: &'a str,
    runtime: &'a str,
    model: &'a str,
    heap_limit_mb: u32,
    data_limit_mb: u32,
    region: &'a str,
    log_group_name: &'a str,
    log_stream_name: &'a str,
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Ready {
    protocol: u32,
    node: String,
}

#[derive(Deserialize)]
struct Bound<'a> {
    ok: bool,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Starter {
    /// Starts a sandbox for a function that needs one for this cause, and has it load.
    pub async fn start(&self, target: &Target, cause: ColdStart) -> Result<Worker, StartFailure> {
        let function = &target.function;
        let node = self.nodes.of(&function.runtime).to_owned();
        let own = (!self.is_generic(function)).then(|| environment::boot(function));
        let spec = Arc::new(self.spec(node, own));
        let generic = flatten(self.spawner.start(spec, |started| self.boot(started)).await, &self.spawner)?;
        let began = generic.began;
        self.bind(generic, target, began, cause).await
    }

    /// Starts a sandbox that is nobody's yet.
    pub(super) async fn start_generic(&self, node: &Path) -> Result<Generic, StartFailure> {
        let spec = Arc::new(self.spec(node.to_owned(), None));
        flatten(self.spawner.start(spec, |started| self.boot(started)).await, &self.spawner)
    }

    /// Whether a sandbox that has booted for nobody will do: nothing that the function needs has to be there before Node.js
    /// boots.
    pub(super) fn is_generic(&self, function: &Function) -> bool {
        heap::limit_mb(function.memory_mb) <= self.default_heap_mb && environment::boot(function).is_empty()
    }

    /// `own` are the variables, and with them goes the heap, of a function that cannot have a sandbox that has booted for nobody.
    fn spec(&self, node: PathBuf, own: Option<BTreeMap<String, String>>) -> Spec {
        let largest_heap = own.is_some();
        let mut boot_environment = environment::generic();
        boot_environment.extend(own.into_iter().flatten());
        Spec {
            bwrap: self.bwrap.clone(),
            node,
            runtime: self.runtime.clone(),
            sdk: self.sdk.clone(),
            processes_max: self.processes_max,
            largest_heap,
            boot_environment: boot_environment.into_iter().collect(),
        }
    }

    /// Waits until Node.js has booted.
    async fn boot(&self, mut started: Started) -> Result<Generic, StartFailure> {
        let began = self.clock.monotonic();
        let mut log = Vec::new();
        let node = match tokio::time::timeout(BOOT_MAX, next_frame(&mut started.link, &mut log)).await {
            Ok(Ok(Frame::Ready(ready))) => node_version(&ready)?,
            Ok(Ok(_)) => {
                return Err(StartFailure::System("the bootstrap did not say that it is ready".to_owned()));
            }
            Ok(Err(error)) => return Err(boot_failed(&mut started.process, &error, &log).await),
            Err(_) => return Err(StartFailure::System(format!("Node.js did not boot within {BOOT_MAX:?}"))),
        };
        let attached = self.network.attach(&started).await?;
        let state = State::Booting.after(Change::Booted).unwrap_or(State::Ended);
        Ok(Generic { started, attached, state, node, log, began, home: home::current() })
    }

    /// Makes a sandbox a function's, and has it load. `began` is when it began to be that function's, and `cause` why it needs
    /// one.
    pub(super) async fn bind(
        &self,
        generic: Generic,
        target: &Target,
        began: Duration,
        cause: ColdStart,
    ) -> Result<Worker, StartFailure> {
        let function = &target.function;
        let Generic { started, mut attached, state, node, mut log, .. } =
            generic.come_home().map_err(|error| StartFailure::System(error.to_string()))?;
        let Started { mut process, mut link, control, user } = started;
        let state = state.after(Change::Bound).unwrap_or(State::Ended);
        let binding = Binding {
            mounts: vec![(function.package_dir.to_path_buf(), "/var/task")],
            memory_mb: function.memory_mb,
            tmp_mb: function.tmp_mb,
        };
        control.bind(&binding).await.map_err(|error| StartFailure::System(error.to_string()))?;
        self.network.narrow(&mut attached, function.egress.as_ref()).await?;
        let granted = credentials::grant(&*self.credentials, function, &self.clock);
        let bind = protocol::bind(&self.description(function, &target.version, &granted)?)
            .ok_or_else(|| StartFailure::System("the function's description is too large".to_owned()))?;
        let load = async {
            link.write(&bind, &[]).await?;
            next_frame(&mut link, &mut log).await
        };
        let answered = tokio::time::timeout(load_max(function), load).await;
        let now = self.clock.monotonic();
        let took = now.saturating_sub(began);
        let fail = |reason, log| Err(StartFailure::Function(InitFailure { reason, log, took }));
        match answered {
            Ok(Ok(Frame::Bound(bound))) => match loading_error(&bound)? {
                Some(error) => fail(InitReason::Error(error), log),
                None => {
                    let loading = Loading { took, node, log, cause };
                    let started = Started { process, link, control, user };
                    let worker = Worker::loaded(
                        started,
                        attached,
                        state,
                        function.clone(),
                        loading,
                        self.freeze_delay,
                        now,
                    );
                    Ok(worker.retiring_at(granted.retire_at))
                }
            },
            Ok(Ok(_) | Err(LinkError::Violation(_))) => fail(InitReason::Exit(None), log),
            Ok(Err(LinkError::Closed)) => {
                let exit = tokio::time::timeout(END_MAX, process.wait()).await.ok().and_then(Result::ok);
                let exit = if control.oom_killed() { Some(Exit::OutOfMemory) } else { exit };
                fail(InitReason::Exit(exit), log)
            }
            Ok(Err(LinkError::Io(error))) => Err(StartFailure::System(error.to_string())),
            Err(_) => fail(InitReason::TimedOut, log),
        }
    }

    fn description(
        &self,
        function: &Function,
        version: &str,
        granted: &Granted,
    ) -> Result<Vec<u8>, StartFailure> {
        let id = RequestId::draw(&*self.rng);
        let hex: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let stream = format!("{}/[{version}]{hex}", self.clock.now().date_path());
        serde_json::to_vec(&Bind {
            protocol: protocol::VERSION,
            function_name: &function.name,
            function_version: version,
            memory_limit_in_mb: function.memory_mb.to_string(),
            handler: &function.handler,
            task_root: "/var/task",
            runtime: &function.runtime,
            model: if is_classic(function) { "classic" } else { "modern" },
            heap_limit_mb: heap::limit_mb(function.memory_mb),
            data_limit_mb: function.memory_mb + DATA_SLACK_MB,
            region: self.region.as_str(),
            log_group_name: &function.log_group,
            log_stream_name: &stream,
            environment: environment::of(
                function,
                version,
                &self.region,
                &stream,
                granted.credentials.as_ref(),
            ),
        })
        .map_err(|error| StartFailure::System(error.to_string()))
    }
}

/// What private memory a function's processes may each have beside its memory: stacks of threads count whole, 8 MiB each,
/// though little of them is used. Image libraries start a dozen threads.
const DATA_SLACK_MB: u32 = 256;

fn load_max(function: &Function) -> Duration {
    LOAD_MAX.max(function.timeout)
}

/// How long a start may take in all.
pub fn start_max(function: &Function) -> Duration {
    BOOT_MAX + load_max(function)
}

/// Whether the function runs as in 2014–15.
pub fn is_classic(function: &Function) -> bool {
    &*function.runtime == "nodejs"
}

/// The version of Node.js that a READY frame tells.
fn node_version(ready: &[u8]) -> Result<String, StartFailure> {
    match serde_json::from_slice(ready) {
        Ok(Ready { protocol: protocol::VERSION, node }) => Ok(node),
        _ => Err(StartFailure::System("the bootstrap speaks another version of the protocol".to_owned())),
    }
}

/// The error of a BOUND frame, as JSON; `None` if the function is loaded.
fn loading_error(bound: &[u8]) -> Result<Option<String>, StartFailure> {
    match serde_json::from_slice::<Bound<'_>>(bound) {
        Ok(Bound { ok: true, .. }) => Ok(None),
        Ok(Bound { ok: false, error: Some(error) }) => Ok(Some(error.get().to_owned())),
        _ => Err(StartFailure::System("the bootstrap answered nonsense".to_owned())),
    }
}

/// What a sandbox said before it could be spoken to is bubblewrap's or Node.js's word on why it cannot run here.
async fn boot_failed(process: &mut crate::sandbox::Process, error: &LinkError, log: &[u8]) -> StartFailure {
    let exit = tokio::time::timeout(END_MAX, process.wait()).await.ok().and_then(Result::ok);
    let said = String::from_utf8_lossy(log);
    StartFailure::System(format!("{error} before it was ready ({exit:?}); it said: {}", said.trim()))
}

/// The next frame that is no log; logs and output are kept, up to a limit.
async fn next_frame(link: &mut Link, log: &mut Vec<u8>) -> Result<Frame, LinkError> {
    let mut keep = |bytes: &[u8], end: &[u8]| {
        let room = LOG_MAX.saturating_sub(log.len());
        log.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if room > 0 {
            log.extend_from_slice(end);
        }
    };
    let result = loop {
        match link.event().await {
            Ok(Event::Frame(Frame::Log(text))) => keep(&text, b"\n"),
            Ok(Event::Output(bytes)) => keep(&bytes, b""),
            Ok(Event::Frame(frame)) => break Ok(frame),
            Err(error) => break Err(error),
        }
    };
    link.output_now(|bytes| keep(bytes, b""));
    result
}
