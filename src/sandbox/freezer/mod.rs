//! Freezing a sandbox: everything inside stands still, and is known to, until it is thawed.
//!
//! Three means, the first there is: the freezer of control groups, version 2 or 1, and stopping all processes by a signal,
//! which needs no privilege but the joiner's help.

use std::{fs, io, path::Path, time::Duration};

use super::{
    cgroup::{Group, Groups, Version},
    joiner::{Inside, JoinError, Joiner, operations::SignalAll},
};

/// By what means sandboxes are frozen here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The freezer of control groups, version 2.
    CgroupV2,
    /// The same, version 1.
    CgroupV1,
    /// SIGSTOP and SIGCONT.
    Signals,
}

impl Kind {
    /// The best that these groups have.
    pub fn of(groups: Option<&Groups>) -> Self {
        match groups.and_then(Groups::has_freezer) {
            Some(Version::V2) => Self::CgroupV2,
            Some(Version::V1) => Self::CgroupV1,
            None => Self::Signals,
        }
    }
}

/// Why a sandbox does not stand still, or not go on. It must be ended.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// It was not still in time.
    #[error("the sandbox did not stand still within {WAIT_MAX:?}")]
    TimedOut,
    /// The freezer of its control group failed.
    #[error("the freezer of the sandbox's control group failed: {0}")]
    Group(#[from] io::Error),
    /// The processes could not be signalled, or woke each time.
    #[error("the sandbox's processes were not stopped or woken: {0}")]
    Signals(#[from] JoinError),
}

/// How long is waited for a sandbox to stand still. A process in a system call that cannot be broken off holds it up.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// The first looks follow each other at once: it takes some 50 µs, while the kernel tells those who wait for the file's change
/// no more often than every 15 ms.
const SPINS: u32 = 40;
const YIELDS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(1);

/// Freezes or thaws, and comes back when that is so.
pub(super) async fn set(
    frozen: bool,
    group: Option<&Group>,
    joiner: &Joiner,
    inside: &Inside,
) -> Result<(), FreezeError> {
    match group.and_then(Group::freezer) {
        Some((Version::V2, dir)) => {
            fs::write(dir.join("cgroup.freeze"), if frozen { "1" } else { "0" })?;
            // Thawing needs no confirming: whoever is waited for answers.
            if frozen { until(|| is_frozen_v2(&dir)).await } else { Ok(()) }
        }
        Some((Version::V1, dir)) => {
            let state = dir.join("freezer.state");
            fs::write(&state, if frozen { "FROZEN" } else { "THAWED" })?;
            // Reading the state has the kernel look again.
            if frozen { until(|| Ok(fs::read(&state)?.starts_with(b"FROZEN"))).await } else { Ok(()) }
        }
        None => {
            joiner.request(inside, vec![SignalAll { stop: frozen }.into()], &[]).await?;
            Ok(())
        }
    }
}

fn is_frozen_v2(dir: &Path) -> io::Result<bool> {
    let events = fs::read_to_string(dir.join("cgroup.events"))?;
    Ok(events.lines().any(|line| line == "frozen 1"))
}

async fn until(mut is: impl FnMut() -> io::Result<bool>) -> Result<(), FreezeError> {
    let look = async {
        let mut looks = 0;
        while !is()? {
            looks += 1;
            if looks <= SPINS {
                std::hint::spin_loop();
            } else if looks <= YIELDS {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    };
    tokio::time::timeout(WAIT_MAX, look).await.map_err(|_| FreezeError::TimedOut)?
}
