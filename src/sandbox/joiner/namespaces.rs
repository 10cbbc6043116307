//! A sandbox's namespaces, opened from outside and joined one by one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use super::{system, wire::Failure};

/// The namespaces of one sandbox. Joining happens to this process; there is no way back.
#[derive(Debug)]
pub struct Namespaces {
    mounts: OwnedFd,
    network: OwnedFd,
    processes: OwnedFd,
    owner: Option<OwnedFd>,
    joined: Vec<&'static str>,
}

impl Namespaces {
    /// Opens those of this process, and makes sure that it is the process that `pidfd` stands for.
    pub(super) fn of(pid: i32, pidfd: BorrowedFd<'_>) -> Result<Self, Failure> {
        let namespace = |name: &str| {
            let path = format!("/proc/{pid}/ns/{name}");
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            open(&path, flags, Mode::empty()).map_err(Failure::at(format!("open {path}")))
        };
        let mounts = namespace("mnt")?;
        // Bubblewrap's second user namespace (`--disable-userns`) is not the one that owns the mounts and the network: ask the
        // mounts for theirs. Root needs none: it may act in namespaces of all users, and would lose that by joining one.
        let owner = if rustix::process::geteuid().is_root() {
            None
        } else {
            Some(system::owner_of(&mounts).map_err(Failure::at("ask for the owner of the mounts"))?)
        };
        let opened = Self {
            network: namespace("net")?,
            processes: namespace("pid")?,
            mounts,
            owner,
            joined: Vec::new(),
        };
        // While the process has not ended its number is its own, so what was opened is its.
        let ended = poll(&mut [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)], Some(&Timespec::default()));
        match ended.map_err(Failure::at("look at the process"))? {
            0 => Ok(opened),
            _ => Err(Failure::new("look at the process", "the sandbox has ended")),
        }
    }

    /// Joins the mounts: from here on paths are the sandbox's.
    pub fn join_mounts(&mut self) -> Result<(), Failure> {
        self.join("join the mounts", LinkNameSpaceType::Mount)
    }

    /// Joins the network: from here on sockets are the sandbox's.
    pub fn join_network(&mut self) -> Result<(), Failure> {
        self.join("join the network", LinkNameSpaceType::Network)
    }

    /// Joins the processes: from here on children of this process are the sandbox's.
    pub fn join_processes(&mut self) -> Result<(), Failure> {
        self.join("join the processes", LinkNameSpaceType::ProcessID)
    }

    fn join(&mut self, step: &'static str, kind: LinkNameSpaceType) -> Result<(), Failure> {
        if self.joined.contains(&step) {
            return Ok(());
        }
        if let Some(owner) = self.owner.take() {
            move_into_link_name_space(owner.as_fd(), Some(LinkNameSpaceType::User))
                .map_err(Failure::at("join the owner of the mounts"))?;
        }
        let namespace = match kind {
            LinkNameSpaceType::Mount => &self.mounts,
            LinkNameSpaceType::Network => &self.network,
            _ => &self.processes,
        };
        move_into_link_name_space(namespace.as_fd(), Some(kind)).map_err(Failure::at(step))?;
        self.joined.push(step);
        Ok(())
    }
}
