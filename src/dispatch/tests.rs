//! Invocations in real sandboxes: real bubblewrap, real Node.js, the real bootstrap.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Dispatch, Options, Outcome, Pools, invocation::Invocation, logs::GatewayLog, start::Starter};
use crate::{
    base::{AccountId, Caller, Principal, RequestId, SystemClock, SystemRng, clock::SharedClock},
    functions::{
        Target,
        config::Settings,
        name::LATEST,
        package::hostile::{Entry, archive},
        testing::{ACCOUNT, Fixture, region, settings},
    },
    policy,
    quota::{Quota, QuotaConfig},
    sandbox::{RuntimeFiles, Spawner, detect, uids::Uids},
};

struct Bench {
    fixture: Fixture,
    dispatch: Dispatch,
    quota: Quota,
}

/// A caller whom policy lets do anything: the permit is real, the question is not what is tested here.
fn permit() -> policy::Permit {
    let root = Caller {
        account: ACCOUNT,
        principal: Principal::Root,
        access_key_id: "AKIA".into(),
        identity: None,
        session_expires: None,
    };
    policy::permit_root(&root, "lambda:InvokeFunction", "*").unwrap()
}

fn node() -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("node"))
        .find(|node| node.is_file())
        .expect("node in PATH")
}

impl Bench {
    async fn new() -> Self {
        Self::with(Options {
            sandboxes_max: 20,
            function_sandboxes_max: 20,
            line_max: 100,
            busy_sandboxes: 4,
            idle: Duration::from_secs(300),
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let fixture = Fixture::new().await;
        let clock: SharedClock = Arc::new(SystemClock::new());
        let runtime = RuntimeFiles::unpack(&fixture.data.path().join("runtime")).unwrap();
        let uids = rustix::process::geteuid().is_root().then(|| Uids::new(310_000, 1000));
        let starter = Starter {
            spawner: Spawner::new(4, 100, uids).unwrap(),
            bwrap: detect::bubblewrap().unwrap(),
            node: node(),
            runtime: runtime.folder().to_owned(),
            processes_max: 1024,
            region: region(),
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
        };
        let pools = Pools::new(options, starter, clock.clone());
        let dispatch = Dispatch::new(pools, clock.clone(), Arc::new(GatewayLog));
        let quota = Quota::new(QuotaConfig { account_concurrency: 1000, ..QuotaConfig::default() }, clock);
        Self { fixture, dispatch, quota }
    }

    async fn deploy(&self, name: &str, code: &str, settings: Settings) -> Target {
        let zip = archive(&[Entry::file("index.js", code)]);
        self.fixture.functions.create(ACCOUNT, name, &settings, BTreeMap::new(), zip.into()).await.unwrap();
        self.target(name)
    }

    fn target(&self, name: &str) -> Target {
        Target { function: self.fixture.functions.find(ACCOUNT, name).unwrap(), version: LATEST }
    }

    async fn invoke(&self, target: &Target, payload: &str) -> Outcome {
        self.call(target, payload, false).await
    }

    async fn call(&self, target: &Target, payload: &str, log_tail: bool) -> Outcome {
        let invocation = Invocation {
            id: RequestId::draw(&SystemRng),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            invoked_arn: target.function.arn.to_string(),
            identity: None,
            client_context: None,
            log_tail,
        };
        let admission = self.quota.admit(AccountId::DEFAULT).unwrap();
        self.dispatch.run(&permit(), admission, target.clone(), invocation).await.unwrap()
    }

    async fn end(self) {
        self.dispatch.shutdown(Duration::from_secs(10)).await;
        assert_eq!(self.dispatch.sandboxes(), 0, "every sandbox is gone");
        assert_eq!(self.quota.running(ACCOUNT), 0, "every slot is free");
    }
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.payload).unwrap()
}

fn seconds(timeout_seconds: i64) -> Settings {
    Settings { timeout_seconds: Some(timeout_seconds), ..settings() }
}

fn classic() -> Settings {
    Settings { runtime: Some("nodejs".to_owned()), ..settings() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_started_once_and_used_again() {
    let bench = Bench::new().await;
    let code = "let calls = 0; exports.handler = async (event) => ({ event, calls: ++calls });";
    let target = bench.deploy("count", code, settings()).await;
    let first = bench.invoke(&target, r#"{"a":"ü"}"#).await;
    assert_eq!((json(&first), first.cold), (json!({ "event": { "a": "ü" }, "calls": 1 }), true));
    let second = bench.invoke(&target, "[1]").await;
    assert_eq!((json(&second), second.cold), (json!({ "event": [1], "calls": 2 }), false));
    assert_eq!(bench.dispatch.sandboxes(), 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_there_is_nothing_of_the_host() {
    let bench = Bench::new().await;
    let code = r"
        const fs = require('fs'), os = require('os');
        exports.handler = async () => ({
            uid: process.getuid(), gid: process.getgid(), pid: process.pid, host: os.hostname(),
            interfaces: Object.keys(os.networkInterfaces()), root: fs.readdirSync('/').sort(), cwd: process.cwd(),
            tmp: fs.readdirSync('/tmp'), task: fs.readdirSync('/var/task'), descriptors: fs.readdirSync('/proc/self/fd').length < 30,
            readOnly: (() => { try { fs.writeFileSync('/var/task/x', ''); return false } catch (e) { return e.code } })(),
            one: fs.readFileSync('/proc/1/cmdline', 'latin1').split('\0')[0],
            environment: (() => { try { return fs.readFileSync('/proc/1/environ', 'latin1') } catch (e) { return e.code } })(),
            variables: process.env.CARGO_MANIFEST_DIR === undefined && process.env.TZ });";
    let target = bench.deploy("look", code, settings()).await;
    let seen = json(&bench.invoke(&target, "null").await);
    assert_eq!(seen["uid"], 993, "{seen}");
    assert_eq!(seen["host"], "sandbox");
    assert_eq!(seen["interfaces"], json!(["lo"]));
    assert_eq!(
        seen["root"],
        json!(["bin", "dev", "etc", "lib", "lib64", "opt", "proc", "tmp", "usr", "var"])
    );
    assert_eq!((&seen["cwd"], &seen["task"]), (&json!("/var/task"), &json!(["index.js"])));
    assert_eq!((&seen["tmp"], &seen["readOnly"]), (&json!([]), &json!("EROFS")));
    assert_eq!((&seen["one"], &seen["environment"]), (&json!("/var/lang/bin/pid1"), &json!("EACCES")));
    assert_eq!(seen["variables"], ":UTC");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_calls_get_different_sandboxes() {
    let bench = Bench::new().await;
    let code = "const id = Math.random(); exports.handler = async () => { await new Promise(r => setTimeout(r, 300)); return id };";
    let target = bench.deploy("slow", code, seconds(10)).await;
    let calls = (0..3).map(|_| bench.invoke(&target, "{}"));
    let answers: std::collections::HashSet<String> =
        futures_util::future::join_all(calls).await.iter().map(|outcome| json(outcome).to_string()).collect();
    assert_eq!(answers.len(), 3);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_gets_a_new_sandbox() {
    let bench = Bench::new().await;
    let old = bench.deploy("change", "exports.handler = async () => 'old'", settings()).await;
    assert_eq!(json(&bench.invoke(&old, "{}").await), "old");
    bench.fixture.settled("change").await;
    let update = crate::functions::change::CodeUpdate {
        zip: archive(&[Entry::file("index.js", "exports.handler = async () => 'new'")]).into(),
        ..Default::default()
    };
    bench.fixture.functions.update_code(&crate::functions::testing::named("change"), update).await.unwrap();
    assert_eq!(json(&bench.invoke(&bench.target("change"), "{}").await), "new");
    assert_eq!(bench.dispatch.sandboxes(), 1, "the old one is gone");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_has_its_words_and_costs_the_sandbox() {
    let bench = Bench::new().await;
    let code = r"
        exports.handler = async (event) => {
            if (event === 'throw') throw new TypeError('no');
            if (event === 'loop') for (;;);
            if (event === 'hang') await new Promise(() => setInterval(() => {}, 1000));
            if (event === 'exit') process.exit(0);
            if (event === 'exit 7') process.exit(7);
            if (event === 'kill') process.kill(process.pid, 'SIGKILL');
            if (event === 'large') return 'x'.repeat(6291556);
            if (event === 'garbage') { require('fs').writeSync(3, 'GARBAGE GARBAGE'); await new Promise(() => setInterval(() => {}, 1000)) }
            return 'fine';
        };";
    let target = bench.deploy("ends", code, seconds(1)).await;
    let mut told = String::new();
    for event in ["throw", "loop", "hang", "exit", "exit 7", "kill", "large", "garbage", "fine"] {
        let outcome = bench.invoke(&target, &json!(event).to_string()).await;
        let answer = json(&outcome);
        let message = answer["errorMessage"].as_str().unwrap_or_default();
        let message = message.rsplit_once("Error: ").map_or(message, |(_, rest)| rest);
        let kind = outcome.function_error.map_or("-", |error| error.as_str());
        told.push_str(&format!(
            "{event}: {kind} {} {message}\n",
            answer["errorType"].as_str().unwrap_or("-")
        ));
    }
    insta::assert_snapshot!(told, @r"
    throw: Unhandled TypeError no
    loop: Unhandled Sandbox.Timedout Task timed out after 1.00 seconds
    hang: Unhandled Sandbox.Timedout Task timed out after 1.00 seconds
    exit: Unhandled Runtime.ExitError Runtime exited without providing a reason
    exit 7: Unhandled Runtime.ExitError Runtime exited with error: exit status 7
    kill: Unhandled Runtime.ExitError Runtime exited with error: signal: killed
    large: Unhandled Function.ResponseSizeTooLarge Response payload size exceeded maximum allowed payload size (6291556 bytes).
    garbage: Unhandled Runtime.ExitError Runtime exited without providing a reason
    fine: - - 
    ");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_owed_also_when_the_caller_has_gone() {
    let bench = Bench::new().await;
    let code = "exports.handler = async (event) => { await new Promise(r => setTimeout(r, event.wait)); return event.body };";
    let target = bench.deploy("owed", code, seconds(10)).await;
    bench.invoke(&target, r#"{"wait":0,"body":0}"#).await;
    let mut expected = 0;
    for round in 1..40 {
        // Some callers leave in the middle; whoever comes after them must get an answer of their own.
        let leaving = bench.invoke(&target, r#"{"wait":20,"body":"another caller's"}"#);
        let left = tokio::time::timeout(Duration::from_millis(round % 7), leaving).await;
        expected += u32::from(left.is_err());
        let outcome = bench.invoke(&target, &json!({ "wait": 0, "body": round }).to_string()).await;
        assert_eq!(json(&outcome), json!(round));
    }
    assert!(expected > 20, "callers did leave");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tail_is_of_this_invocation() {
    let bench = Bench::new().await;
    let code = "exports.handler = async (event) => { console.log('said', event); process.stdout.write('raw\\n'); return 1 };";
    let target = bench.deploy("log", code, settings()).await;
    bench.invoke(&target, r#""before""#).await;
    let outcome = bench.call(&target, r#""now""#, true).await;
    let tail = String::from_utf8(outcome.log_tail.unwrap()).unwrap();
    let lines: Vec<&str> = tail.lines().collect();
    assert!(lines[0].starts_with("START RequestId: ") && lines[0].ends_with(" Version: $LATEST"), "{tail}");
    assert!(lines.iter().any(|line| line.ends_with("\tINFO\tsaid now")), "{tail}");
    assert!(lines.contains(&"raw"), "{tail}");
    assert!(!tail.contains("before"), "{tail}");
    assert!(lines[lines.len() - 2].starts_with("END RequestId: "), "{tail}");
    let report = lines.last().unwrap();
    assert!(
        report.starts_with("REPORT RequestId: ") && report.contains("Memory Size: 128 MB\tMax Memory Used: "),
        "{tail}"
    );
    assert!(!report.contains("Used: 0 MB"), "{tail}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_call_logs_late_is_not_in_the_next_callers_tail() {
    let bench = Bench::new().await;
    let code = r"
        exports.handler = async (event) => {
            if (event === 'first') { setTimeout(() => console.log('late secret'), 20); return 1 }
            await new Promise(r => setTimeout(r, 100)); console.log('own'); return 2;
        };";
    let target = bench.deploy("late", code, settings()).await;
    bench.invoke(&target, r#""first""#).await;
    let outcome = bench.call(&target, r#""second""#, true).await;
    let tail = String::from_utf8(outcome.log_tail.unwrap()).unwrap();
    assert!(tail.contains("own") && !tail.contains("late secret"), "{tail}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_does_not_load_says_why() {
    let bench = Bench::new().await;
    let mut told = String::new();
    for (name, code) in [
        ("missing", "require('nothing-of-that-name')"),
        ("syntax", "exports.handler = async () => {{"),
        ("no-handler", "exports.other = 1"),
        ("throws", "throw new RangeError('while loading')"),
        ("exits", "process.exit(3)"),
    ] {
        let target = bench.deploy(name, code, settings()).await;
        let answer = json(&bench.invoke(&target, "{}").await);
        let message = answer["errorMessage"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        let message = message.rsplit_once("Error: ").map_or(message, |(_, rest)| rest);
        told.push_str(&format!("{name}: {} {message}\n", answer["errorType"].as_str().unwrap_or("-")));
    }
    insta::assert_snapshot!(told, @r"
    missing: Runtime.ImportModuleError Cannot find module 'nothing-of-that-name'
    syntax: Runtime.UserCodeSyntaxError Unexpected end of input
    no-handler: Runtime.HandlerNotFound index.handler is undefined or not exported
    throws: RangeError while loading
    exits: Runtime.ExitError Runtime exited with error: exit status 3
    ");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_model_ends_in_its_own_words() {
    let bench = Bench::new().await;
    let code = r"
        exports.handler = (event, context) => {
            if (event === 'succeed') context.succeed({ ok: true });
            if (event === 'fail') context.fail(new Error('no'));
            if (event === 'done') { context.done(null, 'first'); context.done(null, 'second'); }
        };";
    let target = bench.deploy("classic", code, classic()).await;
    let mut told = String::new();
    for event in ["succeed", "fail", "done", "nothing"] {
        let outcome = bench.invoke(&target, &json!(event).to_string()).await;
        let answer = json(&outcome);
        let message =
            answer["errorMessage"].as_str().map(|message| message.chars().rev().take(40).collect::<String>());
        let message = message.map(|message| message.chars().rev().collect::<String>());
        let kind = outcome.function_error.map_or("-", |error| error.as_str());
        told.push_str(&format!("{event}: {kind} {}\n", message.unwrap_or_else(|| answer.to_string())));
    }
    insta::assert_snapshot!(told, @r#"
    succeed: - {"ok":true}
    fail: Handled no
    done: - "first"
    nothing: Unhandled Process exited before completing request
    "#);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_the_coldest_makes_it() {
    let options = Options {
        sandboxes_max: 2,
        function_sandboxes_max: 2,
        line_max: 100,
        busy_sandboxes: 1,
        idle: Duration::from_secs(300),
    };
    let bench = Bench::with(options).await;
    let code = "exports.handler = async (event) => event";
    for name in ["a", "b", "c", "d"] {
        let target = bench.deploy(name, code, settings()).await;
        assert_eq!(json(&bench.invoke(&target, "1").await), 1);
        assert!(bench.dispatch.sandboxes() <= 2);
    }
    bench.end().await;
}
