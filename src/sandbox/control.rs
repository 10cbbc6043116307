//! A sandbox from outside: it becomes a function's, stands still and goes on, and tells what ended it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rustix::process::{Signal, pidfd_send_signal};

use super::{
    cgroup::{Group, Groups, Limits},
    freezer::{self, FreezeError},
    joiner::{
        Inside, JoinError, Joiner, Operation,
        operations::{LimitTmpfs, Mount},
    },
    memory_watch::{Watch, Watched},
    users::Users,
};

/// What there is on this machine to act on sandboxes with; the same for all of them.
#[derive(Clone, Debug)]
pub struct Means {
    /// Gives each its host user.
    pub users: Users,
    /// Joins their namespaces.
    pub joiner: Joiner,
    /// Limits them, where it may.
    pub groups: Option<Arc<Groups>>,
    /// Looks at their memory, where no group limits it.
    pub watch: Option<Arc<Watch>>,
}

impl Means {
    /// What this machine has. `joiner` is the gateway's own program.
    pub fn find(users: Users, joiner: impl Into<PathBuf>) -> io::Result<Self> {
        let groups = Groups::open()?;
        let limited = groups.as_ref().is_some_and(|groups| groups.has_memory().is_some());
        let watch = if limited { None } else { Some(Watch::start()?) };
        Ok(Self { users, joiner: Joiner::new(joiner), groups, watch })
    }

    /// By what means sandboxes are frozen.
    pub fn freezer(&self) -> freezer::Kind {
        freezer::Kind::of(self.groups.as_deref())
    }
}

/// What makes a sandbox a function's.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Folders of the host, and where they appear inside, read-only: the package at `/var/task`, its layers at `/opt`.
    pub mounts: Vec<(PathBuf, &'static str)>,
    /// The function's memory, in MiB.
    pub memory_mb: u32,
    /// The size of `/tmp`, in MiB.
    pub tmp_mb: u32,
}

/// Why a sandbox did not become a function's. It must be ended.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Its first process was not found.
    #[error("the sandbox's first process was not found: {0}")]
    Inside(io::Error),
    /// Its limits could not be set.
    #[error("the sandbox's control group could not be set: {0}")]
    Group(io::Error),
    /// Its mounts could not be made or limited.
    #[error("the sandbox could not be entered: {0}")]
    Join(#[from] JoinError),
}

/// So many files for each MiB of a tmpfs, as ext4 has them: the kernel's memory for empty files is bounded by that.
const FILES_PER_MB: u64 = 64;
/// The size of `/dev/shm`, in MiB.
pub(super) const SHM_MB: u32 = 16;

/// Acts on one sandbox.
#[derive(Debug)]
pub struct Control {
    monitor: u32,
    means: Arc<Means>,
    group: Option<Arc<Group>>,
    inside: OnceLock<Arc<Inside>>,
    watched: OnceLock<Arc<Watched>>,
}

impl Control {
    pub(super) fn new(monitor: u32, means: Arc<Means>, group: Option<Arc<Group>>) -> Self {
        Self { monitor, means, group, inside: OnceLock::new(), watched: OnceLock::new() }
    }

    /// Its first process, for requests to the joiner. It is there once the sandbox has said READY.
    pub fn inside(&self) -> io::Result<&Arc<Inside>> {
        if let Some(inside) = self.inside.get() {
            return Ok(inside);
        }
        let found = Arc::new(Inside::of_monitor(self.monitor)?);
        Ok(self.inside.get_or_init(|| found))
    }

    /// The joiner.
    pub fn joiner(&self) -> &Joiner {
        &self.means.joiner
    }

    /// Makes a generic sandbox that has said READY a function's: its files appear, its limits hold. To be done once, before
    /// BIND is written.
    pub async fn bind(&self, binding: &Binding) -> Result<(), BindError> {
        let limits = Limits { memory_mb: binding.memory_mb, tmp_mb: binding.tmp_mb };
        if let Some(group) = &self.group {
            group.limit(limits).map_err(BindError::Group)?;
        }
        let inside = self.inside().map_err(BindError::Inside)?;
        let mounts = binding.mounts.iter().map(|(source, target)| Mount::new(source, *target).into());
        let tmpfs = [("/tmp", binding.tmp_mb), ("/dev/shm", SHM_MB)].map(|(target, mb)| {
            let (bytes_max, files_max) = (u64::from(mb) << 20, u64::from(mb) * FILES_PER_MB);
            Operation::from(LimitTmpfs { target: target.into(), bytes_max, files_max })
        });
        self.means.joiner.request(inside, mounts.chain(tmpfs).collect(), &[]).await?;
        if let Some(watch) = &self.means.watch {
            let bytes_max = u64::from(binding.memory_mb) << 20;
            let _ = self.watched.set(watch.add(self.monitor, inside.clone(), bytes_max));
        }
        Ok(())
    }

    /// Freezes all of its processes, and comes back when they stand still. A sandbox that does not is ended by this.
    pub async fn freeze(&self) -> Result<(), FreezeError> {
        self.set_frozen(true).await
    }

    /// Lets them go on. A sandbox that does not is ended by this.
    pub async fn thaw(&self) -> Result<(), FreezeError> {
        self.set_frozen(false).await
    }

    async fn set_frozen(&self, frozen: bool) -> Result<(), FreezeError> {
        let inside = self.inside()?;
        if let Some(watched) = self.watched.get() {
            watched.set_still(frozen);
        }
        let set = freezer::set(frozen, self.group.as_deref(), &self.means.joiner, inside).await;
        if set.is_err() {
            self.kill();
        }
        set
    }

    /// Whether a process of it was killed because all took more memory than they may.
    pub fn oom_killed(&self) -> bool {
        self.watched.get().is_some_and(|watched| watched.is_over())
            || self.group.as_ref().is_some_and(|group| group.oom_killed())
    }

    /// Ends all of its processes.
    pub fn kill(&self) {
        if let Some(group) = &self.group {
            group.release();
            group.kill();
        }
        if let Ok(inside) = self.inside() {
            // The one error there can be is that it has ended already.
            let _ = pidfd_send_signal(inside, Signal::KILL);
        }
    }

    /// The folders of its control groups.
    pub fn groups(&self) -> Vec<PathBuf> {
        self.group.as_ref().map(|group| group.folders()).unwrap_or_default()
    }
}
