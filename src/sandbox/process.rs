//! A sandbox's process as the gateway holds it: waited for without a thread, killed without doubt.

#![expect(unsafe_code, reason = "fork, exec and descriptors; each use says why it is sound")]

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus},
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;

/// Has `prepare` run in the child between fork and exec. It must make system calls only: no allocation, no lock.
pub(super) fn before_exec(
    command: &mut Command,
    prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the one caller's closure (`jail::Prepare::run`) makes system calls on values made before the fork; it neither
    // allocates nor takes locks.
    unsafe { command.pre_exec(prepare) };
}

/// Puts a copy of `fd` at `number`, kept open over exec.
pub(super) fn place(fd: &OwnedFd, number: RawFd) -> io::Result<()> {
    // SAFETY: only numbers are passed. In the child nothing but the standard library's exec pipe could stand at `number`, and
    // it stands higher: 3 and 4 have been taken since the runtime started.
    match unsafe { libc::dup2(fd.as_raw_fd(), number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Marks every descriptor from `first` on to be closed by exec.
pub(super) fn close_on_exec_from(first: RawFd) -> io::Result<()> {
    let first = libc::c_uint::try_from(first).map_err(io::Error::other)?;
    // SAFETY: only numbers are passed, and nothing is closed before exec.
    match unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) }
    {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Gives this process mounts of its own.
pub(super) fn own_mounts() -> io::Result<()> {
    // SAFETY: no pointers; only the calling process, a child between fork and exec with one thread, is changed.
    match unsafe { libc::unshare(libc::CLONE_NEWNS) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// How a sandbox's Node.js ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    /// The first process says `128 + signal` for a Node.js that a signal ended; bubblewrap itself may be signalled too.
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) if code > 128 => Self::Signal(code - 128),
            (Some(code), _) => Self::Status(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Status(0),
        }
    }
}

/// The process at the head of a sandbox: bubblewrap's monitor. When it ends, all inside ends with it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ended: AsyncFd<OwnedFd>,
}

impl Process {
    /// Takes a started process over.
    pub fn new(mut child: Child) -> io::Result<Self> {
        let opened = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("a process without an id"))
            .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::NONBLOCK)?))
            .and_then(|pidfd| {
                // SAFETY: the `AsyncFd` owns the descriptor, and nothing else closes it or puts another in its place.
                unsafe { AsyncFd::register(pidfd) }.map_err(|refused| io::Error::other(refused.to_string()))
            });
        match opened {
            Ok(ended) => Ok(Self { child, ended }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The process id of bubblewrap's monitor.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended.
    pub async fn wait(&mut self) -> io::Result<Exit> {
        // A pidfd becomes readable when its process ends, and stays so.
        let _ = self.ended.readable().await?;
        Ok(self.child.wait()?.into())
    }

    /// Kills it, without waiting.
    pub fn kill(&mut self) {
        let _ =
            rustix::process::pidfd_send_signal(self.ended.get_ref().as_fd(), rustix::process::Signal::KILL);
    }
}

impl Drop for Process {
    /// No sandbox outlives the value that stands for it.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
            // A killed process ends at once; what takes time is its namespaces, which end without us.
            let _ = self.child.wait();
        }
    }
}
