//! The uplink of an ordinary user's gateway: one `slirp4netns` for each sandbox, which speaks for it by sockets of its own.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::fcntl_dupfd_cloexec,
    pipe::{PipeFlags, pipe_with},
};

use super::inside;
use crate::sandbox::{detect, process};

/// How long it may take to bring the interface up.
const READY_MAX: Duration = Duration::from_secs(10);
const TUN: &str = "/dev/net/tun";
/// Where the child has its descriptors: the namespaces, the pipe whose end is its end, and the one that tells it is ready.
const USER: i32 = 10;
const NET: i32 = 11;
const EXIT: i32 = 12;
const READY: i32 = 13;

/// Why it cannot be used. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoSlirp {
    /// It is not installed.
    #[error("slirp4netns is not installed: apt-get install slirp4netns")]
    Missing,
    /// There is no tun device, or it cannot be opened.
    #[error(
        "{TUN} cannot be opened by users ({0}): load the kernel module tun, and chmod 0666 {TUN}, as udev does"
    )]
    Tun(String),
}

/// The program.
#[derive(Clone, Debug)]
pub struct Slirp {
    program: PathBuf,
}

impl Slirp {
    /// Looks for the program and for what it needs.
    pub fn find() -> Result<Self, NoSlirp> {
        let program = detect::find_program("slirp4netns").ok_or(NoSlirp::Missing)?;
        let mode = fs::metadata(Path::new(TUN))
            .map_err(|error| NoSlirp::Tun(error.to_string()))?
            .permissions()
            .mode();
        // A root gateway starts it as the sandbox's user, to whom root's rights do not help.
        let opened = if rustix::process::geteuid().is_root() {
            if mode & 0o006 == 0o006 { Ok(()) } else { Err(format!("its mode is {:o}", mode & 0o777)) }
        } else {
            let opened = fs::File::options().read(true).write(true).open(TUN);
            opened.map(drop).map_err(|error| error.to_string())
        };
        opened.map_err(NoSlirp::Tun)?;
        Ok(Self { program })
    }

    /// Plugs a network namespace in, as `uid` where the gateway is root. Blocks until the interface is up.
    pub(super) fn plug(&self, namespace: &OwnedFd, uid: Option<u32>) -> io::Result<Running> {
        let (exit, held) = pipe_with(PipeFlags::CLOEXEC)?;
        let (ready, told) = pipe_with(PipeFlags::CLOEXEC)?;
        let user = inside::owner(std::os::fd::AsFd::as_fd(namespace))?;
        // Out of the way of the numbers that they get in the child.
        let apart = |fd: &OwnedFd| Ok::<_, io::Error>(fcntl_dupfd_cloexec(fd, 100)?);
        let placed =
            [(apart(&user)?, USER), (apart(namespace)?, NET), (apart(&exit)?, EXIT), (apart(&told)?, READY)];
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .args([
                "--configure",
                "--mtu=65520",
                "--disable-host-loopback",
                "--disable-dns",
                "--enable-seccomp",
            ])
            .arg(format!("--exit-fd={EXIT}"))
            .arg(format!("--ready-fd={READY}"))
            .arg(format!("--userns-path=/proc/self/fd/{USER}"))
            .args(["--netns-type=path", &format!("/proc/self/fd/{NET}"), super::bridge::INSIDE])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        process::before_exec(&mut command, move || {
            for (fd, number) in &placed {
                process::place(fd, *number)?;
            }
            process::close_on_exec_from(READY + 1)
        });
        let mut running = Running { child: Some(command.spawn()?), _held: held };
        drop((command, told, exit));
        running.wait_ready(&ready)?;
        Ok(running)
    }
}

/// A running one; it ends when dropped, and when the gateway does.
#[derive(Debug)]
pub(super) struct Running {
    child: Option<Child>,
    /// When the last copy of this closes, it ends by itself.
    _held: OwnedFd,
}

impl Running {
    fn wait_ready(&mut self, ready: &OwnedFd) -> io::Result<()> {
        let most = Timespec::try_from(READY_MAX).map_err(io::Error::other)?;
        let failed = |said: String| io::Error::other(format!("slirp4netns {said}"));
        if poll(&mut [PollFd::new(ready, PollFlags::IN)], Some(&most))? == 0 {
            return Err(failed(format!("was not ready within {READY_MAX:?}")));
        }
        // It writes "1", or ends without a word.
        let mut word = [0];
        if rustix::io::read(ready, &mut word)? == 1 {
            return Ok(());
        }
        let status = self.child.as_mut().map(Child::wait).transpose()?;
        let how = status.map(|status| status.to_string()).unwrap_or_default();
        Err(failed(format!("could not plug the sandbox in ({how})")))
    }

    /// Ends it, and waits until its interface is gone.
    pub(super) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            process::end(&mut child);
        }
    }

    /// Whether it runs.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Running {
    /// Its interface goes with it, for which the kernel takes its time: a thread that serves requests does not wait.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It may have ended already.
        let _ = child.kill();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || child.wait())),
            Err(_) => process::end(&mut child),
        }
    }
}
