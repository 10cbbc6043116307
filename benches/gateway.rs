//! The gateway beside its reference, in interleaved pairs; prints the tables of docs/performance.md.
//!
//! `cargo bench --bench gateway [-- part…]`, where a part is `warm`, `processor`, `first`, `memory` or `ready`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its tables")]

#[path = "harness/callgate.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod gateway;
#[path = "harness/processor.rs"]
mod processor;
mod reference;
#[path = "harness/server.rs"]
mod server;
#[path = "harness/stats.rs"]
mod stats;
#[path = "harness/wrk.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod wrk;

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use callgate::base::{Clock, SystemClock};

use self::{
    gateway::{Gateway, Result, body, create_echo, deploy_echo, guests_call, role},
    server::{Server, done},
    stats::Median,
    wrk::Request,
};

/// Pairs of runs for each figure. Ten is the least for which order statistics give 95 % without the extremes.
const PAIRS: usize = 12;
const SECONDS: u32 = 1;
const CONNECTIONS: [u32; 3] = [1, 8, 64];
const FUNCTIONS: usize = 1_000;
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/reference");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "--reference") {
        return done(reference::serve(&format!("{FOLDER}/worker.js")).map_err(Into::into));
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    done(runtime.block_on(async {
        if wanted("warm") {
            warm().await?;
        }
        if wanted("processor") {
            processor_time().await?;
        }
        if wanted("first") {
            first_calls().await?;
        }
        if wanted("memory") {
            memory().await?;
        }
        if wanted("ready") {
            ready().await?;
        }
        Ok(())
    }))
}

fn plain_request() -> Request {
    let headers = vec![("content-type".into(), "application/json".into())];
    Request { url: String::new(), headers, body: body() }
}

/// Warm calls: rate and latency beside the minimal gateway and bare Node.js.
async fn warm() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, _) = Gateway::start(&data)?;
    deploy_echo(&data)?;
    let plain = plain_request();
    let node = Server::start(Command::new("node").arg(format!("{FOLDER}/node-http.js")))?;
    let reference = Server::start(Command::new(std::env::current_exe()?).arg("--reference"))?;
    let call = guests_call(&gateway, &data).await?;

    let plain_script = folder.path().join("plain.lua");
    plain.script(&plain_script)?;
    let call_script = folder.path().join("call.lua");
    call.script(&call_script)?;
    let contenders: [(&str, &Path); 3] =
        [(&reference.url, &plain_script), (&call.url, &call_script), (&node.url, &plain_script)];

    println!("\n### Warm calls\n");
    println!(
        "Ratios to the minimal gateway, {PAIRS} interleaved runs of {SECONDS} s each: median [95 % interval].\n"
    );
    println!(
        "| connections | Callgate, rate | Callgate, p50 | bare node:http, rate | minimal gateway a second |"
    );
    println!("|---|---|---|---|---|");
    for connections in CONNECTIONS {
        // Everyone's sandboxes, workers and code are warm before anything counts.
        for (url, script) in contenders {
            wrk::run(url, script, connections, SECONDS)?;
        }
        let (mut rates, mut latencies, mut nodes, mut absolute) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let mut runs = [None; 3];
            // Back and forth, so that a drift of the machine favours nobody.
            let order = if pair % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
            for index in order {
                let (url, script) = contenders[index];
                runs[index] = Some(wrk::run(url, script, connections, SECONDS)?);
            }
            let [Some(reference), Some(own), Some(node)] = runs else { continue };
            rates.push(own.rate / reference.rate);
            latencies.push(own.p50_us / reference.p50_us);
            nodes.push(node.rate / reference.rate);
            absolute.push(reference.rate);
        }
        println!(
            "| {connections} | {} | {} | {} | {:.0} |",
            Median::of(rates),
            Median::of(latencies),
            Median::of(nodes),
            Median::of(absolute).median
        );
    }
    Ok(())
}

