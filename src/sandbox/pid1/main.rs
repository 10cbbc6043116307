//! The first process inside a sandbox: starts Node.js, reaps whatever is left without a parent, and ends as Node.js ended.
//!
//! Built by `build.rs` on its own and embedded in the gateway, because it must be small: one runs in every sandbox.
//! Usage: `pid1 PROCESSES COMMAND [ARGUMENT…]`, with the gateway's sockets on descriptors 3 and 4. It takes no environment of its own
//! and hands on what bubblewrap set.

#![expect(unsafe_code, reason = "system calls without a crate: this program is built by rustc alone")]

mod landlock;

use std::{
    ffi::{CString, c_char, c_int, c_uint, c_ulong},
    process::exit,
    ptr,
};

#[repr(C)]
struct Limit {
    soft: u64,
    hard: u64,
}

unsafe extern "C" {
    fn prctl(option: c_int, ...) -> c_int;
    fn getrlimit(resource: c_uint, limit: *mut Limit) -> c_int;
    fn setrlimit(resource: c_uint, limit: *const Limit) -> c_int;
    fn fork() -> c_int;
    fn execv(path: *const c_char, arguments: *const *const c_char) -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int;
}

const PR_SET_DUMPABLE: c_int = 4;
const RLIMIT_CORE: c_uint = 4;
const RLIMIT_NPROC: c_uint = 6;
/// What a shell says when a command could not be started; the gateway knows it as a defect of its own.
const NOT_STARTED: c_int = 127;

fn fail(what: &str) -> ! {
    eprintln!("callgate pid1: {what}: {}", std::io::Error::last_os_error());
    exit(NOT_STARTED)
}

/// Lowers a limit to `value`; one that is lower already stays, since nobody here may raise it.
fn limit(resource: c_uint, value: u64, name: &str) {
    let mut limit = Limit { soft: 0, hard: 0 };
    // SAFETY: `limit` is a valid place for the result.
    if unsafe { getrlimit(resource, &raw mut limit) } != 0 {
        fail(name);
    }
    let value = value.min(limit.hard);
    limit = Limit { soft: value, hard: value };
    // SAFETY: `limit` is a valid rlimit for the duration of the call.
    if unsafe { setrlimit(resource, &raw const limit) } != 0 {
        fail(name);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(processes) = arguments.next().and_then(|count| count.parse().ok()) else { fail("usage") };
    let Ok(command) = arguments.map(CString::new).collect::<Result<Vec<_>, _>>() else { fail("arguments") };
    let Some(path) = command.first() else { fail("no command") };
    let mut pointers: Vec<*const c_char> = command.iter().map(|argument| argument.as_ptr()).collect();
    pointers.push(ptr::null());

    // Nobody inside may read this process's memory or take its descriptors.
    // SAFETY: no pointers.
    if unsafe { prctl(PR_SET_DUMPABLE, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) } != 0 {
        fail("prctl");
    }
    limit(RLIMIT_CORE, 0, "RLIMIT_CORE");
    // Set here, inside the user namespace, it counts this sandbox's processes and threads and nobody else's.
    limit(RLIMIT_NPROC, processes, "RLIMIT_NPROC");
    // SAFETY: closes descriptors that nothing in this process uses; 0 to 4 stay.
    if unsafe { close_range(5, c_uint::MAX, 0) } != 0 {
        fail("close_range");
    }

    // SAFETY: this process has one thread.
    let child = unsafe { fork() };
    match child {
        -1 => fail("fork"),
        0 => {
            // In the child alone: this process stays outside, where nobody in the domain may signal it.
            if let Err(what) = landlock::enter() {
                fail(what);
            }
            // SAFETY: `path` and the null-ended `pointers` live until the call, which does not return on success.
            unsafe { execv(path.as_ptr(), pointers.as_ptr()) };
            fail("exec");
        }
        _ => {}
    }
    // Standard output, error and the sockets belong to Node.js alone: their ends must show when it closes them.
    // SAFETY: closes descriptors that nothing in this process uses from here on.
    unsafe { close_range(0, c_uint::MAX, 0) };
    loop {
        let mut status = 0;
        // SAFETY: `status` is a valid place for the result.
        let ended = unsafe { waitpid(-1, &raw mut status, 0) };
        if ended == child {
            let signal = status & 0x7f;
            exit(if signal == 0 { (status >> 8) & 0xff } else { 128 + signal });
        }
        if ended == -1 {
            // No child is left to wait for, which cannot be while Node.js has not been seen to end.
            exit(NOT_STARTED);
        }
    }
}
