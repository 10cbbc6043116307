//! What this machine can isolate and freeze, and what to do about each "no".

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
    fn new(name: &'static str, verdict: Verdict, found: impl Into<String>, remedy: &str) -> Self {
        let remedy = if verdict == Verdict::Yes { String::new() } else { remedy.to_owned() };
        Self { name, verdict, found: found.into(), remedy }
    }
}

/// Why bubblewrap cannot be used. The text says what to do.
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
        remedy: &'static str,
    },
}

const USERNS_REMEDY: &str = "allow user namespaces (sysctl user.max_user_namespaces=15000; on Ubuntu also \
                             kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for bwrap), or run the gateway as root";

/// The bubblewrap program, tried: it makes a sandbox of the namespaces that every function gets.
pub fn bubblewrap() -> Result<PathBuf, NoBubblewrap> {
    let bwrap = find_program("bwrap").ok_or(NoBubblewrap::Missing)?;
    let tried = Command::new(&bwrap)
        .args([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
            "--unshare-cgroup",
            "--disable-userns",
        ])
        .args([
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--die-with-parent",
            "--",
            "/bin/true",
        ])
        .env_clear()
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(bwrap),
        Ok(output) => Err(NoBubblewrap::Refused {
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            remedy: USERNS_REMEDY,
        }),
        Err(error) => {
            Err(NoBubblewrap::Refused { said: error.to_string(), remedy: "reinstall the package bubblewrap" })
        }
    }
}

/// The first program of this name in `PATH`, as an absolute path.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path =
        std::env::var_os("PATH").unwrap_or_else(|| OsStr::new("/usr/local/bin:/usr/bin:/bin").to_owned());
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_absolute() && file.is_file())
}

/// Looks at every means of isolating and freezing.
pub fn probe() -> Vec<Finding> {
    vec![isolation(), separate_users(), memory_limits(), freezer(), network()]
}

fn isolation() -> Finding {
    const NAME: &str = "isolation";
    match bubblewrap() {
        Ok(path) => Finding::new(NAME, Verdict::Yes, format!("{} with all namespaces", path.display()), ""),
        Err(NoBubblewrap::Missing) => {
            Finding::new(NAME, Verdict::No, "bubblewrap is not installed", "apt-get install bubblewrap")
        }
        Err(NoBubblewrap::Refused { said, remedy }) => Finding::new(NAME, Verdict::No, said, remedy),
    }
}

fn separate_users() -> Finding {
    let root = rustix::process::geteuid().is_root();
    let (verdict, found) = if root {
        (Verdict::Yes, "the gateway is root: each sandbox runs as a host user of its own")
    } else {
        (
            Verdict::Weak,
            "the gateway is no root: all sandboxes run as its own user, kept apart by namespaces alone",
        )
    };
    Finding::new("separate users", verdict, found, "run the gateway as root if several accounts share it")
}

/// Where the kernel offers a cgroup controller.
fn controller(name: &str) -> Option<&'static str> {
    if has_word(Path::new("/sys/fs/cgroup/cgroup.controllers"), name) {
        return Some("cgroup v2");
    }
    let (v1, hybrid) =
        (format!("/sys/fs/cgroup/{name}"), Path::new("/sys/fs/cgroup/unified/cgroup.controllers"));
    if Path::new(&v1).is_dir() {
        return Some("cgroup v1");
    }
    has_word(hybrid, name).then_some("cgroup v2 (hybrid)")
}

fn has_word(file: &Path, word: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.split_ascii_whitespace().any(|found| found == word))
}

fn memory_limits() -> Finding {
    const NAME: &str = "memory limits";
    match controller("memory") {
        Some(kind) => Finding::new(
            NAME,
            Verdict::Yes,
            format!("{kind} could limit it; this version has Node.js's own heap limit alone"),
            "",
        ),
        None => Finding::new(
            NAME,
            Verdict::Weak,
            "no memory controller: Node.js's own heap limit alone",
            "mount cgroup2 with the memory controller (systemd does so by default)",
        ),
    }
}

fn freezer() -> Finding {
    const NAME: &str = "freezer";
    let v2 = ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/unified/cgroup.controllers"];
    let found = if v2.iter().any(|file| Path::new(file).is_file()) {
        Some("cgroup v2")
    } else if Path::new("/sys/fs/cgroup/freezer").is_dir() {
        Some("cgroup v1")
    } else {
        None
    };
    match found {
        Some(kind) => {
            Finding::new(NAME, Verdict::Yes, format!("{kind} could; this version does not freeze yet"), "")
        }
        None => Finding::new(NAME, Verdict::Weak, "no cgroup freezer: SIGSTOP alone", "mount cgroup2"),
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
    fn every_no_says_what_to_do() {
        let findings = probe();
        assert_eq!(findings.len(), 5);
        for finding in findings {
            assert!(!finding.found.is_empty(), "{finding:?}");
            assert_eq!(finding.remedy.is_empty(), finding.verdict == Verdict::Yes, "{finding:?}");
        }
    }

    #[test]
    fn programs_are_found_by_absolute_path() {
        assert!(find_program("sh").unwrap().is_absolute());
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
