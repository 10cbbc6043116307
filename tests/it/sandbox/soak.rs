//! Many calls of many functions with faults among them, in a process of its own: what it holds at the end is what it held at
//! the start.
//!
//! The number of calls is `CALLGATE_SOAK`: `make soak` has 200,000 made. The usual number is what `make test` has time for.

use std::{
    cell::Cell,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use callgate::{
    base::{AccountId, Egress, Rng, SystemRng, rng::SeededRng},
    dispatch::{DispatchError, Options, connecting::Connecting},
    functions::change::CodeUpdate,
    quota::QuotaConfig,
    sandbox::network::{self, Network, Range},
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{
    network::world::World,
    stand::{Plan, Stand, invocation, package, users},
};

/// How many calls.
pub const COUNT: &str = "CALLGATE_SOAK";
/// Set in the process that makes them.
const ALONE: &str = "CALLGATE_SOAK_ALONE";
const USUAL: usize = 8_000;
const FUNCTIONS: u32 = 24;
const CALLERS: usize = 16;
/// By how much memory may differ: what the allocator keeps. A hundred bytes left of each of 10⁵ calls would be more.
pub const MEMORY_SLACK_KIB: u64 = 8 << 10;
/// The kernel takes a busy machine's network namespaces down in its own time.
const SETTLING_MAX: Duration = Duration::from_secs(180);

const CODE: &str = "
const fs = require('node:fs');
const { spawn } = require('node:child_process');
exports.handler = async (event) => {
  switch (event.what) {
    case 'exit': process.exit(3);
    case 'kill': process.kill(process.pid, 'SIGKILL'); for (;;);
    case 'throw': throw new Error('thrown');
    case 'late': setImmediate(() => { throw new Error('late'); }); break;
    case 'spin': for (;;);
    case 'hang': await new Promise((ok) => setTimeout(ok, 60_000)); break;
    case 'hoard': for (const kept = [];;) kept.push(new Array(1e5).fill(1.5));
    case 'garbage': fs.writeSync(4, 'this is no frame, and longer than one header'); for (;;);
    case 'close': fs.closeSync(3); fs.closeSync(4); break;
    case 'children': spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref(); break;
    case 'flood': for (let n = 0; n < 5_000; n += 1) console.log('flood', n); break;
    case 'files': fs.writeFileSync(`/tmp/${event.n % 50}`, Buffer.alloc(100_000)); break;
    case 'wait': await new Promise((ok) => setTimeout(ok, 5)); break;
  }
  return event.n;
};";

/// What some calls do, and how many of 10,000. The others answer at once.
const FAULTS: [(&str, u32); 14] = [
    ("exit", 6),
    ("kill", 4),
    ("throw", 20),
    ("late", 4),
    ("spin", 1),
    ("hang", 2),
    ("hoard", 2),
    ("garbage", 4),
    ("close", 4),
    ("children", 4),
    ("flood", 4),
    ("files", 30),
    ("wait", 100),
    // The caller leaves.
    ("leave", 100),
];
/// So many of 10,000 rounds change a function instead, and delete one.
const UPDATES: u32 = 3;
const DELETIONS: u32 = 1;

/// Whether this process runs the test of this name alone. If not, one does now: other tests open and close what is counted.
pub fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut own = Command::new(std::env::current_exe().unwrap());
    let ran = own.args(["--exact", test, "--nocapture"]).env(ALONE, "yes").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    println!("{said}");
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    false
}

#[test]
fn nothing_is_left_of_many_calls() {
    if !is_alone("sandbox::soak::nothing_is_left_of_many_calls") {
        return;
    }
    if rustix::process::geteuid().is_root() {
        let world = World::new();
        let resolvers = world.resolvers.path().to_owned();
        world.on_host(|| soak(Egress::Internet, resolvers));
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(soak(Egress::Nothing, PathBuf::from("/etc/resolv.conf")));
    }
}

/// What this process holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub descriptors: usize,
    /// Those that descend from it.
    pub processes: usize,
    mounts: usize,
    pub groups: usize,
    pub links: usize,
    pub free_users: usize,
}

