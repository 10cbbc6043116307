//! What limits cost and what they keep: `cargo bench --bench limits [-- part…]`, where a part is `throttled` (a refusal beside an
//! answer of axum alone) or `fair` (a caller beside another who floods the function).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its tables")]

#[path = "harness/axum_alone.rs"]
mod axum_alone;
#[path = "harness/callgate.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod gateway;
#[path = "harness/server.rs"]
mod server;
#[path = "harness/stats.rs"]
mod stats;
#[path = "harness/wrk.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod wrk;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use http::StatusCode;

use self::{
    gateway::{Gateway, Result, deploy, deploy_echo, developers_call, guests_call},
    server::{Server, done},
    stats::Median,
};

const PAIRS: usize = 12;
const SECONDS: u32 = 1;
/// What a refusal says, about.
const REFUSAL: &str = "{\"Reason\":\"CallerRateLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate Exceeded.\",\"retryAfterSeconds\":\"1\"}";
/// The function of `fair`, how long each call of it takes, and how many run at once.
const SLOW: &str = "exports.handler = (event) => new Promise((done) => setTimeout(done, 5, event));";
const TAKES_MS: f64 = 5.0;
const AT_ONCE: &str = "4";
/// Connections of whoever floods: a hundred times the share of a caller with one.
const FLOOD: u32 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "--axum") {
        return done(axum_alone::serve(StatusCode::TOO_MANY_REQUESTS, REFUSAL));
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    done(runtime.block_on(async {
        if wanted("throttled") {
            throttled().await?;
        }
        if wanted("fair") {
            fair().await?;
        }
        Ok(())
    }))
}

/// Calls that are refused before any cryptography, beside axum alone.
async fn throttled() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let axum = Server::start(Command::new(std::env::current_exe()?).arg("--axum"))?;
    // Enough for what sets it up, and one a minute after that.
    let rule = "[{ name = \"few\", by = \"address\", class = \"invoke\", rate = 1, per = \"minute\" }]";
    let (gateway, _) = Gateway::start_with(&data, &[("CALLGATE_LIMITS__RULES", rule)])?;
    deploy_echo(&data)?;
    let call = guests_call(&gateway, &data).await?;
    let script = folder.path().join("call.lua");
    call.script(&script)?;
    println!("\n### Calls that are refused, axum alone ÷ the gateway, by rate: what a refusal costs\n");
    println!("{PAIRS} interleaved pairs of {SECONDS} s each: median [95 % interval].\n");
    println!("| connections | cost ÷ axum's | refusals a second |\n|---|---|---|");
    for connections in [1, 64] {
        let run = |url: &str| -> Result<wrk::Run> {
            let (run, refused) = wrk::run_whatever(url, &script, connections, SECONDS)?;
            // The first of a minute is not.
            (run.calls - refused < 2.0).then_some(run).ok_or_else(|| "calls were not refused".into())
        };
        run(&axum.url)?;
        run(&call.url)?;
        let (mut costs, mut rates) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let order = if pair % 2 == 0 { [&axum.url, &call.url] } else { [&call.url, &axum.url] };
            let mut found = [run(order[0])?, run(order[1])?];
            if pair % 2 == 1 {
                found.reverse();
            }
            let [reference, own] = found;
            costs.push(reference.rate / own.rate);
            rates.push(own.rate);
        }
        println!("| {connections} | {} | {:.0} |", Median::of(costs), Median::of(rates).median);
    }
    Ok(())
}

/// A load that runs beside; ended when dropped.
struct Beside(Child);

impl Beside {
    fn begin(url: &str, script: &Path, connections: u32) -> Result<Self> {
        let child = Command::new("wrk")
            .args(["-t1", &format!("-c{connections}"), "-d30s", "-s"])
            .arg(script)
            .arg(url)
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a caller with one call at a time sees of another's hundred, on a function of which four run at once.
async fn fair() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, _) = Gateway::start_with(&data, &[("CALLGATE_SANDBOX__FUNCTION_SANDBOXES_MAX", AT_ONCE)])?;
    deploy(&data, SLOW)?;
    let mut scripts: Vec<PathBuf> = Vec::new();
    let mut url = String::new();
    // Guests of one address have one share together, so whoever is quiet is no guest.
    for (who, call) in [("quiet", developers_call(&gateway)?), ("flood", guests_call(&gateway, &data).await?)]
    {
        let script = folder.path().join(format!("{who}.lua"));
        call.script(&script)?;
        url = call.url;
        scripts.push(script);
    }
    let one = || wrk::run(&url, &scripts[0], 1, SECONDS);
    one()?;
    let (mut ratios, mut places, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let alone = one()?;
        let beside = Beside::begin(&url, &scripts[1], FLOOD)?;
        // What it needs to fill the line counts for nothing.
        one()?;
        let flooded = one()?;
        drop(beside);
        ratios.push(flooded.p50_us / alone.p50_us);
        shares.push(flooded.rate / alone.rate);
        let every_ms = TAKES_MS / AT_ONCE.parse::<f64>()?;
        places.push((flooded.p50_us - alone.p50_us) / 1e3 / every_ms);
    }
    println!("\n### One call at a time beside {FLOOD} of another caller, {AT_ONCE} running at once\n");
    println!("{PAIRS} pairs of {SECONDS} s each: median [95 % interval].\n");
    println!("| p50 ÷ alone | rate ÷ alone | places waited for |\n|---|---|---|");
    println!("| {} | {} | {} |", Median::of(ratios), Median::of(shares), Median::of(places));
    Ok(())
}
