//! What freezing costs without a gateway: three processes, as many as an idle sandbox has, one of which echoes.

use std::{
    fs,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use callgate::sandbox::cgroup::{Group, Groups, Version};
use rustix::process::{Pid, Signal, kill_process_group};

/// The processes.
pub struct Bare {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    means: Means,
}

enum Means {
    // Held: it goes when dropped.
    Group(Version, PathBuf, #[expect(dead_code, reason = "it is removed when dropped")] Group),
    Signals(Pid),
}

impl Bare {
    /// Starts them, in a control group with a freezer where this user may have one.
    pub fn start() -> io::Result<Self> {
        let mut command = Command::new("sh");
        // Both shells wait; a process group of its own takes the signals.
        command.args(["-c", "sh -c 'cat; :'; :"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let lost = || io::Error::other("no pipe");
        let (input, output) = (child.stdin.take().ok_or_else(lost)?, child.stdout.take().ok_or_else(lost)?);
        let own = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(lost)?;
        let group = Groups::open()?.map(|groups| groups.group(100)).transpose()?;
        let means = match group.and_then(|group| Some((group.freezer()?, group))) {
            Some(((version, folder), group)) => Means::Group(version, folder, group),
            None => Means::Signals(own),
        };
        let mut bare = Self { child, input, output, means };
        // All three are there once there is an echo.
        bare.echo()?;
        bare.enter()?;
        Ok(bare)
    }

    fn enter(&self) -> io::Result<()> {
        let Means::Group(_, folder, _) = &self.means else { return Ok(()) };
        let mut next = vec![self.child.id()];
        while let Some(process) = next.pop() {
            fs::write(folder.join("cgroup.procs"), process.to_string())?;
            let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
            next.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        Ok(())
    }

    /// One byte there and back.
    pub fn echo(&mut self) -> io::Result<()> {
        self.input.write_all(b"x")?;
        self.output.read_exact(&mut [0])
    }

    /// Has all stand still.
    pub fn freeze(&self) -> io::Result<()> {
        match &self.means {
            Means::Group(Version::V2, folder, _) => fs::write(folder.join("cgroup.freeze"), "1"),
            Means::Group(Version::V1, folder, _) => {
                fs::write(folder.join("freezer.state"), "FROZEN")?;
                while !fs::read(folder.join("freezer.state"))?.starts_with(b"FROZEN") {}
                Ok(())
            }
            Means::Signals(group) => Ok(kill_process_group(*group, Signal::STOP)?),
        }
    }

    /// Has all go on.
    pub fn thaw(&self) -> io::Result<()> {
        match &self.means {
            Means::Group(Version::V2, folder, _) => fs::write(folder.join("cgroup.freeze"), "0"),
            Means::Group(Version::V1, folder, _) => fs::write(folder.join("freezer.state"), "THAWED"),
            Means::Signals(group) => Ok(kill_process_group(*group, Signal::CONT)?),
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.thaw();
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
