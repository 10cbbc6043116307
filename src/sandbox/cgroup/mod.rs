//! Control groups: a group for each sandbox, in which its memory, processes and share of the processors are limited, and in
//! which it can be frozen.
//!
//! Version 2 is used where it has the controllers, version 1 where that has them, both side by side on hybrid machines. What
//! may not be used (an ordinary user, a container) is left out; [`Groups::has_memory`] and its kin tell what there is. Groups
//! are removed when their sandbox is gone, and those of a gateway that was killed when the next one starts.

mod find;
mod oom;
mod remover;
mod tree;

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use rustix::fs::{Mode, OFlags, open};

pub use self::find::Version;
use self::{
    find::hierarchies,
    oom::Alarm,
    tree::{Tree, set},
};

/// So many MiB are worth one processor (AWS: "At 1,769 MB, a function has the equivalent of one vCPU").
const PROCESSOR_MB: u64 = 1_769;

/// How often it is looked whether all groups are gone when the gateway ends, and how long is waited in between: two seconds.
const CLOSING_LOOKS_MAX: u32 = 200;
const CLOSING_PAUSE: Duration = Duration::from_millis(10);

/// What a sandbox may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The memory of the function's configuration, in MiB.
    pub memory_mb: u32,
    /// The size of its `/tmp`, in MiB, which the kernel counts as memory too.
    pub tmp_mb: u32,
}

impl Limits {
    /// The memory of all its processes and files together, in bytes.
    pub fn bytes(self) -> u64 {
        (u64::from(self.memory_mb) + u64::from(self.tmp_mb)) << 20
    }
}

/// The gateway's part of the machine's control groups.
#[derive(Debug)]
pub struct Groups {
    trees: Vec<Tree>,
    numbers: AtomicU64,
    removed: mpsc::Sender<remover::Removal>,
}

impl Groups {
    /// Makes the gateway's part; `None` where it may have none.
    pub fn open() -> io::Result<Option<Arc<Self>>> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
        let memberships = fs::read_to_string("/proc/self/cgroup")?;
        let mut found = hierarchies(&mountinfo, &memberships);
        // Version 2 has its turn first: what it does not have is looked for in version 1.
        found.sort_by_key(|hierarchy| hierarchy.version == Version::V1);
        let removed = remover::start()?;
        for (left, lock) in found.iter().flat_map(Tree::left_behind) {
            let _ = removed.send((left, Some(lock)));
        }
        let mut trees: Vec<Tree> = Vec::new();
        for hierarchy in &found {
            let has = |what: fn(&Tree) -> bool| trees.iter().any(what);
            let missing = hierarchy.version == Version::V2
                || hierarchy.controllers.iter().any(|name| match &**name {
                    "memory" => !has(|tree| tree.memory),
                    "pids" => !has(|tree| tree.pids),
                    "cpu" => !has(|tree| tree.cpu),
                    "freezer" => !has(|tree| tree.freezer),
                    _ => false,
                });
            if missing {
                trees.extend(Tree::make(hierarchy));
            }
        }
        // All sandboxes together weigh as much as one busy thread of the gateway on each processor: it answers also when they
        // want all there is.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for tree in trees.iter().filter(|tree| tree.cpu) {
            // Where this is refused they weigh as much as one thread in all, which is less than they should.
            let _ = match tree.version {
                Version::V1 => set(&tree.dir, "cpu.shares", &(1_024 * cores).to_string()),
                Version::V2 => set(&tree.dir, "cpu.weight", &(100 * cores).min(10_000).to_string()),
            };
        }
        Ok((!trees.is_empty()).then(|| Arc::new(Self { trees, numbers: AtomicU64::new(1), removed })))
    }

    /// Removes the gateway's part, once the last of its sandboxes has ended; waits for that, for a bounded time. What is left
    /// then is removed by the next gateway.
    pub async fn close(&self) {
        for _ in 0..CLOSING_LOOKS_MAX {
            if self.trees.iter().all(|tree| fs::remove_dir(&tree.dir).is_ok() || !tree.dir.exists()) {
                return;
            }
            tokio::time::sleep(CLOSING_PAUSE).await;
        }
        tracing::warn!("control groups of sandboxes are left; the next gateway removes them");
    }

    fn one(&self, what: fn(&Tree) -> bool) -> Option<Version> {
        self.trees.iter().find(|tree| what(tree)).map(|tree| tree.version)
    }

    /// By which interface memory is limited, if it is.
    pub fn has_memory(&self) -> Option<Version> {
        self.one(|tree| tree.memory)
    }

    /// By which interface processes are counted, if they are.
    pub fn has_pids(&self) -> Option<Version> {
        self.one(|tree| tree.pids)
    }

    /// By which interface processor time is shared out, if it is.
    pub fn has_cpu(&self) -> Option<Version> {
        self.one(|tree| tree.cpu)
    }

    /// By which interface groups are frozen, if they are.
    pub fn has_freezer(&self) -> Option<Version> {
        self.one(|tree| tree.freezer)
    }

    /// Makes a group for a sandbox of at most this many processes and threads.
    pub fn group(self: &Arc<Self>, processes_max: u32) -> io::Result<Group> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        // What is made is removed again by the group's end, also when the next step fails.
        let group = Group { groups: self.clone(), name: number.to_string(), alarm: OnceLock::new() };
        for tree in &self.trees {
            let dir = tree.dir.join(&group.name);
            fs::create_dir(&dir)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", dir.display())))?;
            if tree.pids {
                // Beside its own: bubblewrap's monitor, and the first process.
                set(&dir, "pids.max", &(u64::from(processes_max) + 2).to_string())?;
            }
        }
        Ok(group)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for tree in &self.trees {
            // Most often it is empty, and this process about to end.
            if fs::remove_dir(&tree.dir).is_err() && tree.dir.exists() {
                let _ = self.removed.send((tree.dir.clone(), None));
            }
        }
    }
}

