//! Being told by version 1 that a group is out of memory. It kills one process alone, and a sandbox that has lost one is no
//! use to anybody; version 2 ends all of the group by itself (`memory.oom.group`).

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::event::{EventfdFlags, eventfd};
use tokio::{io::unix::AsyncFd, task::AbortHandle};

use super::tree::{kill_all, set};
use crate::sandbox::process::watch;

/// A task that waits for the group to be out of memory, and ends all of its processes then. It ends with this value.
#[derive(Debug)]
pub struct Alarm {
    rung: Arc<AtomicBool>,
    waiting: AbortHandle,
}

impl Alarm {
    /// Registers with the kernel (cgroup-v1/memory.rst, "OOM Control").
    pub fn set(group: &Path) -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let control = fs::File::open(group.join("memory.oom_control"))?;
        set(group, "cgroup.event_control", &format!("{} {}", event.as_raw_fd(), control.as_raw_fd()))?;
        let rung = Arc::new(AtomicBool::new(false));
        let waiting = tokio::spawn(wait(watch(event)?, group.to_owned(), rung.clone())).abort_handle();
        Ok(Self { rung, waiting })
    }

    /// Whether the group was out of memory.
    pub fn has_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.waiting.abort();
    }
}

async fn wait(event: AsyncFd<OwnedFd>, group: PathBuf, rung: Arc<AtomicBool>) {
    // The kernel rings once more when the group is removed: by then nobody asks.
    if event.readable().await.is_ok() {
        rung.store(true, Ordering::Release);
        kill_all(&group);
    }
}
