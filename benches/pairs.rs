//! Two forms of the gateway against each other, in interleaved pairs: `cargo bench --bench pairs -- retries` (with retries that
//! run once, and without), or `-- before PROGRAM` (this build, and another one of the gateway).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its tables")]

#[path = "harness/callgate.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod gateway;
#[path = "harness/server.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod server;
#[path = "harness/stats.rs"]
mod stats;
#[path = "harness/wrk.rs"]
mod wrk;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use self::{
    gateway::{Gateway, Result, deploy_echo, guests_call},
    server::done,
    stats::Median,
};

const PAIRS: usize = 16;
const SECONDS: u32 = 1;
const CONNECTIONS: [u32; 3] = [1, 8, 64];
/// The header in which AWS's SDKs send the id of a call.
const ID: &str = "amz-sdk-invocation-id";
/// Nothing is remembered for no time at all.
const OFF: [(&str, &str); 1] = [("CALLGATE_IDEMPOTENCY__SDK_WINDOW_SECONDS", "0")];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    done(runtime.block_on(async {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] | ["retries"] => retries().await,
            ["before", program] => before(Path::new(program)).await,
            _ => Err("one of: retries, before PROGRAM".into()),
        }
    }))
}

/// A gateway with the echo function, and the script that calls it.
struct Side {
    _folder: tempfile::TempDir,
    _gateway: Gateway,
    url: String,
    script: PathBuf,
}

impl Side {
    async fn start(program: Option<&Path>, settings: &[(&str, &str)], with_ids: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let (gateway, _) = match program {
            Some(program) => Gateway::start_of(program, &data, settings)?,
            None => Gateway::start_with(&data, settings)?,
        };
        deploy_echo(&data)?;
        let call = guests_call(&gateway, &data).await?;
        let script = folder.path().join("call.lua");
        if with_ids {
            call.script_with_ids(ID, &script)?;
        } else {
            call.script(&script)?;
        }
        Ok(Self { _folder: folder, _gateway: gateway, url: call.url, script })
    }
}

async fn retries() -> Result<()> {
    println!("\n### Calls with an SDK's id, remembered ÷ not remembered\n");
    compare(&Side::start(None, &[], true).await?, &Side::start(None, &OFF, true).await?)
}

async fn before(program: &Path) -> Result<()> {
    println!("\n### Warm calls, this build ÷ {}\n", program.display());
    compare(&Side::start(None, &[], false).await?, &Side::start(Some(program), &[], false).await?)
}

fn compare(one: &Side, other: &Side) -> Result<()> {
    println!("{PAIRS} interleaved pairs of {SECONDS} s each: median [95 % interval].\n");
    println!("| connections | rate | p50 |\n|---|---|---|");
    for connections in CONNECTIONS {
        let run = |side: &Side| wrk::run(&side.url, &side.script, connections, SECONDS);
        // Sandboxes and code are warm before anything counts.
        run(one)?;
        run(other)?;
        let (mut rates, mut latencies) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            // Back and forth, so that a drift of the machine favours nobody.
            let (own, others) = if pair % 2 == 0 {
                let own = run(one)?;
                (own, run(other)?)
            } else {
                let others = run(other)?;
                (run(one)?, others)
            };
            rates.push(own.rate / others.rate);
            latencies.push(own.p50_us / others.p50_us);
        }
        println!("| {connections} | {} | {} |", Median::of(rates), Median::of(latencies));
    }
    Ok(())
}