/// Processor time of a warm call, of the gateway and of its sandboxes, beside the minimal gateway's.
async fn processor_time() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, _) = Gateway::start(&data)?;
    deploy_echo(&data)?;
    let reference = Server::start(Command::new(std::env::current_exe()?).arg("--reference"))?;
    let call = guests_call(&gateway, &data).await?;
    let (plain_script, call_script) = (folder.path().join("plain.lua"), folder.path().join("call.lua"));
    plain_request().script(&plain_script)?;
    call.script(&call_script)?;
    println!("\n### Processor time of a warm call, µs, median of {PAIRS} runs of {SECONDS} s\n");
    println!(
        "| connections | Callgate | its sandboxes | minimal gateway | its workers |\n|---|---|---|---|---|"
    );
    let contenders = [
        (gateway.process_id(), &*call.url, &*call_script),
        (reference.process.id(), &*reference.url, &*plain_script),
    ];
    for connections in CONNECTIONS {
        let mut found: [Vec<f64>; 4] = Default::default();
        for pair in 0..=PAIRS {
            for (index, (id, url, script)) in contenders.into_iter().enumerate() {
                let before = processor::Time::of(id)?;
                let run = wrk::run(url, script, connections, SECONDS)?;
                let spent = processor::Time::of(id)?.since(before);
                // The first run warms everything up.
                if pair > 0 {
                    found[2 * index].push(spent.own_us / run.calls);
                    found[2 * index + 1].push(spent.children_us / run.calls);
                }
            }
        }
        let [own, sandboxes, minimal, workers] = found.map(|found| Median::of(found).median);
        println!("| {connections} | {own:.1} | {sandboxes:.1} | {minimal:.1} | {workers:.1} |");
    }
    Ok(())
}

/// The first call of a function that nobody has called, beside `node -e 0`.
async fn first_calls() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, _) = Gateway::start(&data)?;
    deploy_echo(&data)?;
    let developer = gateway.developer()?;
    let role = role(&developer).await?;
    let name = |number: usize| format!("first-{number}");
    for number in 0..PAIRS {
        create_echo(&developer, &role, &name(number)).await?;
    }
    // The connection and the root key's signing key are warm; the function is not.
    developer.invoke("echo", "0".into(), None, false).await?;
    let clock = SystemClock::new();
    let (mut ratios, mut calls, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let node = async || -> Result<f64> {
            let began = clock.monotonic();
            let status = Command::new("node")
                .args(["-e", "0"])
                .env_clear()
                .env("PATH", std::env::var("PATH")?)
                .status()?;
            let took = clock.monotonic().saturating_sub(began);
            if status.success() { Ok(took.as_secs_f64() * 1e3) } else { Err("node -e 0 failed".into()) }
        };
        let call = async || -> Result<f64> {
            let began = clock.monotonic();
            developer.invoke(&name(number), "0".into(), None, false).await?;
            Ok(clock.monotonic().saturating_sub(began).as_secs_f64() * 1e3)
        };
        let (own, bare) = if number % 2 == 0 {
            let own = call().await?;
            (own, node().await?)
        } else {
            let bare = node().await?;
            (call().await?, bare)
        };
        ratios.push(own / bare);
        calls.push(own);
        nodes.push(bare);
    }
    println!("\n### First call of a fresh function\n");
    println!("| first call ÷ `node -e 0` | first call, ms | `node -e 0`, ms |\n|---|---|---|");
    println!(
        "| {} | {:.1} | {:.1} |",
        Median::of(ratios),
        Median::of(calls).median,
        Median::of(nodes).median
    );
    Ok(())
}

/// What the gateway itself needs, without any sandbox.
async fn memory() -> Result<()> {
    let mut found = Vec::new();
    for _ in 0..5 {
        let folder = tempfile::tempdir()?;
        let (gateway, _) = Gateway::start(&folder.path().join("data"))?;
        gateway.developer()?.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?;
        found.push(gateway.private_memory()? as f64 / f64::from(1 << 20));
        gateway.stop()?;
    }
    println!(
        "\n### Memory\n\nPrivate memory of the gateway without sandboxes: {:.1} MiB.",
        Median::of(found).median
    );
    Ok(())
}

/// How long a start takes with many functions deployed.
async fn ready() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, empty) = Gateway::start(&data)?;
    deploy_echo(&data)?;
    let developer = gateway.developer()?;
    let role = role(&developer).await?;
    for number in 1..FUNCTIONS {
        create_echo(&developer, &role, &format!("function-{number}")).await?;
    }
    gateway.stop()?;
    let mut found = Vec::new();
    for _ in 0..PAIRS {
        let (gateway, took) = Gateway::start(&data)?;
        found.push(took.as_secs_f64() * 1e3);
        gateway.stop()?;
    }
    println!(
        "\n### Start\n\nFrom exec to ready with {FUNCTIONS} functions deployed: {:.0} ms;",
        Median::of(found).median
    );
    println!("the first start, on an empty folder: {:.0} ms.", empty.as_secs_f64() * 1e3);
    Ok(())
}
