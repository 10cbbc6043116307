//! What function code finds around it, and what it cannot reach.

use std::collections::HashSet;

use callgate::functions::environment::GivenVariables;
use serde_json::{Value, json};

use super::{processes, stand::Stand};

/// Evaluates the expressions of its event, and returns each one's value or its error's code or message.
const EVALUATE: &str = "
const { readFileSync, readdirSync, readlinkSync, writeFileSync, existsSync, statSync } = require('node:fs');
const { execFileSync } = require('node:child_process');
exports.handler = async (event, context) => {
  const seen = {};
  for (const [name, expression] of Object.entries(event)) {
    try { seen[name] = eval(expression); } catch (error) { seen[name] = error.code ?? error.message; }
  }
  return seen;
};";

async fn seen(stand: &Stand, expressions: &Value) -> Value {
    stand.value("fn", &expressions.to_string()).await
}

async fn stand() -> Stand {
    let stand = Stand::new().await;
    stand.deploy("fn", EVALUATE).await;
    stand
}

#[tokio::test]
async fn it_is_nobody_and_may_nothing() {
    let stand = stand().await;
    let status =
        |name: &str| format!("readFileSync('/proc/self/status', 'utf8').match(/^{name}:\\s*(.*)$/m)[1]");
    let limit = |name: &str| {
        format!("readFileSync('/proc/self/limits', 'utf8').match(/^{name} +(\\S+) +(\\S+)/m).slice(1).join()")
    };
    let found = seen(
        &stand,
        &json!({
            "ids": "[process.getuid(), process.getgid(), process.getgroups().filter((id) => id !== process.getgid())].join()",
            "effective": status("CapEff"),
            "bounding": status("CapBnd"),
            "privileges": status("NoNewPrivs"),
            "host": "require('node:os').hostname()",
            "core": limit("Max core file size"),
            "processes": limit("Max processes"),
            "namespace": "execFileSync('unshare', ['-Ur', 'true'], { stdio: 'ignore' })",
            "mount": "execFileSync('mount', ['-t', 'tmpfs', 'x', '/tmp'], { stdio: 'ignore' })",
        }),
    )
    .await;
    let none = "0000000000000000";
    assert_eq!(found["ids"].as_str().unwrap().split(',').take(2).collect::<Vec<_>>(), ["993", "993"]);
    assert_eq!((&found["effective"], &found["bounding"]), (&json!(none), &json!(none)));
    assert_eq!((&found["privileges"], &found["host"]), (&json!("1"), &json!("sandbox")));
    assert_eq!(
        (&found["core"], &found["processes"]),
        (&json!("0,0"), &json!(format!("{0},{0}", stand.mark)))
    );
    assert!(found["namespace"].as_str().unwrap().starts_with("Command failed"), "{found}");
    assert!(found["mount"].as_str().unwrap().starts_with("Command failed"), "{found}");
    stand.close().await;
}

#[tokio::test]
async fn it_writes_to_tmp_alone_and_not_without_end() {
    let stand = stand().await;
    let found = seen(
        &stand,
        &json!({
            "root": "writeFileSync('/x', '')",
            "task": "writeFileSync('/var/task/index.js', '')",
            "runtime": "writeFileSync('/var/runtime/index.js', '')",
            "etc": "writeFileSync('/etc/passwd', '')",
            "usr": "writeFileSync('/usr/bin/x', '')",
            "dev": "writeFileSync('/dev/x', '')",
            "kernel": "writeFileSync('/proc/sys/kernel/core_pattern', '')",
            "tmp": "writeFileSync('/tmp/x', 'x')",
            "shm": "writeFileSync('/dev/shm/x', 'x')",
            "tmp without end": "for (let n = 0; n < 600; n += 1) writeFileSync('/tmp/' + n, Buffer.alloc(1 << 20))",
            "cwd": "process.cwd()",
        }),
    )
    .await;
    for place in ["root", "task", "runtime", "etc", "usr", "dev"] {
        assert_eq!(found[place], "EROFS", "{place}");
    }
    assert_eq!((&found["kernel"], &found["tmp without end"]), (&json!("EACCES"), &json!("ENOSPC")));
    assert_eq!((found.get("tmp"), found.get("shm")), (None, None));
    assert_eq!(found["cwd"], "/var/task");
    stand.close().await;
}