impl Held {
    pub fn now() -> Self {
        let links = Command::new("ip").args(["-o", "link"]).output().unwrap();
        // As many as there may be at most, since those that share a user have no end of it.
        let free: Vec<_> = (0..1_000).map_while(|_| users().take()).collect();
        Self {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            processes: descendants(),
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(),
            groups: groups(Path::new("/sys/fs/cgroup"), 4),
            links: links.stdout.iter().filter(|byte| **byte == b'\n').count(),
            free_users: free.len(),
        }
    }
}

fn descendants() -> usize {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let Ok(process) = entry.unwrap().file_name().to_string_lossy().parse() else { continue };
        if let Some(parent) = super::processes::field(process, "PPid:") {
            children.entry(parent.parse().unwrap()).or_default().push(process);
        }
    }
    let mut next = children.remove(&std::process::id()).unwrap_or_default();
    let mut count = 0;
    while let Some(process) = next.pop() {
        count += 1;
        next.extend(children.remove(&process).unwrap_or_default());
    }
    count
}

/// Control groups of this process's sandboxes below a folder.
fn groups(folder: &Path, depth: u32) -> usize {
    let own = format!("callgate-{}-", std::process::id());
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    folders
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| match entry.file_name().to_string_lossy().starts_with(&own) {
            true => fs::read_dir(entry.path()).map_or(0, |inside| {
                inside.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).count()
            }),
            false if depth > 0 => groups(&entry.path(), depth - 1),
            false => 0,
        })
        .sum()
}

