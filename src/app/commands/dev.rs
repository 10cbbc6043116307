//! `callgate dev`: a gateway for one folder on one's own machine, which follows what is saved there.

mod folder;
mod watch;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tokio::sync::oneshot;

use self::{folder::Folder, watch::Changes};
use super::{deploy::Source, remote::root_credentials};
use crate::{
    app::{
        cli::{Common, Failure},
        client::Remote,
        config::{self, Config, Level as LogLevel, Log},
        data_dir::DataDir,
        doctor::Verdict,
        gateway::Gateway,
        lifecycle::{self, Signals, Started},
        logging, output,
    },
    base::{Rng, SystemClock, SystemRng, clock::SharedClock},
    sandbox::{Level, Users, network},
};

/// What `dev` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The address that apps call, on this machine alone; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// How long running calls may take to end after Ctrl-C, in seconds.
const DRAIN_SECONDS_MAX: u64 = 2;

/// A data directory for as long as this lives.
struct Temporary(PathBuf);

impl Temporary {
    fn make(rng: &dyn Rng) -> Result<Self, Failure> {
        let mut drawn = [0; 8];
        rng.fill(&mut drawn);
        let path = std::env::temp_dir().join(format!("callgate-dev-{:016x}", u64::from_be_bytes(drawn)));
        DataDir::open_or_make(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(cause) = fs::remove_dir_all(&self.0) {
            output::note(&format!("callgate: {} could not be removed: {cause}", self.0.display()));
        }
    }
}

/// Runs until SIGINT (Ctrl-C) or SIGTERM.
pub fn run<G: Gateway>(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let mut config = common.load(arguments.listen)?;
    if config.server.beyond_loopback() {
        return Err(format!(
            "callgate dev is for this machine alone, and {} is beyond loopback: use callgate serve",
            config.server.listen
        )
        .into());
    }
    let folder = Folder::open(&arguments.source, &config)?;
    let temporary = match &config.data.dir {
        Some(_) => None,
        None => Some(Temporary::make(&SystemRng)?),
    };
    if let Some(temporary) = &temporary {
        config.data.dir = Some(temporary.0.clone());
    }
    config.server.drain_seconds = config.server.drain_seconds.min(DRAIN_SECONDS_MAX);
    if config.log == Log::default() {
        config.log.level = LogLevel::of_developing();
    }
    logging::start(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve::<G>(config, folder, temporary.is_some()));
    runtime.shutdown_background();
    served
}

/// Does without what this machine cannot give, where `serve` would not start: on a developer's own machine there are the
/// developer's functions alone. What is done without, and why.
fn take_the_strongest(sandbox: &mut config::Sandbox) -> Vec<(&'static str, String)> {
    let mut weaker = Vec::new();
    if sandbox.isolation == config::Isolation::SeparateUsers
        && let Err(why) = Users::find(Level::SeparateUsers, sandbox.uid_base, sandbox.uid_count)
    {
        sandbox.isolation = config::Isolation::SharedUser;
        weaker.push(("shared-user", why.to_string()));
    }
    if sandbox.network == config::Reach::Internet
        && let Err(why) = network::Level::probe()
    {
        sandbox.network = config::Reach::Nothing;
        weaker.push(("no network", why.to_string()));
    }
    weaker
}

async fn serve<G: Gateway>(mut config: Config, folder: Folder, is_temporary: bool) -> Result<(), Failure> {
    let signals = Signals::of_process().map_err(|cause| format!("signals cannot be heard: {cause}"))?;
    // Watched from before it is read for the first time: nothing that is saved meanwhile is missed.
    let changes = Changes::of(folder.path())?;
    let weaker = take_the_strongest(&mut config.sandbox);
    let isolation = G::isolation(&config);
    let (ready, started) = oneshot::channel();
    let announce = move |started: &Started| {
        let _ = ready.send(started.clone());
    };
    let develop = async move {
        // It is dropped when the gateway could not start, which says why itself.
        let Ok(started) = started.await else { return Ok(()) };
        output::line(&format!(
            "Callgate {} runs {} from {}",
            started.status.version,
            folder.name(),
            folder.path().display()
        ));
        for check in isolation.iter().filter(|check| check.verdict != Verdict::No) {
            output::line(&format!("  {:<16}  {}", check.name, check.found));
        }
        for (level, why) in &weaker {
            output::line(&format!("  {:<16}  {level}, because {why}", "weaker"));
        }
        let kept = if is_temporary { ", removed at the end" } else { "" };
        output::line(&format!("  {:<16}  {}", "apps call", started.status.listen));
        output::line(&format!("  {:<16}  {}{kept}", "data", started.data_dir.display()));
        output::line(&format!(
            "  {:<16}  callgate invoke {} --data-dir {} --payload '{{}}'",
            "call it",
            folder.name(),
            started.data_dir.display()
        ));
        let followed = match remote(&started) {
            Ok(remote) => follow(&remote, &folder, changes).await,
            Err(failure) => Err(failure),
        };
        followed.inspect_err(|failure| {
            output::note(&format!("callgate: what is saved is not followed any more: {failure}"));
        })
    };
    let develop = tokio::spawn(develop);
    let ending = develop.abort_handle();
    // Who develops starts it anew: what it began with stays.
    let reload = {
        let config = config.clone();
        move || Ok(config.clone())
    };
    let served = lifecycle::serve::<G>(config, reload, signals, announce).await;
    ending.abort();
    match develop.await {
        Ok(Err(failure)) if served.is_ok() => Err(failure),
        _ => Ok(served?),
    }
}

/// The gateway that has just started, spoken to as its root.
fn remote(started: &Started) -> Result<Remote, Failure> {
    let status = &started.status;
    let clock: SharedClock = std::sync::Arc::new(SystemClock::new());
    let remote = Remote::new(&status.listen, &status.management, &status.region, None, clock)?;
    Ok(remote.signed_by(root_credentials(&DataDir::open(&started.data_dir)?)?))
}

/// Deploys the folder now and whenever it has changed. A deployment that fails is told and leaves the one before it.
async fn follow(remote: &Remote, folder: &Folder, mut changes: Changes) -> Result<(), Failure> {
    let clock: SharedClock = std::sync::Arc::new(SystemClock::new());
    let mut live = false;
    let mut before = None;
    loop {
        let saved = clock.monotonic();
        match folder.deploy(remote, before.as_ref()).await {
            Ok(None) => {}
            Ok(Some(deployed)) => {
                let took = clock.monotonic().saturating_sub(saved);
                output::line(&told(folder.name(), live, deployed.bytes, took));
                live = true;
                before = Some(deployed);
            }
            Err(failure) => {
                let rest = if live {
                    "\n  The version before it still answers. Save again when it is mended."
                } else {
                    "\n  Save again when it is mended."
                };
                output::line(&format!("{} was not deployed: {failure}{rest}", folder.name()));
                // Half of it may have been done, so what comes next counts, also if it is what was there before.
                before = None;
            }
        }
        changes.next().await?;
    }
}

fn told(name: &str, again: bool, bytes: usize, took: Duration) -> String {
    let again = if again { " again" } else { "" };
    format!("{name} is live{again}: {bytes} bytes, in {} ms", took.as_millis())
}

/// Whether a path in a function's folder is one whose changes matter.
fn matters(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().all(|part| !crate::app::package::is_skipped(part.as_os_str()))
}
