//! The same as a user who is not root.

use std::{fs, os::unix::process::CommandExt, process::Command};

#[test]
fn sandboxes_are_the_same_for_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        // All of these tests run as an ordinary user already.
        return;
    }
    // Where the test program lies may be closed to others.
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    let program = folder.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let tests = ["answers", "inside", "jail", "shutdown"].map(|module| format!("sandbox::{module}::"));
    let ran = Command::new(&program)
        .args(tests)
        .env("TMPDIR", "/tmp")
        .current_dir("/")
        .uid(12_345)
        .gid(12_345)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("test result: ok."), "{said}");
}