pub fn memory_kib() -> u64 {
    let map = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    map.lines()
        .filter(|line| line.starts_with("Private_"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
        .sum()
}

pub static SHORT: AtomicBool = AtomicBool::new(false);

/// Ends all sandboxes as a machine short of memory does, and waits until what they held is given back.
pub async fn settled(stand: &Stand, wanted: impl Fn(&Held) -> bool) -> Held {
    let settling = async {
        loop {
            SHORT.store(true, Ordering::SeqCst);
            stand.dispatch.sweep();
            SHORT.store(false, Ordering::SeqCst);
            if stand.dispatch.sandboxes() == 0 {
                let held = Held::now();
                if wanted(&held) {
                    return held;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SETTLING_MAX, settling).await.unwrap_or_else(|_| Held::now())
}

async fn soak(egress: Egress, resolvers: PathBuf) {
    let calls = std::env::var(COUNT).map_or(USUAL, |count| count.parse().unwrap());
    // Nobody takes connections to the API: they are closed.
    let (connections, _) = tokio::sync::mpsc::channel(1);
    let options = network::Options {
        egress: egress.clone(),
        range: Range::new([100, 64, 0, 0].into(), 16).unwrap(),
        setup: true,
        resolvers,
        connections,
        rng: Arc::new(SystemRng),
    };
    let network = Network::open(options).await.unwrap();
    let plan = Plan {
        options: Options {
            sandboxes_max: 40,
            function_sandboxes_max: 4,
            prewarmed_min: 1,
            prewarmed_max: 2,
            is_memory_short: || SHORT.load(Ordering::SeqCst),
            ..Plan::default().options
        },
        network: Connecting::by(network, egress),
        quota: QuotaConfig {
            account_concurrency: 1_000,
            account_rate: 1_000_000.try_into().unwrap(),
            ..QuotaConfig::default()
        },
        ..Plan::default()
    };
    let stand = Stand::of(plan).await;
    let first = Held::now();
    for number in 0..FUNCTIONS {
        deploy(&stand, &name(number)).await;
    }
    // What is opened once and kept is there after that: the helper that joins, connections of the store, the allocator's.
    Round::of(&stand, 1).calls(calls / 10).await;
    let before = settled(&stand, |held| {
        (held.links, held.groups, held.mounts, held.free_users)
            == (first.links, first.groups, first.mounts, first.free_users)
    })
    .await;
    let memory_before = memory_kib();
    let round = Round::of(&stand, 2);
    round.calls(calls).await;
    if rustix::process::geteuid().is_root() {
        // What is counted is there while sandboxes are.
        let during = Held::now();
        assert!(
            during.descriptors > before.descriptors
                && during.processes > before.processes
                && during.groups > before.groups
                && during.links > before.links
                && during.free_users < before.free_users,
            "{during:?}"
        );
    }
    let after = settled(&stand, |held| *held == before).await;
    let memory_after = memory_kib();
    println!("soak: {calls} calls: {}", round.told());
    println!("soak: {before:?}, then {after:?}; private memory {memory_before} KiB, then {memory_after} KiB");
    assert_eq!(after, before);
    assert!(
        memory_after <= memory_before + MEMORY_SLACK_KIB,
        "{memory_before} KiB became {memory_after} KiB"
    );
    assert!(round.answered.get() > calls * 9 / 10, "{}", round.told());
    stand.close().await;
}

fn name(number: u32) -> String {
    format!("fn-{number}")
}

async fn deploy(stand: &Stand, name: &str) {
    stand.deploy_with(name, CODE, |settings| settings.timeout_seconds = Some(2)).await;
}

/// A number below this one.
pub fn draw(rng: &SeededRng, below: u32) -> u32 {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    u32::from_le_bytes(bytes) % below
}

/// Has so many callers at once take turns until so many calls, numbered from 1, are made.
pub async fn by_callers(callers: usize, calls: usize, call: impl AsyncFn(usize)) {
    let next = Cell::new(0);
    let caller = async || {
        while next.get() < calls {
            next.set(next.get() + 1);
            call(next.get()).await;
        }
    };
    join_all((0..callers).map(|_| caller())).await;
}

struct Round<'s> {
    stand: &'s Stand,
    rng: SeededRng,
    answered: Cell<usize>,
    failed: Cell<usize>,
    refused: Cell<usize>,
    left: Cell<usize>,
    cold: Cell<usize>,
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

impl<'s> Round<'s> {
    fn of(stand: &'s Stand, seed: u64) -> Self {
        let zero = || Cell::new(0);
        Self {
            stand,
            rng: SeededRng::new(seed),
            answered: zero(),
            failed: zero(),
            refused: zero(),
            left: zero(),
            cold: zero(),
        }
    }

    fn told(&self) -> String {
        format!(
            "{} answered, {} ended in an error, {} refused, {} callers left; {} sandboxes were used",
            self.answered.get(),
            self.failed.get(),
            self.refused.get(),
            self.left.get(),
            self.cold.get()
        )
    }

    fn draw(&self, below: u32) -> u32 {
        draw(&self.rng, below)
    }

    /// So many calls, by a few callers at once.
    async fn calls(&self, calls: usize) {
        by_callers(CALLERS, calls, async |number| self.call(number).await).await;
    }

    async fn call(&self, number: usize) {
        // Some are called often and some seldom.
        let name = name(self.draw(FUNCTIONS).min(self.draw(FUNCTIONS)));
        let mut drawn = self.draw(10_000);
        if drawn < UPDATES {
            let code = format!("{CODE}//{number}");
            let update = CodeUpdate { zip: package(&code), ..CodeUpdate::default() };
            // One that is just being changed, or is gone, stays as it is.
            let _ = self.stand.functions.update_code(&self.stand.named(&name), update).await;
            return;
        }
        drawn -= UPDATES;
        if drawn < DELETIONS {
            if self.stand.functions.delete(&self.stand.named(&name)).await.is_ok() {
                self.stand.dispatch.retire(AccountId::DEFAULT, &name);
                deploy(self.stand, &name).await;
            }
            return;
        }
        drawn -= DELETIONS;
        let mut what = "answer";
        for (fault, weight) in FAULTS {
            if drawn < weight {
                what = fault;
                break;
            }
            drawn -= weight;
        }
        let payload = json!({ "what": if what == "leave" { "wait" } else { what }, "n": number }).to_string();
        let patience = if what == "leave" { u64::from(self.draw(6)) } else { 60_000 };
        let called = self.stand.try_run(&name, invocation(&name, &payload));
        match timeout(Duration::from_millis(patience), called).await {
            Err(_) => {
                assert_eq!(what, "leave", "a call hung");
                count(&self.left);
            }
            // It is gone, or being made anew.
            Ok(None) | Ok(Some(Err(DispatchError::Saturated(_)))) => count(&self.refused),
            Ok(Some(Err(error))) => panic!("{error}"),
            Ok(Some(Ok(outcome))) => {
                if outcome.cold.is_some() {
                    count(&self.cold);
                }
                if outcome.function_error.is_some() {
                    count(&self.failed);
                } else {
                    assert_eq!(outcome.payload, number.to_string());
                    count(&self.answered);
                }
            }
        }
    }
}
