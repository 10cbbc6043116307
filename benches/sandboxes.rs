//! Sandboxes: their first calls, their rest and their waking, each beside what it is held against.
//!
//! `cargo bench --bench sandboxes [-- part…]`, where a part is `first`, `thaw`, `memory`, `frozen` or `often`. With
//! `CALLGATE_BENCH_USER=<uid>` in its environment a bench that root starts runs its gateways as that user.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its tables")]

#[path = "harness/bare_freezer.rs"]
mod bare_freezer;
#[expect(dead_code, reason = "some of it is for the bench of warm calls")]
#[path = "harness/callgate.rs"]
mod gateway;
#[path = "harness/monitors.rs"]
mod monitors;
#[path = "harness/processor.rs"]
mod processor;
#[path = "harness/quiet.rs"]
mod quiet;
#[path = "harness/stats.rs"]
mod stats;
#[expect(dead_code, reason = "it is for the bench of warm calls")]
#[path = "harness/wrk.rs"]
mod wrk;

use std::{
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use bytes::Bytes;
use callgate::{
    app::client::Remote,
    base::{Clock, SystemClock},
};
use tempfile::TempDir;

use self::{
    bare_freezer::Bare,
    gateway::{Gateway, Result, create, create_echo, deploy_echo, role},
    quiet::quiet,
    stats::Median,
};

/// Pairs of first calls for each figure.
const FIRST: usize = 24;
/// Pairs of calls after a rest.
const THAWS: usize = 60;
/// How long a function rests before such a call. A sandbox that is woken before twenty times its delay is frozen later.
const REST: Duration = Duration::from_millis(300);
const CROWD: usize = 200;
/// How long the crowd is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// A function that is called so often, so many times.
const OFTEN: Duration = Duration::from_millis(10);
const CALLS: u32 = 300;
const PAIRS: usize = 12;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let run = async || -> Result<()> {
        if wanted("first") {
            first().await?;
        }
        if wanted("thaw") {
            thaw().await?;
        }
        if wanted("memory") {
            memory().await?;
        }
        if wanted("frozen") {
            frozen().await?;
        }
        if wanted("often") {
            often().await?;
        }
        Ok(())
    };
    let ran = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run()));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A gateway with these settings and the function `echo`.
struct Stage {
    // Before the folder it works in.
    gateway: Gateway,
    developer: Remote,
    role: String,
    _folder: TempDir,
}

impl Stage {
    async fn new(settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let (gateway, _) = Gateway::start_with(&data, settings)?;
        deploy_echo(&data)?;
        let developer = gateway.developer()?;
        let role = role(&developer).await?;
        Ok(Self { gateway, developer, role, _folder: folder })
    }

