//! A child process that is in its control group from the first.
//!
//! Writing to `cgroup.procs` has the kernel wait until nobody on the machine is in the middle of a fork or an exit: some ten
//! milliseconds. Two ways are spared that. In version 1 a thread may move itself alone, by
//! `tasks`, and a child has one thread. In version 2 a process can be born into a group (clone(2), `CLONE_INTO_CGROUP`), which
//! [`std::process::Command`] cannot do.

#![expect(unsafe_code, reason = "clone, exec and what lies between; each use says why it is sound")]

use std::{
    ffi::{CStr, CString},
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    ptr,
};

use rustix::{
    pipe::{PipeFlags, pipe_with},
    process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid},
};

use super::process::{Exit, above_places, place};

/// What is done in the child before it becomes the program: system calls only, without allocation or lock, for the parent has other
/// threads. It is told whether it was born into its group.
pub(super) type Prepare = Box<dyn Fn(bool) -> io::Result<()> + Send>;

/// What a child is to be. Its environment is empty.
pub(super) struct Birth {
    /// Its program, by an absolute path.
    pub program: CString,
    /// Its arguments, the program's name first.
    pub arguments: Vec<CString>,
    /// Its standard input.
    pub input: OwnedFd,
    /// Its standard output and error.
    pub output: OwnedFd,
    /// The folder of the group of version 2 that it is to be born into.
    pub group: Option<OwnedFd>,
    /// What it does first.
    pub prepare: Prepare,
}

/// A child process. It is neither killed nor waited for when this is dropped.
#[derive(Debug)]
pub struct Child {
    id: u32,
    pidfd: OwnedFd,
    exit: Option<Exit>,
}

/// `CLONE_INTO_CGROUP` of `linux/sched.h`, since Linux 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;

impl Birth {
    /// Brings the child into being; it has become its program when this returns.
    pub(super) fn bear(&self) -> io::Result<Child> {
        let mut arguments: Vec<*const libc::c_char> =
            self.arguments.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(ptr::null());
        let (failed, low) = pipe_with(PipeFlags::CLOEXEC)?;
        let failing = above_places(&low)?;
        drop(low);
        let (input, output) = (above_places(&self.input)?, above_places(&self.output)?);
        let (is_in_group, born) = match self.group.as_ref().and_then(clone_into) {
            Some(born) => (true, born),
            // SAFETY: the child makes system calls alone until it ends or becomes another program.
            None => match unsafe { libc::fork() } {
                -1 => return Err(io::Error::last_os_error()),
                id => (false, Born { id, pidfd: None }),
            },
        };
        if born.id == 0 {
            let error = self.become_program(&arguments, &input, &output, is_in_group);
            let _ = rustix::io::write(&failing, &error.raw_os_error().unwrap_or(libc::EIO).to_ne_bytes());
            // SAFETY: it ends this process, without running what the parent has registered for its end.
            unsafe { libc::_exit(127) };
        }
        drop(failing);
        let mut child = Child::adopt(born)?;
        let mut error = [0; 4];
        match rustix::io::retry_on_intr(|| rustix::io::read(&failed, &mut error))? {
            0 => Ok(child),
            _ => {
                let _ = child.wait();
                Err(io::Error::from_raw_os_error(i32::from_ne_bytes(error)))
            }
        }
    }

