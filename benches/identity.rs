//! Identities beside their references, in interleaved pairs: credentials beside axum alone, new guests beside the disk, and
//! what a million identities cost. `cargo bench --bench identity [-- part…]`, where a part is `credentials`, `guests` or
//! `million`.

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
    fmt::Write as _,
    fs,
    io::Write,
    path::Path,
    process::{Command, ExitCode},
};

use callgate::{
    app::client::Door,
    base::{Clock, SystemClock},
    store::sqlite::SqliteStore,
};
use http::StatusCode;
use serde_json::{Value, json};

use self::{
    gateway::{Gateway, Result, run},
    server::{Server, done},
    stats::Median,
};

const PAIRS: usize = 12;
const SECONDS: u32 = 1;
const CONNECTIONS: u32 = 64;
/// Identities that the load asks for in turn.
const KNOWN: usize = 64;
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// What axum alone answers with: about as much as credentials are.
const ANSWER: &str = "{\"Credentials\":{\"SessionToken\":\"";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "--axum") {
        let answer = format!("{ANSWER}{}\"}}}}", "x".repeat(1_100));
        return done(axum_alone::serve(StatusCode::OK, answer.leak()));
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    done(runtime.block_on(async {
        if wanted("credentials") {
            credentials().await?;
        }
        if wanted("guests") {
            guests()?;
        }
        if wanted("million") {
            million().await?;
        }
        Ok(())
    }))
}

/// A script that sends these bodies in turn.
fn script(file: &Path, operation: &str, bodies: &[String]) -> Result<()> {
    let mut lua = format!(
        "wrk.method = \"POST\"\nwrk.headers[\"content-type\"] = \"application/x-amz-json-1.1\"\n\
         wrk.headers[\"x-amz-target\"] = \"AWSCognitoIdentityService.{operation}\"\nlocal bodies = {{\n"
    );
    for body in bodies {
        writeln!(lua, "  [==[{body}]==],")?;
    }
    lua.push_str(
        "}\nlocal turn = 0\nfunction request()\n  turn = turn % #bodies + 1\n  \
         return wrk.format(nil, nil, nil, bodies[turn])\nend\n",
    );
    Ok(fs::write(file, lua)?)
}

fn pool(data: &Path, name: &str) -> Result<String> {
    let made = run(data, &["pools", "create", name, "--with-default-roles", "--allow-guests"])?;
    let made: Value = serde_json::from_str(&made)?;
    Ok(made["IdentityPoolId"].as_str().ok_or("the pool has no id")?.to_owned())
}

async fn ask(gateway: &Gateway, operation: &str, input: Value) -> Result<Value> {
    let target = format!("AWSCognitoIdentityService.{operation}");
    Ok(gateway.anyone()?.json(Door::Data, &target, "cognito-identity", &input).await?)
}

fn asking_for(id: &str) -> String {
    json!({ "IdentityId": id }).to_string()
}

/// A gateway with a pool and [`KNOWN`] guests; what identities take in memory is `cache_mib`.
async fn with_guests(folder: &Path, cache_mib: &str) -> Result<(Gateway, Vec<String>)> {
    let data = folder.join("data");
    let (gateway, _) = Gateway::start_with(&data, &[("CALLGATE_IDENTITY__CACHE_MIB", cache_mib)])?;
    let pool = pool(&data, "bench")?;
    let mut bodies = Vec::new();
    for _ in 0..KNOWN {
        let made = ask(&gateway, "GetId", json!({ "IdentityPoolId": pool })).await?;
        bodies.push(asking_for(made["IdentityId"].as_str().ok_or("no identity id")?));
    }
    Ok((gateway, bodies))
}

/// Credentials of known identities, from memory and from the store, beside axum alone.
async fn credentials() -> Result<()> {
    let (cached, read) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let axum = Server::start(Command::new(std::env::current_exe()?).arg("--axum"))?;
    let (known, known_bodies) = with_guests(cached.path(), "16").await?;
    let (unknown, unknown_bodies) = with_guests(read.path(), "0").await?;
    let scripts = [cached.path().join("call.lua"), read.path().join("call.lua")];
    script(&scripts[0], "GetCredentialsForIdentity", &known_bodies)?;
    script(&scripts[1], "GetCredentialsForIdentity", &unknown_bodies)?;
    let contenders = [(&axum.url, &scripts[0]), (&known.url, &scripts[0]), (&unknown.url, &scripts[1])];
    for (url, script) in contenders {
        wrk::run(url, script, CONNECTIONS, SECONDS)?;
    }
    let (mut from_memory, mut from_store, mut absolute) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let mut rates = [0.0; 3];
        let order = if pair % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
        for index in order {
            let (url, script) = contenders[index];
            rates[index] = wrk::run(url, script, CONNECTIONS, SECONDS)?.rate;
        }
        absolute.push(rates[0]);
        from_memory.push(rates[1] / rates[0]);
        from_store.push(rates[2] / rates[0]);
    }
    println!(
        "\n### GetCredentialsForIdentity ÷ axum alone, {CONNECTIONS} connections, {PAIRS} interleaved runs\n\n\
         | identity in memory (wanted ≥ 0.3) | read from the store (wanted ≥ 0.1) | axum alone a second |\n|---|---|---|\n\
         | {} | {} | {:.0} |",
        Median::of(from_memory),
        Median::of(from_store),
        Median::of(absolute).median
    );
    Ok(())
}

