//! The processes of a stand's sandboxes, as the host sees them.

use std::{fs, os::fd::OwnedFd};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

/// Ids of all processes of the sandboxes that this process started and whose first process was given this limit.
pub fn of(mark: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let wanted = format!("/var/lang/bin/pid1\0{mark}\0");
    let is_marked = |pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&wanted)
    };
    let own = |(pid, parent): &&(u32, u32)| *parent == std::process::id() && is_marked(*pid);
    let mut found: Vec<u32> = all.iter().filter(own).map(|(pid, _)| *pid).collect();
    let mut at = 0;
    while at < found.len() {
        let children: Vec<u32> = all
            .iter()
            .filter(|(pid, parent)| *parent == found[at] && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        found.extend(children);
        at += 1;
    }
    found
}

fn parent(pid: u32) -> Option<u32> {
    field(pid, "PPid:")?.parse().ok()
}

/// The first word of a line of `/proc/<pid>/status`.
pub fn field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next().map(str::to_owned)
}

/// Processes held on to, so that their end can be waited for.
pub struct Living(Vec<OwnedFd>);

impl Living {
    pub fn of(mark: u32) -> Self {
        let open = |pid: u32| pidfd_open(Pid::from_raw(pid.try_into().unwrap())?, PidfdFlags::empty()).ok();
        Self(of(mark).into_iter().filter_map(open).collect())
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        let waiting = tokio::task::spawn_blocking(move || {
            let most = Timespec { tv_sec: 10, tv_nsec: 0 };
            self.0.iter().all(|pidfd| poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&most)) == Ok(1))
        });
        assert!(waiting.await.unwrap(), "a process of a sandbox is left");
    }
}