#[tokio::test]
async fn it_sees_itself_and_nothing_of_the_host() {
    let stand = stand().await;
    let found = seen(
        &stand,
        &json!({
            "root": "readdirSync('/').sort().join()",
            "folders": "['/root', '/home', '/sys', '/run', '/usr/share/doc'].filter((path) => existsSync(path)).join()",
            "processes": "readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length",
            "first": "readFileSync('/proc/1/cmdline', 'utf8').split('\\0')[0]",
            "environment of the first": "readFileSync('/proc/1/environ', 'utf8')",
            "memory of the first": "readFileSync('/proc/1/mem')",
            "interfaces": "Object.keys(require('node:os').networkInterfaces()).filter((name) => name !== 'lo').join()",
            "users": "readFileSync('/etc/passwd', 'utf8').split('\\n').length",
        }),
    )
    .await;
    assert_eq!(found["root"], "bin,dev,etc,lib,lib64,opt,proc,tmp,usr,var");
    assert_eq!((&found["folders"], &found["interfaces"]), (&json!(""), &json!("")));
    assert_eq!((&found["processes"], &found["users"]), (&json!(2), &json!(3)));
    assert_eq!(found["first"], "/var/lang/bin/pid1");
    assert_eq!(found["environment of the first"], "EACCES");
    assert_eq!(found["memory of the first"], "EACCES");
    stand.close().await;
}

#[tokio::test]
async fn it_has_no_descriptor_but_its_own() {
    // One that would be inherited.
    let stray = std::fs::File::open("/etc/hostname").unwrap();
    rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).unwrap();
    let stand = stand().await;
    let found = seen(
        &stand,
        &json!({ "open": "readdirSync('/proc/self/fd').flatMap((fd) => { try { return [readlinkSync('/proc/self/fd/' + fd)]; } catch { return []; } })" }),
    )
    .await;
    for open in found["open"].as_array().unwrap() {
        let open = open.as_str().unwrap();
        let is_own = ["pipe:", "socket:", "anon_inode:", "/dev/null", "/proc/"]
            .iter()
            .any(|kind| open.starts_with(kind));
        assert!(is_own, "{open}");
    }
    drop(stray);
    stand.close().await;
}

#[tokio::test]
async fn its_environment_is_that_of_lambda() {
    let stand = Stand::new().await;
    stand
        .deploy_with("fn", "exports.handler = async () => process.env", |settings| {
            let given = [("MINE", "1"), ("NODE_OPTIONS", "--no-warnings")];
            settings.environment =
                Some(GivenVariables(given.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
        })
        .await;
    let mut environment = stand.value("fn", "").await;
    let stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"].take();
    let stream = stream.as_str().unwrap();
    assert!(stream.contains("/[$LATEST]") && stream.len() == "2015/07/01/[$LATEST]".len() + 32, "{stream}");
    assert_eq!(
        environment,
        json!({
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:9001",
            "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9001",
            "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9001",
            "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_NAME": "fn",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/fn",
            "AWS_LAMBDA_LOG_STREAM_NAME": null,
            "AWS_REGION": "us-east-1",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "HOME": "/tmp",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
            "MINE": "1",
            "NODE_OPTIONS": "--no-warnings",
            "NODE_PATH": "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "PWD": "/var/task",
            "SHLVL": "0",
            "TZ": ":UTC",
            "_HANDLER": "index.handler",
        })
    );
    stand.close().await;
}

#[tokio::test]
async fn no_sandbox_is_root_outside_and_none_is_another() {
    let stand = stand().await;
    stand.deploy("other", EVALUATE).await;
    stand.value("fn", "{}").await;
    stand.value("other", "{}").await;
    let processes = processes::of(stand.mark);
    assert_eq!(processes.len(), 6);
    let users: HashSet<String> = processes.iter().filter_map(|pid| processes::field(*pid, "Uid:")).collect();
    let own = rustix::process::geteuid();
    if own.is_root() || std::env::var_os(super::stand::SEPARATE).is_some() {
        assert_eq!(users.len(), 2);
        assert!(!users.contains("0") && !users.contains(&own.as_raw().to_string()), "{users:?}");
    } else {
        assert_eq!(users, HashSet::from([own.as_raw().to_string()]));
    }
    stand.close().await;
}
