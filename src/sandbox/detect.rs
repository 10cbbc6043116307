//! What this machine can isolate, limit and freeze, and what to do about each "no".

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    cgroup::{Groups, Version},
    freezer, process,
    users::{Level, NoUsers, Users},
};

/// Whether a means is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is.
    Yes,
    /// It is not, and functions run with less around them.
    Weak,
    /// It is not, and functions cannot run.
    No,
}

/// One means, looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked for.
    pub name: &'static str,
    /// Whether it is there.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub remedy: String,
}

impl Finding {
    fn new(
        name: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = if verdict == Verdict::Yes { String::new() } else { remedy.into() };
        Self { name, verdict, found: found.into(), remedy }
    }
}

/// Why sandboxes cannot be made. The text says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoBubblewrap {
    /// There is no such program.
    #[error("bubblewrap is not installed: apt-get install bubblewrap")]
    Missing,
    /// It is there and cannot make a sandbox.
    #[error("bubblewrap cannot make a sandbox ({said}): {remedy}")]
    Refused {
        /// What it said.
        said: String,
        /// What to do.
        remedy: String,
    },
    /// It can, and the gateway itself cannot make the namespaces by which it acts on a sandbox.
    #[error("the gateway cannot make user namespaces ({said}): {remedy}")]
    Confined {
        /// What the system said.
        said: String,
        /// What to do.
        remedy: String,
    },
}

/// The switches by which systems keep ordinary users from making user namespaces: the file, what it holds then, and what
/// helps.
const SWITCHES: [(&str, &str, &str); 3] = [
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "load the AppArmor profiles of docs/isolation-levels.md for bwrap and callgate, or \
         sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

/// What to do about user namespaces that are refused.
fn remedy(read: impl Fn(&str) -> Option<String>) -> String {
    let closed =
        SWITCHES.iter().filter(|(file, value, _)| read(file).is_some_and(|found| found.trim() == *value));
    let remedies: Vec<&str> = closed.map(|(_, _, remedy)| *remedy).collect();
    if remedies.is_empty() {
        return "user namespaces are refused, most likely by a container's filter of system calls: run the gateway outside of \
                it, or allow it clone, unshare, setns, mount, move_mount, open_tree and mount_setattr"
            .to_owned();
    }
    format!("as root, {}", remedies.join(" and "))
}

fn remedy_here() -> String {
    remedy(|file| fs::read_to_string(file).ok())
}

/// The bubblewrap program, tried: it makes a sandbox of the namespaces that every function gets. And so is the gateway itself,
/// which, unless it is root, needs namespaces of its own to act on a sandbox.
pub fn bubblewrap() -> Result<PathBuf, NoBubblewrap> {
    let bwrap = find_program("bwrap").ok_or(NoBubblewrap::Missing)?;
    let options = "--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup --disable-userns \
                   --ro-bind / / --proc /proc --dev /dev --die-with-parent -- /bin/true";
    let tried =
        Command::new(&bwrap).args(options.split_ascii_whitespace()).env_clear().stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(NoBubblewrap::Refused { said, remedy: remedy_here() });
        }
        Err(error) => {
            let remedy = "reinstall the package bubblewrap".to_owned();
            return Err(NoBubblewrap::Refused { said: error.to_string(), remedy });
        }
    }
    if !rustix::process::geteuid().is_root() {
        let mut own = Command::new("/bin/true");
        own.env_clear().stdin(Stdio::null());
        process::before_exec(&mut own, || {
            process::own_users()?;
            process::own_mounts()
        });
        if let Err(error) = own.status() {
            return Err(NoBubblewrap::Confined { said: error.to_string(), remedy: remedy_here() });
        }
    }
    Ok(bwrap)
}

/// The first program of this name in `PATH`, as an absolute path.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path =
        std::env::var_os("PATH").unwrap_or_else(|| OsStr::new("/usr/local/bin:/usr/bin:/bin").to_owned());
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_absolute() && file.is_file())
}

/// Whether less than a twentieth of the machine's memory could still be had (`MemAvailable` of `/proc/meminfo`, proc(5)).
pub fn is_memory_short() -> bool {
    fs::read_to_string("/proc/meminfo").is_ok_and(|meminfo| is_short(&meminfo))
}