    /// How long a call of this function takes, in milliseconds.
    async fn call(&self, name: &str) -> Result<f64> {
        let clock = SystemClock::new();
        let began = clock.monotonic();
        self.developer.invoke(name, Bytes::from_static(b"0"), None, false).await?;
        Ok(millis(clock.monotonic().saturating_sub(began)))
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn node() -> Result<f64> {
    let clock = SystemClock::new();
    let began = clock.monotonic();
    let path = std::env::var("PATH")?;
    let status = Command::new("node").args(["-e", "0"]).env_clear().env("PATH", path).status()?;
    let took = clock.monotonic().saturating_sub(began);
    if status.success() { Ok(millis(took)) } else { Err("node -e 0 failed".into()) }
}

const UNPREPARED: [(&str, &str); 2] =
    [("CALLGATE_SANDBOX__PREWARMED_MIN", "0"), ("CALLGATE_SANDBOX__PREWARMED_MAX", "0")];

/// First calls beside `node -e 0`: with a sandbox that is ready and connected, and without, where the network's part is told
/// apart.
async fn first() -> Result<()> {
    let ready = Stage::new(&[]).await?;
    let none = [UNPREPARED[0], UNPREPARED[1], ("CALLGATE_SANDBOX__NETWORK", "none")];
    let stages = [ready, Stage::new(&none).await?, Stage::new(&UNPREPARED).await?];
    let mut found: [Vec<f64>; 3] = Default::default();
    let (mut ratios, mut nodes): ([Vec<f64>; 3], Vec<f64>) = Default::default();
    for number in 0..FIRST {
        let name = format!("first-{number}");
        for stage in &stages {
            create_echo(&stage.developer, &stage.role, &name).await?;
            // The connection is open; what was taken is made anew.
            stage.call("echo").await?;
            quiet(stage.gateway.process_id()).await?;
        }
        let mut bare = if number % 2 == 0 { Some(node()?) } else { None };
        let mut took = [0.0; 3];
        for turn in 0..stages.len() {
            let index = (turn + number) % stages.len();
            took[index] = stages[index].call(&name).await?;
            quiet(stages[index].gateway.process_id()).await?;
        }
        let bare = match bare.take() {
            Some(bare) => bare,
            None => node()?,
        };
        for (index, took) in took.into_iter().enumerate() {
            ratios[index].push(took / bare);
            found[index].push(took);
        }
        nodes.push(bare);
    }
    println!("\n### First call of a fresh function, {FIRST} interleaved pairs\n");
    println!("| sandbox | first call ÷ `node -e 0` | first call, ms |\n|---|---|---|");
    let uplink: Vec<f64> = found[2].iter().zip(&found[1]).map(|(with, without)| with - without).collect();
    let names = ["ready and connected", "none ready, network `none`", "none ready, network `internet`"];
    for ((name, ratios), found) in names.into_iter().zip(ratios).zip(found) {
        println!("| {name} | {} | {:.1} |", Median::of(ratios), Median::of(found).median);
    }
    println!("\n`node -e 0`: {:.1} ms; the uplink: {} ms.", Median::of(nodes).median, Median::of(uplink));
    Ok(())
}

/// A call that thaws over one that finds its sandbox running, beside the bare freezer's thaw.
async fn thaw() -> Result<()> {
    let stages = [
        Stage::new(&[("CALLGATE_SANDBOX__FREEZE_DELAY_MS", "5")]).await?,
        Stage::new(&[("CALLGATE_SANDBOX__FREEZE_DELAY_MS", "1000")]).await?,
    ];
    let mut bare = Bare::start()?;
    let clock = SystemClock::new();
    let (mut thaws, mut bares, mut running) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=THAWS {
        let mut took = [0.0; 2];
        for turn in 0..2 {
            let index = (turn + pair) % 2;
            tokio::time::sleep(REST).await;
            took[index] = stages[index].call("echo").await?;
        }
        let mut echoed = [0.0; 2];
        for turn in 0..2 {
            let index = (turn + pair) % 2;
            if index == 0 {
                bare.freeze()?;
            }
            tokio::time::sleep(REST).await;
            let began = clock.monotonic();
            if index == 0 {
                bare.thaw()?;
            }
            bare.echo()?;
            echoed[index] = millis(clock.monotonic().saturating_sub(began));
        }
        // The first makes everything ready.
        if pair > 0 {
            thaws.push(took[0] - took[1]);
            bares.push(echoed[0] - echoed[1]);
            running.push(took[1]);
        }
    }
    let (thaw, bare) = (Median::of(thaws), Median::of(bares));
    println!(
        "\n### A call that thaws, {THAWS} interleaved pairs, each after {} ms of rest\n",
        REST.as_millis()
    );
    println!("| | ms |\n|---|---|");
    println!("| a call that finds its sandbox running | {} |", Median::of(running));
    println!("| what thawing adds | {thaw} |");
    println!("| the bare freezer's own thaw | {bare} |");
    println!("\nRatio of the medians: {:.2}.", thaw.median / bare.median);
    Ok(())
}

/// Private dirty memory of an idle sandbox, with all its processes.
async fn memory() -> Result<()> {
    println!("\n### Private dirty memory of a fresh idle sandbox, all its processes, MiB\n");
    println!("| Node.js | called once | nobody's yet |\n|---|---|---|");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes/node_modules");
    let machine = if cfg!(target_arch = "x86_64") { "x64" } else { "arm64" };
    let given = [20, 22, 24].map(|major| folder.join(format!("node{major}-{machine}/bin/node")));
    let mut nodes: Vec<_> = given.into_iter().filter(|node| node.is_file()).map(Some).collect();
    nodes.push(None);
    for node in nodes {
        let versions = node.as_ref().map(|node| format!("nodejs20.x={}", node.display()));
        let mut found: [Vec<f64>; 2] = Default::default();
        for _ in 0..3 {
            for (index, found) in found.iter_mut().enumerate() {
                let kept = if index == 0 { "0" } else { "1" };
                let mut settings = vec![
                    ("CALLGATE_SANDBOX__PREWARMED_MIN", kept),
                    ("CALLGATE_SANDBOX__PREWARMED_MAX", kept),
                ];
                let path = node.as_ref().map(|node| node.to_string_lossy().into_owned());
                if let (Some(versions), Some(path)) = (&versions, &path) {
                    settings.push(("CALLGATE_RUNTIME__VERSIONS", versions));
                    settings.push(("CALLGATE_RUNTIME__NODE", path));
                }
                let stage = Stage::new(&settings).await?;
                if index == 0 {
                    stage.call("echo").await?;
                }
                quiet(stage.gateway.process_id()).await?;
                if monitors::of(stage.gateway.process_id())?.len() != 1 {
                    return Err("there is not one sandbox".into());
                }
                found.push(monitors::dirty(stage.gateway.process_id())? as f64 / f64::from(1 << 20));
            }
        }
        let program = node.as_deref().unwrap_or(Path::new("node"));
        let version = String::from_utf8(Command::new(program).arg("--version").output()?.stdout)?;
        let [called, generic] = found.map(|found| Median::of(found).median);
        let whose = if node.is_some() { "npm's" } else { "on the PATH" };
        println!("| {}, {whose} | {called:.1} | {generic:.1} |", version.trim());
    }
    Ok(())
}

/// Processor time of many frozen sandboxes.
async fn frozen() -> Result<()> {
    let stage = Stage::new(&UNPREPARED).await?;
    // Each has a timer that wants to run all the time.
    const TICKER: &str = "setInterval(() => {}, 1); exports.handler = async (event) => event;";
    for number in 0..CROWD {
        let name = format!("ticker-{number}");
        create(&stage.developer, &stage.role, &name, TICKER).await?;
        stage.call(&name).await?;
    }
    let process = stage.gateway.process_id();
    quiet(process).await?;
    let (before, clock) = (processor::Time::of(process)?, SystemClock::new());
    let began = clock.monotonic();
    tokio::time::sleep(WATCHED).await;
    let spent = processor::Time::of(process)?.since(before);
    let took = clock.monotonic().saturating_sub(began);
    println!("\n### Frozen sandboxes\n");
    println!(
        "{} sandboxes, each with a timer that fires every millisecond while it runs, watched for {:.1} s: they and the helper \
         used {:.0} µs of a processor.",
        monitors::of(process)?.len(),
        took.as_secs_f64(),
        spent.children_us
    );
    Ok(())
}

/// What freezing and thawing cost a function that is called again and again.
async fn often() -> Result<()> {
    let stages = [
        Stage::new(&[("CALLGATE_SANDBOX__FREEZE_DELAY_MS", "5")]).await?,
        Stage::new(&[("CALLGATE_SANDBOX__FREEZE_DELAY_MS", "1000")]).await?,
    ];
    let mut added = Vec::new();
    for pair in 0..=PAIRS {
        let mut shares = [0.0; 2];
        for turn in 0..2 {
            let index = (turn + pair) % 2;
            let stage = &stages[index];
            let clock = SystemClock::new();
            let (before, began) = (processor::Time::of(stage.gateway.process_id())?, clock.monotonic());
            let mut ticks = tokio::time::interval(OFTEN);
            for _ in 0..CALLS {
                ticks.tick().await;
                stage.call("echo").await?;
            }
            let spent = processor::Time::of(stage.gateway.process_id())?.since(before);
            let took = clock.monotonic().saturating_sub(began);
            shares[index] = (spent.own_us + spent.children_us) / (took.as_secs_f64() * 1e6) * 100.0;
        }
        if pair > 0 {
            added.push(shares[0] - shares[1]);
        }
    }
    println!("\n### A function called every {} ms, {PAIRS} interleaved pairs\n", OFTEN.as_millis());
    println!("Freezing and thawing add {} % of a core (gateway, helper and sandboxes).", Median::of(added));
    Ok(())
}
