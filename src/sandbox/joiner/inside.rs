//! A sandbox as the joiner is told of it: one of its processes, held on to.

use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// A process of a sandbox. Its number cannot come to mean another process unseen: the descriptor tells.
#[derive(Debug)]
pub struct Inside {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Inside {
    /// The first process of the sandbox whose monitor (bubblewrap's process outside) is `monitor`. It is there once the
    /// sandbox has said anything; the monitor must not have been waited for.
    pub fn of_monitor(monitor: u32) -> io::Result<Self> {
        let first = only_child(monitor)?;
        let inside = Self::of_process(first)?;
        // A child of the monitor before and after the descriptor was opened was one in between.
        if only_child(monitor)? != first {
            return Err(io::Error::other("the sandbox's first process has just ended"));
        }
        Ok(inside)
    }

    /// A process of a sandbox by its number, which the caller knows to be that process's still.
    pub fn of_process(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, pidfd: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// Its number in the gateway's process namespace.
    pub fn pid(&self) -> Pid {
        self.pid
    }
}

impl AsFd for Inside {
    /// Its pidfd.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

fn only_child(parent: u32) -> io::Result<Pid> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    let first = children.split_ascii_whitespace().next().and_then(|pid| pid.parse().ok());
    first.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("the sandbox has no first process"))
}