/// The machine's memory, in MiB; 0 where nobody says.
pub fn memory_mb() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kib(&meminfo, "MemTotal:").unwrap_or_default() / 1024
}

fn is_short(meminfo: &str) -> bool {
    kib(meminfo, "MemTotal:")
        .zip(kib(meminfo, "MemAvailable:"))
        .is_some_and(|(total, available)| available < total / 20)
}

/// A line of `/proc/meminfo`.
fn kib(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Looks at every means of isolating, limiting and freezing, for a gateway that is to have this level.
pub fn probe(level: Level) -> Vec<Finding> {
    let groups = Groups::open().ok().flatten();
    let groups = groups.as_deref();
    vec![
        isolation(),
        separate_users(level),
        system_calls(),
        landlock(),
        memory_limits(groups),
        processor_shares(groups),
        frozen(groups),
        network(),
    ]
}

fn isolation() -> Finding {
    const NAME: &str = "isolation";
    match bubblewrap() {
        Ok(path) => Finding::new(NAME, Verdict::Yes, format!("{} with all namespaces", path.display()), ""),
        Err(NoBubblewrap::Missing) => {
            Finding::new(NAME, Verdict::No, "bubblewrap is not installed", "apt-get install bubblewrap")
        }
        Err(NoBubblewrap::Refused { said, remedy }) => Finding::new(NAME, Verdict::No, said, remedy),
        Err(NoBubblewrap::Confined { said, remedy }) => Finding::new(
            NAME,
            Verdict::No,
            format!("the gateway cannot make user namespaces: {said}"),
            remedy,
        ),
    }
}

fn separate_users(level: Level) -> Finding {
    const NAME: &str = "separate users";
    // What there could be is told also where less is asked for.
    match (Users::find(Level::SeparateUsers, 1, 1), level) {
        (Ok(Users::Own(_)), _) => Finding::new(
            NAME,
            Verdict::Yes,
            "the gateway is root: each sandbox runs as a host user of its own",
            "",
        ),
        (Ok(_), Level::SeparateUsers) => {
            Finding::new(NAME, Verdict::Yes, "each sandbox runs as a subordinate user of its own", "")
        }
        (Ok(_), Level::SharedUser) => Finding::new(
            NAME,
            Verdict::Weak,
            "all sandboxes run as the gateway's user, as [sandbox] isolation says",
            "take [sandbox] isolation away: there are subordinate users for each",
        ),
        (Err(NoUsers::NotSeparate(why)), Level::SharedUser) => Finding::new(
            NAME,
            Verdict::Weak,
            "all sandboxes run as the gateway's user, as [sandbox] isolation says",
            format!("run the gateway as root, or mend this: {why}"),
        ),
        (Err(NoUsers::NotSeparate(why)), Level::SeparateUsers) => Finding::new(
            NAME,
            Verdict::No,
            why.to_string(),
            "mend it, run the gateway as root, or set [sandbox] isolation = \"shared-user\" for accounts that trust each other",
        ),
    }
}

fn system_calls() -> Finding {
    const NAME: &str = "system-call filter";
    const ACTIONS: &str = "/proc/sys/kernel/seccomp/actions_avail";
    if fs::read_to_string(ACTIONS).is_ok_and(|text| text.split_ascii_whitespace().any(|word| word == "errno"))
    {
        Finding::new(NAME, Verdict::Yes, "seccomp", "")
    } else {
        Finding::new(
            NAME,
            Verdict::No,
            format!("{ACTIONS} does not list errno: no sandbox starts"),
            "run a kernel with CONFIG_SECCOMP_FILTER, as distributions build it",
        )
    }
}

/// The newest version of Landlock that sandboxes make use of, with scopes of signals and abstract sockets.
const LANDLOCK_WANTED: u32 = 6;

/// The version of the kernel's Landlock; 0 if it has none.
pub fn landlock_version() -> u32 {
    super::process::landlock_version()
}

fn landlock() -> Finding {
    let version = landlock_version();
    let (verdict, found) = match version {
        0 => (Verdict::Weak, "the kernel has none: mounts alone keep files apart".to_owned()),
        1..LANDLOCK_WANTED => {
            (Verdict::Weak, format!("version {version}: files, but neither signals nor abstract sockets"))
        }
        _ => (Verdict::Yes, format!("version {version}")),
    };
    let remedy =
        "run Linux 6.12 or newer with landlock among the security modules (the kernel's parameter lsm=)";
    Finding::new("landlock", verdict, found, remedy)
}

fn name(version: Version) -> &'static str {
    match version {
        Version::V1 => "control groups, version 1",
        Version::V2 => "control groups, version 2",
    }
}