/// How a process of one thread enters a sandbox's groups.
#[derive(Debug, Default)]
pub struct Entrances {
    /// Files of version 1 to which the thread writes a zero to move itself.
    pub threads: Vec<OwnedFd>,
    /// The folder of version 2 that it may be born into.
    pub birth: Option<OwnedFd>,
    /// The file of version 2 to which it writes a zero where it was not.
    pub process: Option<OwnedFd>,
}

/// The groups of one sandbox, one in each hierarchy. They are removed, with whatever is in them, when this is dropped.
#[derive(Debug)]
pub struct Group {
    groups: Arc<Groups>,
    name: String,
    alarm: OnceLock<Alarm>,
}

impl Group {
    fn dir(&self, what: fn(&Tree) -> bool) -> Option<(Version, PathBuf)> {
        let tree = self.groups.trees.iter().find(|tree| what(tree))?;
        Some((tree.version, tree.dir.join(&self.name)))
    }

    /// The ways by which a new process enters.
    pub fn entrances(&self) -> io::Result<Entrances> {
        let mut entrances = Entrances::default();
        for tree in &self.groups.trees {
            let dir = tree.dir.join(&self.name);
            let file = |name: &str| open(dir.join(name), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
            match tree.version {
                Version::V1 => entrances.threads.push(file("tasks")?),
                Version::V2 => {
                    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                    entrances.birth = Some(open(&dir, folder, Mode::empty())?);
                    entrances.process = Some(file("cgroup.procs")?);
                }
            }
        }
        Ok(entrances)
    }

    /// Sets the limits, as far as the machine has them. Must be called within the runtime.
    pub fn limit(&self, limits: Limits) -> io::Result<()> {
        let bytes = limits.bytes().to_string();
        match self.dir(|tree| tree.memory) {
            Some((Version::V1, dir)) => {
                const MEMORY: &str = "memory.limit_in_bytes";
                // Memory and swap together; the file is there where swap is counted. It may never be the lower of the two.
                const WITH_SWAP: &str = "memory.memsw.limit_in_bytes";
                if !dir.join(WITH_SWAP).exists() {
                    set(&dir, MEMORY, &bytes)?;
                } else if set(&dir, MEMORY, &bytes).is_ok() {
                    set(&dir, WITH_SWAP, &bytes)?;
                } else {
                    set(&dir, WITH_SWAP, &bytes)?;
                    set(&dir, MEMORY, &bytes)?;
                }
                let _ = self.alarm.set(Alarm::set(&dir)?);
            }
            Some((Version::V2, dir)) => {
                if dir.join("memory.swap.max").exists() {
                    set(&dir, "memory.swap.max", "0")?;
                }
                // One process that is killed for want of memory takes the whole sandbox along.
                set(&dir, "memory.oom.group", "1")?;
                set(&dir, "memory.max", &bytes)?;
            }
            None => {}
        }
        match self.dir(|tree| tree.cpu) {
            Some((Version::V1, dir)) => {
                let shares = u64::from(limits.memory_mb) * 1_024 / PROCESSOR_MB;
                set(&dir, "cpu.shares", &shares.clamp(2, 262_144).to_string())
            }
            Some((Version::V2, dir)) => {
                let weight = u64::from(limits.memory_mb) * 100 / PROCESSOR_MB;
                set(&dir, "cpu.weight", &weight.clamp(1, 10_000).to_string())
            }
            None => Ok(()),
        }
    }

    /// Whether the kernel has killed a process of it for want of memory.
    pub fn oom_killed(&self) -> bool {
        if self.alarm.get().is_some_and(Alarm::has_rung) {
            return true;
        }
        let Some((version, dir)) = self.dir(|tree| tree.memory) else { return false };
        let file = match version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        let text = fs::read_to_string(dir.join(file)).unwrap_or_default();
        text.lines().filter_map(|line| line.strip_prefix("oom_kill ")).any(|count| count.trim() != "0")
    }

    /// The folder with the files of the freezer, if there is one.
    pub fn freezer(&self) -> Option<(Version, PathBuf)> {
        self.dir(|tree| tree.freezer)
    }

    /// Thaws it where a frozen process could not be killed: version 1. To be called before it is killed.
    pub fn release(&self) {
        if let Some((Version::V1, dir)) = self.freezer() {
            let _ = set(&dir, "freezer.state", "THAWED");
        }
    }

    /// Kills whatever is in it.
    pub fn kill(&self) {
        if let Some(tree) = self.groups.trees.first() {
            tree::kill_all(&tree.dir.join(&self.name));
        }
    }

    /// The folders, for tests that look whether they are gone.
    pub fn folders(&self) -> Vec<PathBuf> {
        let folder = |tree: &Tree| -> PathBuf { Path::new(&tree.dir).join(&self.name) };
        self.groups.trees.iter().map(folder).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in self.folders() {
            // Its last processes are about to end.
            let _ = self.groups.removed.send((folder, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of version 2 as an ordinary folder: this shows what is written, and not what a kernel makes of it.
    #[test]
    fn limits_of_version_2_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let (removed, _taken) = mpsc::channel();
        let tree = Tree::with_all(folder.path().to_owned());
        let groups = Arc::new(Groups { trees: vec![tree], numbers: AtomicU64::new(1), removed });
        let dir = folder.path().join("1");
        fs::create_dir(&dir).unwrap();
        let files = ["memory.max", "memory.swap.max", "memory.oom.group", "memory.events", "cpu.weight"];
        for file in files {
            fs::write(dir.join(file), "").unwrap();
        }
        let group = Group { groups, name: "1".to_owned(), alarm: OnceLock::new() };
        group.limit(Limits { memory_mb: 1_769, tmp_mb: 231 }).unwrap();
        let written = files.map(|file| fs::read_to_string(dir.join(file)).unwrap());
        assert_eq!(written, ["2097152000", "0", "1", "", "100"]);
        assert!(!group.oom_killed());
        fs::write(dir.join("memory.events"), "oom 2\noom_kill 1\noom_group_kill 1\n").unwrap();
        assert!(group.oom_killed());
        assert_eq!(group.freezer(), Some((Version::V2, dir)));
    }
}
