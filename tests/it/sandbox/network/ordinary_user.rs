//! The same attempts by a gateway that is no root.

use std::{path::PathBuf, process::Command};

use callgate::sandbox::network::Level;

use super::{
    attempts, crowd,
    jailed::{Gateway, PROBE_GIVEN, probe},
    names,
    world::World,
};

/// Names the list of resolvers to the tests of this file that run as somebody else.
const RESOLVERS: &str = "CALLGATE_TEST_RESOLVERS";

#[test]
fn the_same_by_slirp4netns() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    let (program, resolvers) = (folder.path().join("it"), folder.path().join("resolv.conf"));
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::copy(world.resolvers.path(), &resolvers).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_callgate"), folder.path().join("callgate")).unwrap();
    std::fs::set_permissions(&resolvers, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    // Users may open /dev/net/tun where udev says so; here they may in mounts of the test's own.
    let tun = "mount -t tmpfs tun /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec \"$@\"";
    let ran = world
        .host
        .command("unshare")
        .args(["--mount", "sh", "-c", tun, "sh"])
        .args(["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"])
        .arg(&program)
        .args(["sandbox::network::ordinary_user::as_user", "--test-threads=1", "--nocapture"])
        .env("TMPDIR", "/tmp")
        .env(RESOLVERS, &resolvers)
        .env(PROBE_GIVEN, probe())
        .env("CALLGATE_TEST_PROGRAM", folder.path().join("callgate"))
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("10 passed"), "{said}");
    said.lines().filter(|line| line.contains("medians")).for_each(|line| println!("{line}"));
}

/// Runs this where the test above has set the stage.
fn on_stage<F: Future<Output = ()>>(work: impl FnOnce(Gateway) -> F) {
    let Some(resolvers) = std::env::var_os(RESOLVERS).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gateway = Gateway::open(&resolvers).await;
        assert_eq!(gateway.level(), Level::Slirp);
        work(gateway).await;
    });
}

mod as_user {
    use super::*;

    #[test]
    fn internet_is_public_addresses() {
        on_stage(attempts::internet_is_public_addresses);
    }

    #[test]
    fn none_is_nothing() {
        on_stage(attempts::none_is_nothing);
    }

    #[test]
    fn an_allow_list_is_its_places() {
        on_stage(attempts::an_allow_list_is_its_places);
    }

    #[test]
    fn walls_cannot_be_moved() {
        on_stage(attempts::walls_cannot_be_moved);
    }

    #[test]
    fn the_api_knows_its_callers() {
        on_stage(attempts::the_api_knows_its_callers);
    }

    #[test]
    fn names_lead_to_public_addresses() {
        on_stage(names::names_lead_to_public_addresses);
    }

    #[test]
    fn an_allow_list_opens_what_its_names_stand_for() {
        on_stage(names::an_allow_list_opens_what_its_names_stand_for);
    }

    #[test]
    fn none_has_no_names() {
        on_stage(names::none_has_no_names);
    }

    #[test]
    fn thirty_leave_no_descriptor() {
        on_stage(crowd::thirty_leave_no_descriptor);
    }

    #[test]
    fn the_uplink_ends_with_the_sandbox() {
        on_stage(|gateway| async move {
            // Tests before this one in the same process may have left some that nobody has waited for.
            let before = uplinks();
            let mut jailed = gateway.sandbox(31, "internet").await;
            assert!(jailed.attached.as_mut().unwrap().is_connected());
            assert_eq!(uplinks(), before + 1);
            jailed.narrow("none").await;
            assert_eq!(uplinks(), before);
            let second = gateway.sandbox(32, "internet").await;
            assert_eq!(uplinks(), before + 1);
            drop(second);
            crowd::until(|| uplinks() == before).await;
        });
    }

    /// Processes of slirp4netns that this test's thread has.
    fn uplinks() -> usize {
        let own = std::process::id().to_string();
        let found = Command::new("pgrep").args(["-c", "-P", &own, "slirp4netns"]).output().unwrap();
        String::from_utf8(found.stdout).unwrap().trim().parse().unwrap()
    }
}
