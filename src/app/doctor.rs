//! What this machine has and lacks for a gateway: one line a check, and for each "no" what to do.

use std::{
    fmt,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    config::Config,
    data_dir::{DataDir, DataDirError},
    lifecycle,
    listen::{self, tls},
    sdk::Sdk,
};
use crate::base::{Clock, Timestamp};

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it, unless all is well.
    pub remedy: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As needed.
    Yes,
    /// A gateway starts, but something is missing or weaker than it could be.
    Weak,
    /// A gateway would not start.
    No,
}

impl Check {
    /// As needed.
    pub fn yes(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), verdict: Verdict::Yes, found: found.into(), remedy: None }
    }

    /// A gateway starts all the same.
    pub fn weak(name: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Weak, remedy: Some(remedy.into()), ..Self::yes(name, found) }
    }

    /// A gateway would not start.
    pub fn no(name: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::No, remedy: Some(remedy.into()), ..Self::yes(name, found) }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Yes => "yes ",
            Verdict::Weak => "weak",
            Verdict::No => "NO  ",
        };
        write!(f, "{verdict}  {:<16}  {}", self.name, self.found)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "\n      {:<16}  → {remedy}", "")?;
        }
        Ok(())
    }
}

/// The oldest Node.js that the runtime works with.
const NODE_MAJOR_MIN: u32 = 20;
/// Less free space than this is soon full of packages.
const FREE_BYTES_WANTED: u64 = 1 << 30;
/// A connection takes one descriptor, a sandbox some ten.
const OPEN_FILES_WANTED: u64 = 8_192;
/// A clock before this is not set: signatures carry the time and would all be refused.
const CLOCK_MIN: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Looks at everything but isolation.
pub fn examine(config: &Config, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = vec![node(config)];
    checks.extend(node_versions(config));
    checks.push(sdk(config));
    checks.extend(folders(config));
    checks.extend(certificate(config));
    checks.push(open_files());
    checks.push(time(clock.now()));
    checks
}

/// The Node.js executable: the configured one, or the first on the PATH.
pub fn find_node(config: &Config) -> Option<PathBuf> {
    let executable = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    match &config.runtime.node {
        Some(path) => Some(path.clone()).filter(|path| executable(path)),
        None => std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("node"))
            .find(|path| executable(path)),
    }
}

fn node(config: &Config) -> Check {
    let name = "Node.js";
    let remedy = format!("install Node.js {NODE_MAJOR_MIN} or newer, or set [runtime] node to its path");
    let Some(path) = find_node(config) else {
        let found = config.runtime.node.as_ref().map_or_else(
            || "there is no node on the PATH".to_owned(),
            |path| format!("{} is no executable", path.display()),
        );
        return Check::no(name, found, remedy);
    };
    match node_version(&path) {
        Ok(version) => Check::yes(name, format!("{version} at {}", path.display())),
        Err(found) => Check::no(name, found, remedy),
    }
}

/// The Node.js programs of single runtimes.
fn node_versions(config: &Config) -> Vec<Check> {
    let versions = config.runtime.versions.0.iter();
    versions
        .map(|(runtime, path)| match node_version(path) {
            Ok(version) => Check::yes(runtime, format!("{version} at {}", path.display())),
            Err(found) => {
                Check::no(runtime, found, "correct [runtime] versions, or take this runtime out of it")
            }
        })
        .collect()
}

/// The version of a Node.js program that functions can run on, or what is wrong with it.
pub fn node_version(path: &Path) -> Result<String, String> {
    let version = match Command::new(path).arg("--version").output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => return Err(format!("{} ends with {}", path.display(), output.status)),
        Err(cause) => return Err(format!("{} does not run: {cause}", path.display())),
    };
    match major(&version) {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(version),
        _ => Err(format!("{version} at {} is older than {NODE_MAJOR_MIN}", path.display())),
    }
}

fn sdk(config: &Config) -> Check {
    let name = "AWS SDK";
    let found = lifecycle::data_dir(config).ok().map(|dir| Sdk::of(config, &dir));
    match found.as_ref().map(|sdk| (sdk, sdk.modules())) {
        Some((_, Some(modules))) => Check::yes(name, modules.display().to_string()),
        _ => Check::weak(
            name,
            "functions must package it themselves",
            "callgate setup gets it, for functions that require(\"aws-sdk\") as on AWS",
        ),
    }
}

