//! Control groups, where the gateway may have some: their limits, and that none is left.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use callgate::sandbox::{Binding, cgroup::Groups};

use super::bare::{Ground, gone};

/// As an ordinary user there may be none, and nothing to look at.
fn may_have_groups() -> bool {
    rustix::process::geteuid().is_root()
}

/// The value of the first of a sandbox's groups that has this file.
fn value(groups: &[PathBuf], file: &str) -> Option<String> {
    let path = groups.iter().map(|group| group.join(file)).find(|path| path.is_file())?;
    Some(fs::read_to_string(path).unwrap().trim().to_owned())
}

#[tokio::test]
async fn limits_are_the_functions_and_groups_go_with_the_sandbox() {
    if !may_have_groups() {
        return;
    }
    let ground = Ground::new();
    for (memory_mb, weights) in [(256, ["148", "14"]), (1_769, ["1024", "100"])] {
        let mut bare = ground.generic().await;
        bare.bind(&Binding { memory_mb, ..ground.binding() }).await;
        let groups = bare.control.groups();
        let bytes = ((u64::from(memory_mb) + 64) << 20).to_string();
        let memory = value(&groups, "memory.limit_in_bytes").or_else(|| value(&groups, "memory.max"));
        assert_eq!(memory, Some(bytes));
        let weight = value(&groups, "cpu.shares").or_else(|| value(&groups, "cpu.weight")).unwrap();
        assert!(weights.contains(&&*weight), "{weight}");
        // Bubblewrap's monitor, the first process and Node.js.
        let inside = value(&groups, "cgroup.procs").unwrap();
        assert_eq!(inside.lines().count(), 3, "{inside}");
        drop(bare);
        gone(&groups).await;
    }
    ground.close(Vec::new()).await;
}

#[tokio::test]
async fn what_a_killed_gateway_left_is_removed() {
    if !may_have_groups() {
        return;
    }
    let ground = Ground::new();
    let bare = ground.generic().await;
    let groups = bare.control.groups();
    // Beside the folders of the gateway that lives, as one left them that was killed.
    let left: Vec<PathBuf> = groups
        .iter()
        .map(|group| {
            let tops: &Path = group.parent().and_then(Path::parent).unwrap();
            tops.join(format!("callgate-{}-left", std::process::id()))
        })
        .collect();
    let mut process = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
    for folder in &left {
        fs::create_dir_all(folder.join("1")).unwrap();
        fs::write(folder.join("1/cgroup.procs"), process.id().to_string()).unwrap();
    }
    let next = Groups::open().unwrap();
    gone(&left).await;
    assert!(!process.wait().unwrap().success());
    // The living one's are left alone.
    assert!(groups.iter().all(|group| group.is_dir()), "{groups:?}");
    drop((next, bare));
    ground.close(groups).await;
}

#[tokio::test]
async fn a_sandbox_has_no_more_processes_than_its_group() {
    if !may_have_groups() {
        return;
    }
    let ground = Ground::new();
    let bare = ground.bound().await;
    let groups = bare.control.groups();
    assert_eq!(value(&groups, "pids.max"), Some((ground.mark + 2).to_string()));
    drop(bare);
    ground.close(groups).await;
}

#[tokio::test]
async fn the_gateways_part_goes_when_it_ends() {
    if !may_have_groups() {
        return;
    }
    let ground = Ground::new();
    let bare = ground.bound().await;
    let parts: Vec<PathBuf> =
        bare.control.groups().iter().map(|group| group.parent().unwrap().to_owned()).collect();
    assert!(!parts.is_empty() && parts.iter().all(|part| part.is_dir()));
    drop(bare);
    ground.spawner.finish().await;
    assert!(parts.iter().all(|part| !part.exists()), "{parts:?}");
    ground.close(parts).await;
}
