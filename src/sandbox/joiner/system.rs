//! The system calls of the joiner that no crate wraps, or wraps as unsafe.

#![expect(unsafe_code, reason = "system calls without a safe wrapper; each use says why it is sound")]

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
};

use rustix::{
    process::Pid,
    thread::{UnshareFlags, unshare_unsafe},
};

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks this process, which must have one thread only: the child may then do whatever it could. `None` in the child.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the joiner and its children have one thread: no lock is held by a thread that the child does not have.
    let child = checked(libc::c_long::from(unsafe { libc::fork() }))?;
    Ok(i32::try_from(child).ok().and_then(Pid::from_raw))
}

/// Takes over a descriptor that this process was started with.
pub(super) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: only numbers are passed; it fails where nothing is open there.
    checked(libc::c_long::from(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) }))?;
    // SAFETY: the descriptor is open, was put there for this purpose, and nothing else in this process has taken it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Ignores what a terminal or a service manager sends to all processes at once: the joiner serves until its gateway ends.
pub(super) fn ignore_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: no handler is installed.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Has this process killed when it is older than this.
pub(super) fn end_in(seconds: u32) {
    // SAFETY: no pointers. The signal is not handled, and so ends the process.
    unsafe { libc::alarm(seconds) };
}

/// Ends this process as it is: nothing of what the parent's memory holds is run or flushed here.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: no pointers; it does not return.
    unsafe { libc::_exit(status) }
}

/// Gives this process a user namespace and mounts of its own.
pub(super) fn own_user_and_mounts() -> io::Result<()> {
    // SAFETY: descriptors stay shared as they are, and this process has one thread.
    unsafe { unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS) }.map_err(io::Error::from)
}

/// The user namespace that a namespace belongs to (`NS_GET_USERNS`, ioctl_nsfs(2)).
pub(super) fn owner_of(namespace: &OwnedFd) -> io::Result<OwnedFd> {
    const NS_GET_USERNS: libc::Ioctl = 0xb701;
    // SAFETY: the call takes no argument.
    let owner = checked(libc::c_long::from(unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_USERNS) }))?;
    let owner = RawFd::try_from(owner).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(owner) })
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Makes a detached mount, and all below it, read-only, without setuid and devices, and private to whoever mounts it.
pub(super) fn make_read_only(tree: impl AsFd) -> io::Result<()> {
    const EMPTY: &CStr = c"";
    let attributes = MountAttributes {
        set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        clear: 0,
        propagation: libc::MS_PRIVATE,
        user_namespace: 0,
    };
    // SAFETY: path and attributes live for the duration of the call, and the length is that of the attributes.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_fd().as_raw_fd(),
            EMPTY.as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    })?;
    Ok(())
}
