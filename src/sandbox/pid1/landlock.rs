//! A second wall around files and signals: Node.js and all that it starts live in a Landlock domain.
//!
//! The rules stand on `/`, or what the gateway mounts later would lie outside them: a rule counts for what is below it, and a
//! mount point that has been covered does not. Kernels differ in how much Landlock they have; the newest that both know is
//! used, and one without any leaves the other walls. `callgate doctor` tells which it is.

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_ulong},
    ptr,
};

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
}

// The same numbers on every architecture.
const CREATE_RULESET: c_long = 444;
const ADD_RULE: c_long = 445;
const RESTRICT_SELF: c_long = 446;

const RULESET_VERSION: u32 = 1;
const RULE_PATH_BENEATH: c_int = 1;

// linux/landlock.h
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
/// All rights on files of the first version.
const ALL_1: u64 = (1 << 13) - 1;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
const SCOPE_ABSTRACT_SOCKETS: u64 = 1 << 0;
const SCOPE_SIGNALS: u64 = 1 << 1;

const O_PATH: c_int = 0o10_000_000;
const O_CLOEXEC: c_int = 0o2_000_000;

#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: c_int,
}

/// What the kernel's version of Landlock can handle.
fn handled(version: c_long) -> Ruleset {
    let mut files = ALL_1;
    for (since, right) in [(2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)] {
        if version >= since {
            files |= right;
        }
    }
    let scoped = if version >= 6 { SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS } else { 0 };
    Ruleset { files, network: 0, scoped }
}

/// Enters the domain, and has the kernel forget that there is Landlock. Says what failed.
pub fn enter() -> Result<(), &'static str> {
    // SAFETY: without a ruleset the call only tells the version.
    let version = unsafe { syscall(CREATE_RULESET, ptr::null::<Ruleset>(), 0_usize, RULESET_VERSION) };
    if version >= 1 {
        restrict(&handled(version))?;
    }
    forget()
}

fn restrict(handled: &Ruleset) -> Result<(), &'static str> {
    let size = if handled.scoped == 0 { size_of::<u64>() } else { size_of::<Ruleset>() };
    // SAFETY: `handled` is a valid ruleset of at least `size` bytes.
    let ruleset = unsafe { syscall(CREATE_RULESET, ptr::from_ref(handled), size, 0_u32) };
    let ruleset = c_int::try_from(ruleset).unwrap_or(-1);
    if ruleset < 0 {
        return Err("landlock_create_ruleset");
    }
    let folder = ALL_1 & !(MAKE_CHAR | MAKE_BLOCK) | REFER | TRUNCATE;
    let device = READ_FILE | WRITE_FILE | READ_DIR | TRUNCATE | IOCTL_DEV;
    allow(ruleset, c"/", (EXECUTE | READ_FILE | READ_DIR) & handled.files)?;
    allow(ruleset, c"/tmp", folder & handled.files)?;
    allow(ruleset, c"/dev/shm", folder & handled.files)?;
    allow(ruleset, c"/dev", device & handled.files)?;
    // SAFETY: only numbers are passed.
    if unsafe { syscall(RESTRICT_SELF, ruleset, 0_u32) } != 0 {
        return Err("landlock_restrict_self");
    }
    // SAFETY: nothing else has this descriptor.
    unsafe { close(ruleset) };
    Ok(())
}

fn allow(ruleset: c_int, path: &CStr, rights: u64) -> Result<(), &'static str> {
    // SAFETY: `path` ends in a zero byte.
    let parent = unsafe { open(path.as_ptr(), O_PATH | O_CLOEXEC) };
    let rule = PathBeneath { allowed: rights, parent };
    // SAFETY: `rule` is valid for the duration of the call; a parent that could not be opened is refused.
    let added = unsafe { syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ptr::from_ref(&rule), 0_u32) };
    // SAFETY: nothing else has this descriptor.
    unsafe { close(parent) };
    if added == 0 { Ok(()) } else { Err("landlock_add_rule") }
}

#[repr(C)]
struct Step {
    code: u16,
    when_true: u8,
    when_false: u8,
    value: u32,
}

#[repr(C)]
struct Program {
    steps: u16,
    first: *const Step,
}

/// The filter that bubblewrap loaded lets this process have Landlock; a further one takes it from all that comes after. Which
/// architecture calls is checked by the first.
fn forget() -> Result<(), &'static str> {
    const PR_SET_SECCOMP: c_int = 22;
    const MODE_FILTER: c_ulong = 2;
    const LOAD_NUMBER: u16 = 0x20;
    const IF_AT_LEAST: u16 = 0x35;
    const IF_ABOVE: u16 = 0x25;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const ENOSYS: u32 = 0x0005_0000 | 38;
    let steps = [
        Step { code: LOAD_NUMBER, when_true: 0, when_false: 0, value: 0 },
        Step { code: IF_AT_LEAST, when_true: 0, when_false: 2, value: CREATE_RULESET as u32 },
        Step { code: IF_ABOVE, when_true: 1, when_false: 0, value: RESTRICT_SELF as u32 },
        Step { code: RETURN, when_true: 0, when_false: 0, value: ENOSYS },
        Step { code: RETURN, when_true: 0, when_false: 0, value: ALLOW },
    ];
    let program = Program { steps: steps.len() as u16, first: steps.as_ptr() };
    // SAFETY: the program and its steps are valid for the duration of the call, which copies them.
    if unsafe { prctl(PR_SET_SECCOMP, MODE_FILTER, ptr::from_ref(&program), 0 as c_ulong, 0 as c_ulong) } != 0 {
        return Err("seccomp");
    }
    Ok(())
}