/// The major number of `v22.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn folders(config: &Config) -> Vec<Check> {
    let name = "data directory";
    let dir = match lifecycle::data_dir(config) {
        Ok(dir) => dir,
        Err(cause) => {
            let remedy = "make it usable, or name another with --data-dir";
            return vec![Check::no(name, cause.to_string(), remedy)];
        }
    };
    let mut checks = vec![free_space(name, dir.path())];
    match dir.lock() {
        Ok(_lock) => {
            checks.push(port("listen", config.server.listen));
            if config.server.beyond_loopback() {
                checks.push(port("management_listen", config.server.management_listen));
            }
            checks.extend(keys(config, &dir));
        }
        Err(DataDirError::Held { pid, .. }) => {
            let pid = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            checks.push(Check::yes(
                "gateway",
                format!("{pid} runs on this data directory; its ports are its own"),
            ));
        }
        Err(cause) => checks.push(Check::no("lock", cause.to_string(), "make the data directory writable")),
    }
    checks
}

fn keys(config: &Config, dir: &DataDir) -> Option<Check> {
    let path = config.keys.file.clone().unwrap_or_else(|| dir.key_file());
    // One that is not there is made at the first start.
    path.exists().then(|| match super::data_dir::KeyFile::check(&path) {
        Ok(()) => Check::yes("key ring", path.display().to_string()),
        Err(cause) => Check::no("key ring", cause.to_string(), "restore it from the backup"),
    })
}

fn free_space(name: &str, path: &Path) -> Check {
    match rustix::fs::statvfs(path) {
        Ok(filesystem) => {
            let free = filesystem.f_bavail.saturating_mul(filesystem.f_frsize);
            let found = format!("{}, {} MiB free", path.display(), free >> 20);
            if free >= FREE_BYTES_WANTED {
                Check::yes(name, found)
            } else {
                Check::weak(
                    name,
                    found,
                    format!("free some space: {} MiB are wanted", FREE_BYTES_WANTED >> 20),
                )
            }
        }
        Err(cause) => {
            Check::weak(name, format!("{}, free space unknown: {cause}", path.display()), "look at it")
        }
    }
}

fn port(field: &'static str, address: SocketAddr) -> Check {
    match listen::can_bind(field, address) {
        Ok(()) => Check::yes(field, format!("{address} is free")),
        Err(cause) => Check::no(field, format!("{address} cannot be listened on"), cause.advice()),
    }
}

fn certificate(config: &Config) -> Option<Check> {
    let (certificate, key) = (config.server.tls_certificate.as_ref()?, config.server.tls_key.as_ref()?);
    Some(match tls::Acceptor::load(certificate, key) {
        Ok(_) => Check::yes("TLS", certificate.display().to_string()),
        Err(cause) => Check::no("TLS", cause.to_string(), "put a matching pair of PEM files there"),
    })
}

fn open_files() -> Check {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let found = limit.map_or_else(|| "unlimited".to_owned(), |limit| format!("at most {limit}"));
    if limit.is_none_or(|limit| limit >= OPEN_FILES_WANTED) {
        Check::yes("open files", found)
    } else {
        let remedy = format!("raise the hard limit (ulimit -Hn) to {OPEN_FILES_WANTED} or more");
        Check::weak("open files", found, remedy)
    }
}

fn time(now: Timestamp) -> Check {
    let found = now.iso8601_seconds();
    if now >= CLOCK_MIN {
        Check::yes("clock", found)
    } else {
        Check::weak(
            "clock",
            found,
            "set the clock: signatures carry the time, and 15 minutes of difference refuse them",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::MockClock;

    fn config(folder: &Path) -> Config {
        let mut config = Config::default();
        config.data.dir = Some(folder.to_owned());
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config
    }

    fn verdict(checks: &[Check], name: &str) -> Option<Verdict> {
        checks.iter().find(|check| check.name == name).map(|check| check.verdict)
    }

    #[test]
    fn a_missing_node_and_an_unset_clock_are_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.runtime.node = Some(folder.path().join("node"));
        let checks = examine(&config, MockClock::at(Timestamp::from_seconds(0)).as_ref());
        assert_eq!(verdict(&checks, "Node.js"), Some(Verdict::No));
        assert_eq!(verdict(&checks, "clock"), Some(Verdict::Weak));
        assert_eq!(verdict(&checks, "listen"), Some(Verdict::Yes));
        for check in checks {
            assert_eq!(check.verdict == Verdict::Yes, check.remedy.is_none(), "{check}");
        }
    }

    #[test]
    fn a_taken_port_and_a_running_gateway_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        config.server.listen = taken.local_addr().unwrap();
        let clock = MockClock::at(CLOCK_MIN);
        assert_eq!(verdict(&examine(&config, clock.as_ref()), "listen"), Some(Verdict::No));

        let _running = DataDir::open_or_make(folder.path()).unwrap().lock().unwrap();
        let checks = examine(&config, clock.as_ref());
        assert_eq!(verdict(&checks, "gateway"), Some(Verdict::Yes));
        assert_eq!(verdict(&checks, "listen"), None);
    }

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v22.11.0"), Some(22));
        assert_eq!(major("22.11.0"), None);
    }
}