/// What gives an ordinary user groups of its own.
const DELEGATE: &str = "run the gateway as a systemd service with Delegate=yes on a machine with control groups of version 2 alone, or as root";

fn memory_limits(groups: Option<&Groups>) -> Finding {
    const NAME: &str = "memory limits";
    match groups.and_then(Groups::has_memory) {
        Some(version) => Finding::new(NAME, Verdict::Yes, name(version), ""),
        None => Finding::new(
            NAME,
            Verdict::Weak,
            "no control group: a limit for each process, and a look at all of them five times a second",
            DELEGATE,
        ),
    }
}

fn processor_shares(groups: Option<&Groups>) -> Finding {
    const NAME: &str = "processor shares";
    match groups.and_then(Groups::has_cpu) {
        Some(version) => Finding::new(NAME, Verdict::Yes, name(version), ""),
        None => Finding::new(NAME, Verdict::Weak, "no control group: all processes are alike", DELEGATE),
    }
}

fn frozen(groups: Option<&Groups>) -> Finding {
    const NAME: &str = "freezer";
    match freezer::Kind::of(groups) {
        freezer::Kind::CgroupV2 => Finding::new(NAME, Verdict::Yes, name(Version::V2), ""),
        freezer::Kind::CgroupV1 => Finding::new(NAME, Verdict::Yes, name(Version::V1), ""),
        freezer::Kind::Signals => Finding::new(
            NAME,
            Verdict::Weak,
            "no control group: processes are stopped by signals, which takes ten times as long",
            DELEGATE,
        ),
    }
}

fn network() -> Finding {
    const NAME: &str = "network";
    const REMEDY: &str = "see docs/network.md, or set [sandbox] network = \"none\"";
    match super::network::Level::probe() {
        Ok((level, None)) => {
            Finding::new(NAME, Verdict::Yes, format!("{level}: sandboxes reach public addresses"), "")
        }
        Ok((level, Some(stronger))) => {
            Finding::new(NAME, Verdict::Weak, format!("{level} alone: {stronger}"), REMEDY)
        }
        Err(error) => Finding::new(NAME, Verdict::Weak, error.to_string(), REMEDY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_below_a_twentieth() {
        let meminfo =
            |available: u64| format!("MemTotal: 2000 kB\nMemFree: 1 kB\nMemAvailable:  {available} kB\n");
        assert!(is_short(&meminfo(99)));
        assert!(!is_short(&meminfo(100)));
        assert!(!is_short("nonsense"));
    }

    #[test]
    fn every_no_says_what_to_do() {
        for level in [Level::SeparateUsers, Level::SharedUser] {
            let findings = probe(level);
            assert_eq!(findings.len(), 8);
            for finding in findings {
                assert!(!finding.found.is_empty(), "{finding:?}");
                assert_eq!(finding.remedy.is_empty(), finding.verdict == Verdict::Yes, "{finding:?}");
            }
        }
    }

    #[test]
    fn what_is_closed_is_named() {
        let with = |file: &'static str, value: &'static str| {
            remedy(move |asked| (asked == file).then(|| format!("{value}\n")))
        };
        let switch = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
        assert!(with(switch, "1").contains("docs/isolation-levels.md"));
        assert!(with(switch, "0").contains("container"));
        assert_eq!(
            with("/proc/sys/user/max_user_namespaces", "0"),
            "as root, sysctl -w user.max_user_namespaces=15000"
        );
        assert!(
            with("/proc/sys/kernel/unprivileged_userns_clone", "0").ends_with("unprivileged_userns_clone=1")
        );
    }

    #[test]
    fn programs_are_found_by_absolute_path() {
        assert!(find_program("sh").unwrap().is_absolute());
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
