//! Breaking out: each try, from a child process of the function, and the error it ends in.

use serde_json::json;

use super::hostile::{Hostile, all_end, tried};

#[tokio::test]
async fn nobody_traces_nodejs() {
    all_end(&tried("'trace', process.pid").await, "EPERM", &[]);
}

#[tokio::test]
async fn nobody_traces_the_first_process() {
    all_end(&tried("'trace', 1").await, "EPERM", &[]);
}

#[tokio::test]
async fn nobody_opens_what_nodejs_has() {
    all_end(&tried("'files', process.pid").await, "EACCES", &[]);
}

#[tokio::test]
async fn nobody_opens_what_the_first_process_has() {
    all_end(&tried("'files', 1").await, "EACCES", &[]);
}

#[tokio::test]
async fn nobody_takes_the_socket_from_nodejs() {
    all_end(&tried("'descriptor', process.pid").await, "EPERM", &[("pidfd_open", "ok")]);
}

#[tokio::test]
async fn nothing_is_mounted_or_unmounted() {
    all_end(&tried("'mounts'").await, "EPERM", &[]);
}

#[tokio::test]
async fn no_namespace_is_made_or_joined() {
    let tried = tried("'namespaces'").await;
    let of_the_first: Vec<(&str, &str)> =
        tried.keys().filter(|what| what.starts_with('/')).map(|what| (&**what, "EACCES")).collect();
    assert_eq!(of_the_first.len(), 7);
    all_end(&tried, "EPERM", &[&of_the_first[..], &[("clone3", "ENOSYS")]].concat());
}

#[tokio::test]
async fn only_common_sockets_are_made() {
    let common = ["unix", "inet", "inet6", "route"].map(|family| (family, "ok"));
    all_end(&tried("'sockets'").await, "EPERM", &common);
}

#[tokio::test]
async fn keyrings_are_out_of_reach() {
    all_end(&tried("'keyrings'").await, "EPERM", &[]);
}

#[tokio::test]
async fn no_key_of_the_gateways_is_listed() {
    let hostile = Hostile::handling("return fs.readFileSync('/proc/keys', 'utf8')").await;
    let keys = hostile.value("").await;
    let keys: Vec<&str> = keys.as_str().unwrap().lines().collect();
    // An empty session keyring, where the kernel let the gateway have one.
    assert!(keys.iter().all(|key| key.contains("keyring   _ses: empty")), "{keys:?}");
    hostile.over().await;
}

#[tokio::test]
async fn the_kernels_dark_corners_are_closed() {
    let absent = ["landlock", "memfd_secret", "mq_open", "seccomp", "shmget"].map(|call| (call, "ENOSYS"));
    all_end(&tried("'kernel'").await, "EPERM", &absent);
}

#[tokio::test]
async fn nobody_becomes_more_than_he_is() {
    all_end(&tried("'become'").await, "EPERM", &[("priority", "EACCES")]);
}

#[tokio::test]
async fn nobody_types_for_the_operator() {
    all_end(&tried("'terminal'").await, "EPERM", &[("own", "ok"), ("/dev/tty", "ENXIO")]);
}

#[tokio::test]
async fn no_other_way_into_the_kernel_goes_round_the_filter() {
    all_end(&tried("'numbers'").await, "ENOSYS", &[("int80", "killed")]);
}

#[tokio::test]
async fn a_setuid_file_of_a_package_gives_nothing() {
    let code = super::hostile::handler("return run('ids')");
    let hostile = Hostile::of(&code, 0o6755).await;
    assert_eq!(hostile.value("").await, json!(["993 993 993 993"]));
    hostile.over().await;
}

#[tokio::test]
async fn the_package_cannot_be_changed() {
    let hostile = Hostile::handling(
        "const tries = {
  write: () => fs.writeFileSync('/var/task/index.js', ''),
  append: () => fs.appendFileSync('/var/task/index.js', '//'),
  truncate: () => fs.truncateSync('/var/task/index.js'),
  create: () => fs.writeFileSync('/var/task/new.js', ''),
  remove: () => fs.unlinkSync('/var/task/index.js'),
  rename: () => fs.renameSync('/var/task/index.js', '/var/task/other.js'),
  chmod: () => fs.chmodSync('/var/task/probe', 0o4777),
  times: () => fs.utimesSync('/var/task/index.js', 0, 0),
  replace: () => fs.symlinkSync('/tmp', '/var/task/tmp'),
  runtime: () => fs.writeFileSync('/var/runtime/index.js', ''),
  first: () => fs.writeFileSync('/var/lang/bin/pid1', ''),
};
const said = {};
for (const [name, attempt] of Object.entries(tries)) {
  try { attempt(); said[name] = 'ok'; } catch (error) { said[name] = error.code; }
}
return said;",
    )
    .await;
    let said = hostile.value("").await;
    for (name, code) in said.as_object().unwrap() {
        // Landlock speaks before the mount does where it is asked.
        assert!(code == "EROFS" || code == "EACCES", "{name}: {said}");
    }
    assert_eq!(said.as_object().unwrap().len(), 11);
    hostile.over().await;
}

#[tokio::test]
async fn symbolic_links_in_tmp_lead_nowhere() {
    let hostile = Hostile::handling(
        "const targets = ['/proc/1/root/etc/passwd', '/proc/1/cwd', '/proc/self/root/root/.bashrc', '/../../root/.bashrc',
  '/proc/1/fd/0', '/home', '/dev/mem', '/sys/kernel', '/run/systemd', '/etc/shadow'];
const said = {};
for (const target of targets) {
  fs.rmSync('/tmp/link', { force: true });
  fs.symlinkSync(target, '/tmp/link');
  try { said[target] = fs.statSync('/tmp/link').isDirectory() || fs.readFileSync('/tmp/link', 'latin1'); }
  catch (error) { said[target] = error.code; }
}
fs.rmSync('/tmp/link');
fs.symlinkSync('/etc/passwd', '/tmp/link');
try { fs.writeFileSync('/tmp/link', 'x'); said.write = 'ok'; } catch (error) { said.write = error.code; }
try { fs.linkSync('/etc/passwd', '/tmp/hard'); said.hard = 'ok'; } catch (error) { said.hard = error.code; }
return said;",
    )
    .await;
    let said = hostile.value("").await;
    for (target, code) in said.as_object().unwrap() {
        let code = code.as_str().unwrap();
        assert!(["EACCES", "ENOENT", "EROFS", "EXDEV", "EPERM"].contains(&code), "{target}: {said}");
    }
    assert_eq!(said.as_object().unwrap().len(), 12);
    hostile.over().await;
}

#[tokio::test]
async fn landlock_holds_where_the_kernel_has_it() {
    if callgate::sandbox::detect::landlock_version() < 6 {
        // Nothing is promised there; the walls above stand without it.
        return;
    }
    let hostile = Hostile::handling(
        "const tries = {
  proc: () => fs.writeFileSync('/proc/self/oom_score_adj', '0'),
  tmp: () => fs.writeFileSync('/tmp/x', 'x'),
  shm: () => fs.writeFileSync('/dev/shm/x', 'x'),
  null: () => fs.writeFileSync('/dev/null', 'x'),
};
const said = {};
for (const [name, attempt] of Object.entries(tries)) {
  try { attempt(); said[name] = 'ok'; } catch (error) { said[name] = error.code; }
}
return said;",
    )
    .await;
    assert_eq!(hostile.value("").await, json!({ "proc": "EACCES", "tmp": "ok", "shm": "ok", "null": "ok" }));
    hostile.over().await;
}