    /// In the child: becomes the program, or says why not.
    fn become_program(
        &self,
        arguments: &[*const libc::c_char],
        input: &OwnedFd,
        output: &OwnedFd,
        is_in_group: bool,
    ) -> io::Error {
        let prepared = default_signals()
            .and_then(|()| place(input, 0))
            .and_then(|()| place(output, 1))
            .and_then(|()| place(output, 2))
            .and_then(|()| (self.prepare)(is_in_group));
        if let Err(error) = prepared {
            return error;
        }
        let environment = [ptr::null()];
        // SAFETY: the program is a C string, both lists are of C strings that live on in `self`, and end with null.
        unsafe { libc::execve(self.program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// What a clone returned: 0 in the child.
struct Born {
    id: libc::pid_t,
    pidfd: Option<OwnedFd>,
}

/// A child in this group; `None` where the kernel is too old, or does not let us.
fn clone_into(group: &OwnedFd) -> Option<Born> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all of it are numbers, and zero means none in each.
    let mut how: libc::clone_args = unsafe { std::mem::zeroed() };
    how.flags = INTO_CGROUP | u64::try_from(libc::CLONE_PIDFD).ok()?;
    how.pidfd = ptr::from_mut(&mut pidfd).expose_provenance() as u64;
    how.exit_signal = u64::try_from(libc::SIGCHLD).ok()?;
    how.cgroup = u64::try_from(group.as_raw_fd()).ok()?;
    // SAFETY: without CLONE_VM this is a fork: the child has its own memory and stack. It makes system calls alone until it ends or
    // becomes another program. `pidfd` outlives the call.
    let id =
        unsafe { libc::syscall(libc::SYS_clone3, ptr::from_mut(&mut how), size_of::<libc::clone_args>()) };
    let id = libc::pid_t::try_from(id).ok().filter(|id| *id >= 0)?;
    // SAFETY: the kernel has put a new descriptor there, in the parent alone, that nobody else knows.
    let pidfd = (id > 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) });
    Some(Born { id, pidfd })
}

/// What programs expect: no signal blocked, and an end by SIGPIPE, which Rust's runtime ignores.
fn default_signals() -> io::Result<()> {
    // SAFETY: the set is initialised before it is read, and only this process, which has one thread, is changed.
    let done = unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none) == 0
            && libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) == 0
            && libc::signal(libc::SIGPIPE, libc::SIG_DFL) != libc::SIG_ERR
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl Child {
    fn adopt(born: Born) -> io::Result<Self> {
        let pid = Pid::from_raw(born.id).ok_or_else(|| io::Error::other("a process without an id"))?;
        let pidfd = match born.pidfd {
            Some(pidfd) => pidfd,
            // It is our child, and has not been waited for: its id is nobody else's.
            None => pidfd_open(pid, PidfdFlags::empty())?,
        };
        Ok(Self { id: pid.as_raw_nonzero().get().unsigned_abs(), pidfd, exit: None })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// A descriptor that is readable when it has ended.
    pub(super) fn pidfd(&self) -> io::Result<OwnedFd> {
        self.pidfd.try_clone()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> io::Result<Exit> {
        self.look(WaitIdOptions::EXITED)
            .and_then(|exit| exit.ok_or_else(|| io::Error::other("it has not ended")))
    }

    fn look(&mut self, how: WaitIdOptions) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            let status = rustix::io::retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), how))?;
            self.exit = status.map(|status| Exit::of(status.exit_status(), status.terminating_signal()));
        }
        Ok(self.exit)
    }

    /// Kills it and waits for it. A killed process ends at once; what takes time is its namespaces, which end without us.
    pub(super) fn end(&mut self) {
        if matches!(self.look(WaitIdOptions::EXITED | WaitIdOptions::NOHANG), Ok(None)) {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            let _ = self.wait();
        }
    }
}

/// `/dev/null`, to be read.
pub(super) fn nothing() -> io::Result<OwnedFd> {
    const NOTHING: &CStr = c"/dev/null";
    Ok(rustix::fs::open(
        NOTHING,
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read;

    use super::*;

    /// A shell that does this.
    pub fn shell(script: &str) -> (Birth, std::fs::File) {
        let (output, writing) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let birth = Birth {
            program: c"/bin/sh".to_owned(),
            arguments: vec![c"sh".to_owned(), c"-c".to_owned(), CString::new(script).unwrap()],
            input: nothing().unwrap(),
            output: writing,
            group: None,
            prepare: Box::new(|_| Ok(())),
        };
        (birth, output.into())
    }

    fn said(mut output: std::fs::File) -> String {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn it_has_its_arguments_its_channels_and_nothing_else() {
        let (birth, output) =
            shell("read line; echo \"$line.$0\" >&2; trap; env | grep -v ^PWD= | grep -v ^_=; exit 3");
        let mut child = birth.bear().unwrap();
        drop(birth);
        assert_eq!((said(output), child.wait().unwrap()), (".sh\n".to_owned(), Exit::Status(3)));
        assert_eq!(child.wait().unwrap(), Exit::Status(3), "however often it is asked");
    }

    #[test]
    fn what_failed_before_the_program_is_told_as_it_is() {
        let (mut birth, _output) = shell("");
        birth.prepare = Box::new(|_| Err(io::Error::from_raw_os_error(libc::EXDEV)));
        assert_eq!(birth.bear().unwrap_err().raw_os_error(), Some(libc::EXDEV));
        let (mut birth, _output) = shell("");
        birth.program = c"/nowhere/to/be/found".to_owned();
        assert_eq!(birth.bear().unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn signals_are_as_programs_expect_them() {
        // A reader that is gone ends whoever writes.
        let (birth, output) = shell("while :; do echo more; done");
        let mut child = birth.bear().unwrap();
        drop((output, birth));
        assert_eq!(child.wait().unwrap(), Exit::Signal(libc::SIGPIPE));
    }

    #[test]
    fn it_is_ended_and_waited_for() {
        let (birth, _output) = shell("sleep 1000");
        let mut child = birth.bear().unwrap();
        child.end();
        child.end();
        assert_eq!(child.wait().unwrap(), Exit::Signal(libc::SIGKILL));
    }

    #[test]
    fn where_it_cannot_be_born_into_a_group_it_says_so_to_itself() {
        let (mut birth, output) = shell("echo born");
        // A folder that is no group.
        let folder = tempfile::tempdir().unwrap();
        birth.group = Some(std::fs::File::open(folder.path()).unwrap().into());
        birth.prepare =
            Box::new(
                |is_in_group| {
                    if is_in_group { Err(io::Error::from_raw_os_error(libc::EINVAL)) } else { Ok(()) }
                },
            );
        let mut child = birth.bear().unwrap();
        drop(birth);
        assert_eq!((said(output), child.wait().unwrap()), ("born\n".to_owned(), Exit::Status(0)));
    }
}
