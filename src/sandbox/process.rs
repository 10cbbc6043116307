//! A sandbox's process as the gateway holds it: waited for without a thread, killed without doubt.

#![expect(unsafe_code, reason = "fork, exec and descriptors; each use says why it is sound")]

use std::{
    collections::HashMap,
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use super::{cgroup::Group, child::Child};

/// Has `prepare` run in the child between fork and exec. It must make system calls only: no allocation, no lock.
pub(super) fn before_exec(
    command: &mut Command,
    prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the closures (the joiner's, and those that only unshare) make system calls on values made
    // before the fork; they neither allocate nor take locks.
    unsafe { command.pre_exec(prepare) };
}

/// A copy of this descriptor that stands higher than any number at which a child puts one: [`place`] must neither find its
/// source at its goal, where it would stay marked to be closed, nor put anything over the source of the next.
pub(super) fn above_places(fd: &OwnedFd) -> io::Result<OwnedFd> {
    const ABOVE: RawFd = 16;
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, ABOVE)?)
}

/// Puts a copy of `fd` at `number`, kept open over exec.
pub(super) fn place(fd: &OwnedFd, number: RawFd) -> io::Result<()> {
    // SAFETY: only numbers are passed. In the child nothing that is still needed stands at `number`: an exec pipe stands above all
    // places ([`above_places`]), and the standard library's does too, since 3 to 7 have been taken since the runtime started (its
    // epoll, its wakers, its signals' socket pair).
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

/// Gives this thread, and every process that it starts, an empty session keyring: those of the gateway's login may hold keys.
/// Where the kernel has no keyrings or refuses (containers often do), there is nothing to be reached either: the sandbox's
/// filter refuses the calls.
pub(super) fn own_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: a null name asks for a new keyring without one; only the calling thread's credentials change.
    let _ =
        unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
}

/// The version of the kernel's Landlock; 0 if it has none.
pub(super) fn landlock_version() -> u32 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: without a ruleset the call only tells the version.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION)
    };
    u32::try_from(version).unwrap_or(0)
}

/// Gives this process a user namespace of its own.
pub(super) fn own_users() -> io::Result<()> {
    // SAFETY: no pointers; only the calling process, a child between fork and exec with one thread, is changed.
    match unsafe { libc::unshare(libc::CLONE_NEWUSER) } {
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

/// Has the reactor watch a descriptor.
pub(super) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the `AsyncFd` owns the descriptor, and nothing else closes it or puts another in its place.
    unsafe { AsyncFd::register(fd) }.map_err(|refused| io::Error::other(refused.to_string()))
}

/// How a sandbox's Node.js ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// For want of memory.
    OutOfMemory,
}

/// The signal by which a Node.js that is out of memory ends itself (`runtime/native/sandbox.c`): SIGSTKFLT, which nothing on
/// Linux sends.
const OUT_OF_MEMORY: i32 = 16;

impl Exit {
    /// By a process's status or signal. The first process says `128 + signal` for a Node.js that a signal ended, as shells do;
    /// bubblewrap itself may be signalled too. Statuses beyond those of signals, 255 for one, are the function's own; so is 129,
    /// which the bootstrap ends with, since nobody hangs up a process without a terminal.
    pub(super) fn of(status: Option<i32>, signal: Option<i32>) -> Self {
        match (status, signal) {
            (Some(code), _) if code == 128 + OUT_OF_MEMORY => Self::OutOfMemory,
            (Some(code @ 130..=159), _) => Self::Signal(code - 128),
            (Some(code), _) => Self::Status(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Status(0),
        }
    }
}

/// Every living sandbox's process, so that all can be ended at once.
#[derive(Debug, Default)]
pub struct Processes(Mutex<Living>);

/// A living process's pidfd, and the groups it is in.
type Held = (Arc<AsyncFd<OwnedFd>>, Option<Arc<Group>>);

#[derive(Debug, Default)]
struct Living {
    pidfds: HashMap<u32, Held>,
    closed: bool,
}

impl Processes {
    fn living(&self) -> MutexGuard<'_, Living> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills all, and from now on whatever is added.
    pub fn kill(&self) {
        let mut living = self.living();
        living.closed = true;
        for (pidfd, group) in living.pidfds.values() {
            kill(pidfd, group.as_deref());
        }
    }
}

fn kill(pidfd: &AsyncFd<OwnedFd>, group: Option<&Group>) {
    if let Some(group) = group {
        group.release();
    }
    // The one error there can be is that it has ended already.
    let _ = pidfd_send_signal(pidfd.get_ref(), Signal::KILL);
}

/// The process at the head of a sandbox: bubblewrap's monitor. When it ends, all inside ends with it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ended: Arc<AsyncFd<OwnedFd>>,
    among: Arc<Processes>,
    group: Option<Arc<Group>>,
}

impl Process {
    /// Takes a started process over, which is in `group`, and counts it `among` the living.
    pub(super) fn new(
        mut child: Child,
        among: &Arc<Processes>,
        group: Option<Arc<Group>>,
    ) -> io::Result<Self> {
        match child.pidfd().and_then(watch) {
            Ok(ended) => {
                let ended = Arc::new(ended);
                let mut living = among.living();
                if living.closed {
                    kill(&ended, group.as_deref());
                }
                living.pidfds.insert(child.id(), (ended.clone(), group.clone()));
                drop(living);
                Ok(Self { child, ended, among: among.clone(), group })
            }
            Err(error) => {
                child.end();
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
        self.child.wait()
    }
}

impl Drop for Process {
    /// No sandbox outlives the value that stands for it.
    fn drop(&mut self) {
        self.among.living().pidfds.remove(&self.child.id());
        if let Some(group) = &self.group {
            group.release();
        }
        self.child.end();
    }
}

/// Kills a process and waits for it.
pub(super) fn end(child: &mut std::process::Child) {
    if matches!(child.try_wait(), Ok(None)) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::child::tests::shell, *};

    #[test]
    fn exits_are_told_from_signals() {
        let status = |code| Exit::of(Some(code), None);
        assert_eq!(status(3), Exit::Status(3));
        assert_eq!(status(128 + 9), Exit::Signal(9));
        assert_eq!(Exit::of(None, Some(9)), Exit::Signal(9));
        assert_eq!(status(128 + 16), Exit::OutOfMemory);
        // `process.exit(-1)`
        assert_eq!(status(255), Exit::Status(255));
        assert_eq!(status(129), Exit::Status(129));
    }

    fn sleeper() -> Child {
        shell("exec sleep 1000").0.bear().unwrap()
    }

    #[tokio::test]
    async fn all_are_killed_at_once_and_late_ones_too() {
        let among = Arc::new(Processes::default());
        let mut early = Process::new(sleeper(), &among, None).unwrap();
        among.kill();
        assert_eq!(early.wait().await.unwrap(), Exit::Signal(9));
        let mut late = Process::new(sleeper(), &among, None).unwrap();
        assert_eq!(late.wait().await.unwrap(), Exit::Signal(9));
        drop((early, late));
        assert!(among.living().pidfds.is_empty());
    }

    #[tokio::test]
    async fn a_process_ends_with_the_value_that_stands_for_it() {
        let process = Process::new(sleeper(), &Arc::default(), None).unwrap();
        let pidfd = process.ended.clone();
        drop(process);
        assert!(pidfd_send_signal(pidfd.get_ref(), Signal::CONT).is_err());
    }
}
