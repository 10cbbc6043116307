//! The same as a user who is not root: one whose sandboxes share its own user, and one with subordinate users for them.

use std::{fs, os::unix::process::CommandExt, path::Path, process::Command};

/// Where this is set, as by `make soak`, all modules run.
const ALL: &str = "CALLGATE_TEST_ALL";
/// A user that this machine does not have.
const UID: u32 = 12_345;

/// Runs these modules' tests as this user; `prepared` is a command that runs another.
fn run(mut prepared: Command, modules: &[&str]) {
    let tests = modules.iter().map(|module| format!("sandbox::{module}::"));
    let ran = prepared.args(tests).env("TMPDIR", "/tmp").current_dir("/").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("test result: ok."), "{said}");
}

/// The test program and the gateway, where everybody may run them: where they lie may be closed to others.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    fs::copy(std::env::current_exe().unwrap(), folder.path().join("it")).unwrap();
    fs::copy(super::stand::gateway(), folder.path().join("callgate")).unwrap();
    folder
}

#[test]
fn sandboxes_are_the_same_for_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        // All of these tests run as an ordinary user already.
        return;
    }
    let folder = programs();
    let mut command = Command::new(folder.path().join("it"));
    command.uid(UID).gid(UID);
    let mut modules = vec![
        "answers",
        "binding",
        "cold_starts",
        "escapes",
        "exhaustion",
        "freezing",
        "inside",
        "jail",
        "joiner",
        "memory",
        "resting",
        "shutdown",
        "signals",
        "thawing",
        "workload",
    ];
    if std::env::var_os(ALL).is_some() {
        // The network has its own (`network::ordinary_user`).
        modules.extend(["devouring", "ends", "leaving", "logs", "lying", "prewarming", "soak"]);
    }
    run(command, &modules);
}

/// In mounts of its own, where the user has a name and subordinate users.
#[test]
fn an_ordinary_user_may_have_separate_users_too() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = programs();
    let file = |name: &str, line: String| {
        let host = fs::read_to_string(Path::new("/etc").join(name)).unwrap_or_default();
        fs::write(folder.path().join(name), host + &line).unwrap();
    };
    file("passwd", format!("callgate-test:x:{UID}:{UID}::/tmp:/bin/sh\n"));
    file("group", format!("callgate-test:x:{UID}:\n"));
    file("subuid", "callgate-test:7000000:65536\n".to_owned());
    file("subgid", "callgate-test:7000000:65536\n".to_owned());
    let mut command = Command::new("unshare");
    let script = format!(
        "set -e; for name in passwd group subuid subgid; do touch /etc/$name; mount --bind $0/$name /etc/$name; done; \
         exec setpriv --reuid {UID} --regid {UID} --clear-groups $0/it \"$@\""
    );
    command.args(["-m", "sh", "-c", &script]).arg(folder.path());
    command.env(super::stand::SEPARATE, "yes");
    run(command, &["binding", "escapes", "freezing", "jail", "signals"]);
}