/// How often a second this disk makes 4 KiB last.
fn syncs(file: &mut fs::File) -> Result<f64> {
    let clock = SystemClock::new();
    let began = clock.monotonic();
    let mut count = 0.0;
    loop {
        file.write_all(&[b'x'; 4096])?;
        file.sync_data()?;
        count += 1.0;
        let took = clock.monotonic().saturating_sub(began).as_secs_f64();
        if took >= f64::from(SECONDS) {
            return Ok(count / took);
        }
    }
}

/// New guests beside the disk's own rate of syncs.
fn guests() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let limits = ["GUEST_ADDRESS_RATE", "GUEST_ADDRESS_BURST", "GUEST_POOL_RATE", "GUEST_POOL_BURST"]
        .map(|limit| format!("CALLGATE_LIMITS__{limit}"));
    let unlimited: Vec<(&str, &str)> = limits.iter().map(|limit| (&**limit, "1000000")).collect();
    let (gateway, _) = Gateway::start_with(&data, &unlimited)?;
    let file = folder.path().join("call.lua");
    script(&file, "GetId", &[json!({ "IdentityPoolId": pool(&data, "bench")? }).to_string()])?;
    let mut disk = fs::File::create(folder.path().join("disk"))?;
    wrk::run(&gateway.url, &file, CONNECTIONS, SECONDS)?;
    let (mut ratios, mut absolute) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let syncs = syncs(&mut disk)?;
        let rate = wrk::run(&gateway.url, &file, CONNECTIONS, SECONDS)?.rate;
        ratios.push(rate / syncs);
        absolute.push(rate);
    }
    println!(
        "\n### New guests ÷ the disk's syncs, {CONNECTIONS} connections, {PAIRS} interleaved runs\n\n\
         | ratio (wanted ≥ 1) | new guests a second |\n|---|---|\n| {} | {:.0} |",
        Median::of(ratios),
        Median::of(absolute).median
    );
    Ok(())
}

/// System calls that read, so far.
fn reads(process: u32) -> Result<f64> {
    let io = fs::read_to_string(format!("/proc/{process}/io"))?;
    let reads = io.lines().find_map(|line| line.strip_prefix("syscr: "));
    Ok(reads.and_then(|reads| reads.parse().ok()).ok_or("the system counts no reads")?)
}

/// Adds guests to a pool behind the gateway's back, which is what a year of them looks like.
async fn fill(data: &Path, pool: &str, from: usize, to: usize) -> Result<()> {
    let store = SqliteStore::open(&data.join("callgate.db")).await?;
    let mut write = store.write().await?;
    sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT ?2 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?3)
         INSERT INTO identities (id, pool_id, born_ms, modified_ms, revision)
         SELECT printf('us-east-1:%08x-0000-4000-8000-%012x', (n * 2654435761) & 4294967295, n), ?1, 0, 0, 0
         FROM numbers",
    )
    .bind(pool)
    .bind(i64::try_from(from)?)
    .bind(i64::try_from(to)?)
    .execute(write.connection())
    .await?;
    write.commit().await?;
    store.close().await;
    Ok(())
}

fn filled(number: usize) -> String {
    let number = number as u64;
    format!("us-east-1:{:08x}-0000-4000-8000-{number:012x}", (number * 2_654_435_761) & 0xffff_ffff)
}

/// What a gateway costs with few identities and with a million.
async fn million() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (gateway, _) = Gateway::start(&data)?;
    let pool = pool(&data, "bench")?;
    gateway.stop()?;
    println!(
        "\n### A million identities\n\n| identities | gateway, private MiB | ready after, ms | store, MiB | reads a call |\n\
         |---|---|---|---|---|"
    );
    let mut there = 0;
    for count in [FEW, MANY] {
        fill(&data, &pool, there, count).await?;
        there = count;
        let (gateway, ready) = Gateway::start(&data)?;
        // Each once, so that none is known; spread over all there are.
        let asked: Vec<String> = (0..FEW).map(|number| asking_for(&filled(number * (count / FEW)))).collect();
        let mut before = 0.0;
        for (number, body) in asked.iter().enumerate() {
            if number == FEW / 2 {
                before = reads(gateway.process_id())?;
            }
            ask(&gateway, "GetCredentialsForIdentity", serde_json::from_str(body)?).await?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        let a_call = (reads(gateway.process_id())? - before) / (FEW - FEW / 2) as f64;
        #[expect(clippy::cast_precision_loss, reason = "bytes, as MiB")]
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "| {count} | {:.1} | {} | {:.1} | {a_call:.2} |",
            mib(gateway.private_memory()?),
            ready.as_millis(),
            mib(fs::metadata(data.join("callgate.db"))?.len()),
        );
        gateway.stop()?;
    }
    Ok(())
}
