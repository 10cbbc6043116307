//! The gateway's own part of one hierarchy: a folder that it alone holds, with a group for each sandbox below.

use std::{
    fs,
    io::{self, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    process::{Pid, Signal, kill_process},
};

use super::find::{Hierarchy, Version};

/// The first words of the folders' names.
const PREFIX: &str = "callgate-";
/// How many names are tried.
const NAMES_MAX: u32 = 256;

/// A gateway's folder in one hierarchy, and what can be controlled there.
#[derive(Debug)]
pub struct Tree {
    /// Its interface.
    pub version: Version,
    /// The folder.
    pub dir: PathBuf,
    /// Whether memory can be limited.
    pub memory: bool,
    /// Whether processes can be counted.
    pub pids: bool,
    /// Whether processor time can be shared out.
    pub cpu: bool,
    /// Whether groups can be frozen.
    pub freezer: bool,
    // Tells other gateways that this one lives.
    _lock: OwnedFd,
}

impl Tree {
    /// Makes a folder below the group that this process is in; `None` where nothing there is of use, or may be made.
    pub fn make(hierarchy: &Hierarchy) -> Option<Self> {
        let mut tree = match hierarchy.version {
            Version::V1 => {
                let has = |name: &str| hierarchy.controllers.iter().any(|controller| controller == name);
                if !["memory", "pids", "cpu", "freezer"].iter().any(|name| has(name)) {
                    return None;
                }
                let (dir, lock) = own_folder(&hierarchy.own)?;
                Self {
                    version: Version::V1,
                    dir,
                    memory: has("memory"),
                    pids: has("pids"),
                    cpu: has("cpu"),
                    freezer: has("freezer"),
                    _lock: lock,
                }
            }
            Version::V2 => Self::make_v2(&hierarchy.own)?,
        };
        // What may be made may still not be used: a group is tried.
        let trial = tree.dir.join("trial");
        fs::create_dir(&trial).ok()?;
        let has = |file: &str| trial.join(file).is_file();
        match tree.version {
            Version::V1 => tree.freezer &= has("freezer.state"),
            Version::V2 => {
                tree.memory &= has("memory.max");
                tree.pids &= has("pids.max");
                tree.cpu &= has("cpu.weight");
                tree.freezer = has("cgroup.freeze");
            }
        }
        fs::remove_dir(&trial).ok()?;
        (tree.memory || tree.pids || tree.cpu || tree.freezer).then_some(tree)
    }

    /// One of version 2 with everything, in any folder.
    #[cfg(test)]
    pub fn with_all(dir: PathBuf) -> Self {
        let lock = lock(&dir).unwrap();
        Self { version: Version::V2, dir, memory: true, pids: true, cpu: true, freezer: true, _lock: lock }
    }

    fn make_v2(own: &Path) -> Option<Self> {
        let offered = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
        let wanted: Vec<String> = offered
            .split_ascii_whitespace()
            .filter(|name| ["memory", "pids", "cpu"].contains(name))
            .map(|name| format!("+{name}"))
            .collect();
        let wanted = wanted.join(" ");
        if !wanted.is_empty() && fs::write(own.join("cgroup.subtree_control"), &wanted).is_err() {
            // A group with processes of its own may not have controllers for groups below: this process steps aside. (Should
            // others be left there, which are not ours to move, the freezer alone is used.)
            if let Some((aside, _)) = own_folder(own) {
                let _ = fs::write(aside.join("cgroup.procs"), "0");
            }
            let _ = fs::write(own.join("cgroup.subtree_control"), &wanted);
        }
        let (dir, lock) = own_folder(own)?;
        let enabled = wanted.is_empty() || fs::write(dir.join("cgroup.subtree_control"), &wanted).is_ok();
        let has = |name: &str| enabled && wanted.contains(name);
        Some(Self {
            version: Version::V2,
            dir,
            memory: has("memory"),
            pids: has("pids"),
            cpu: has("cpu"),
            freezer: true,
            _lock: lock,
        })
    }

    /// Folders that gateways left behind which are no more, each with the lock that keeps others off it.
    pub fn left_behind(hierarchy: &Hierarchy) -> Vec<(PathBuf, OwnedFd)> {
        let Ok(entries) = fs::read_dir(&hierarchy.own) else { return Vec::new() };
        entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)))
            .filter_map(|path| lock(&path).map(|lock| (path, lock)))
            .collect()
    }
}

/// The next folder's number. None is used twice: what removes the one before may still be at work.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new folder below `parent` and the lock that marks it as in use.
fn own_folder(parent: &Path) -> Option<(PathBuf, OwnedFd)> {
    for _ in 0..NAMES_MAX {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        match fs::create_dir(&dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(_) => return None,
        }
        // Another gateway that tidies up may have been faster; then it is gone, or about to be.
        if let Some(lock) = lock(&dir).filter(|_| dir.is_dir()) {
            return Some((dir, lock));
        }
    }
    None
}

fn lock(dir: &Path) -> Option<OwnedFd> {
    let dir = open(dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    flock(&dir, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(dir)
}

/// Kills whatever is in a group, frozen or not.
pub fn kill_all(group: &Path) {
    if fs::write(group.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in pids.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
    // Version 1 lets nobody end who is frozen.
    let _ = fs::write(group.join("freezer.state"), "THAWED");
}

/// Writes one of a group's files, which take their value in one write.
pub fn set(group: &Path, file: &str, value: &str) -> io::Result<()> {
    let path = group.join(file);
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = fs::OpenOptions::new().write(true).open(&path).map_err(told)?;
    file.write_all(value.as_bytes()).map_err(told)
}
