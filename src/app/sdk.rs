//! The AWS SDK for functions that do not package it: which versions, where it lies, and how it gets there.
//!
//! `runtime/sdk/` names the packages and pins every one that they need. They are installed whole beside their place and then
//! renamed into it, under a name that follows from the pins, so that a gateway sees all of them or none, and running
//! sandboxes keep what they have.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use aws_lc_rs::digest;
use tokio::{process::Command, time::timeout};

use super::{config::Config, data_dir::DataDir};

const DESCRIPTION: &str = include_str!("../../runtime/sdk/package.json");
const LOCK: &str = include_str!("../../runtime/sdk/package-lock.json");
/// How long npm may take to fetch it all: 70 packages, 128 MiB unpacked.
const NPM_MAX: Duration = Duration::from_secs(900);
const NEW_PREFIX: &str = ".new-";

/// Why it could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// There is no npm.
    #[error("npm is needed and not installed: it comes with Node.js (Debian: apt-get install npm)")]
    NoNpm,
    /// It said no.
    #[error("npm could not install the packages ({status}): {said}")]
    Npm {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        said: String,
    },
    /// It hangs.
    #[error("npm did not end within {NPM_MAX:?}: see whether its registry can be reached (npm ping)")]
    Slow,
    /// A file could not be written.
    #[error("{} could not be written: {cause}", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// The place of the SDK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sdk {
    folder: PathBuf,
}

/// A folder that goes unless it was renamed.
struct New(PathBuf);

impl Drop for New {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(folder = %self.0.display(), %cause, "a half installed SDK stays until the next setup");
            }
            _ => {}
        }
    }
}

impl Sdk {
    /// The place that the configuration names, or the one in the data directory.
    pub fn of(config: &Config, dir: &DataDir) -> Self {
        Self { folder: config.runtime.sdk_dir.clone().unwrap_or_else(|| dir.path().join("sdk")) }
    }

    /// What is mounted into sandboxes: what [`Self::install`] made, else a `node_modules` that the operator put there.
    pub fn modules(&self) -> Option<PathBuf> {
        let own = self.folder.join("node_modules");
        [self.installed().join("node_modules"), own].into_iter().find(|folder| folder.is_dir())
    }

    fn installed(&self) -> PathBuf {
        self.folder.join(pins())
    }

    /// Has npm install exactly the pinned packages, without running any of their scripts. Returns where, and whether they
    /// were there already.
    ///
    /// # Errors
    /// Every [`SdkError`]; nothing of it is left then.
    pub async fn install(&self) -> Result<(PathBuf, bool), SdkError> {
        let modules = self.installed().join("node_modules");
        if modules.is_dir() {
            return Ok((modules, true));
        }
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |cause| SdkError::Disk { path, cause }
        };
        // Sandboxes run as other users, who must be able to read it.
        rustix::process::umask(rustix::fs::Mode::from(0o022));
        fs::create_dir_all(&self.folder).map_err(disk(&self.folder))?;
        self.clear(|name| name.strip_prefix(NEW_PREFIX).is_some_and(has_ended));
        let new = New(self.folder.join(format!("{NEW_PREFIX}{}", std::process::id())));
        fs::create_dir(&new.0).map_err(disk(&new.0))?;
        for (name, text) in [("package.json", DESCRIPTION), ("package-lock.json", LOCK)] {
            let file = new.0.join(name);
            fs::write(&file, text).map_err(disk(&file))?;
        }
        npm(&new.0).await?;
        let renamed = File::open(&new.0)
            .and_then(|folder| Ok(rustix::fs::syncfs(&folder)?))
            .and_then(|()| fs::rename(&new.0, self.installed()));
        match renamed {
            // Another setup was first; it installed the same.
            Err(_) if modules.is_dir() => {}
            other => other.map_err(disk(&self.installed()))?,
        }
        Ok((modules, false))
    }

    /// Removes what earlier versions of this command installed. No sandbox must use it any more.
    pub fn remove_earlier(&self) {
        let is_pins =
            |name: &str| name.len() == pins().len() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.clear(|name| is_pins(name) && name != pins());
    }

    /// Removes those folders here.
    fn clear(&self, is_old: impl Fn(&str) -> bool) {
        let found = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        for entry in found.filter(|entry| entry.file_name().to_str().is_some_and(&is_old)) {
            drop(New(entry.path()));
        }
    }
}

async fn npm(folder: &Path) -> Result<(), SdkError> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match timeout(NPM_MAX, npm.output()).await {
        Err(_) => return Err(SdkError::Slow),
        Ok(Err(cause)) if cause.kind() == io::ErrorKind::NotFound => return Err(SdkError::NoNpm),
        Ok(Err(cause)) => return Err(SdkError::Disk { path: folder.to_owned(), cause }),
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(SdkError::Npm { status: output.status, said: said.trim().chars().take(2_000).collect() })
}

/// Whether no process has this id, as text.
fn has_ended(pid: &str) -> bool {
    !Path::new("/proc").join(pid).exists()
}

/// A name for exactly these packages.
fn pins() -> String {
    let hash = digest::digest(&digest::SHA256, LOCK.as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdk(folder: &Path) -> Sdk {
        let mut config = Config::default();
        config.runtime.sdk_dir = Some(folder.to_owned());
        Sdk::of(&config, &DataDir::open_or_make(&folder.join("data")).unwrap())
    }

    #[test]
    fn what_is_pinned_comes_before_what_the_operator_put_there() {
        let folder = tempfile::tempdir().unwrap();
        let sdk = sdk(folder.path());
        assert_eq!(sdk.modules(), None);
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        assert_eq!(sdk.modules(), Some(folder.path().join("node_modules")));
        let pinned = folder.path().join(pins()).join("node_modules");
        fs::create_dir_all(&pinned).unwrap();
        assert_eq!(sdk.modules(), Some(pinned));
    }

    #[test]
    fn earlier_installations_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let sdk = sdk(folder.path());
        let earlier = "0123456789abcdef0123456789abcdef";
        for name in [earlier, &pins(), "node_modules", "mine"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        sdk.remove_earlier();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        let mut expected = [pins().as_str(), "data", "mine", "node_modules"].map(std::ffi::OsString::from);
        expected.sort_unstable();
        assert_eq!(left, expected);
    }

    #[test]
    fn every_package_is_pinned_by_its_content() {
        let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
        let description: serde_json::Value = serde_json::from_str(DESCRIPTION).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages[""]["dependencies"], description["dependencies"]);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].as_str().unwrap().starts_with("sha512-"), "{name}");
        }
        for name in
            ["aws-sdk", "@aws-sdk/client-lambda", "@aws-sdk/client-sts", "@aws-sdk/client-cognito-identity"]
        {
            assert!(packages.contains_key(&format!("node_modules/{name}")), "{name}");
        }
    }

    #[test]
    fn an_interrupted_setup_is_cleared_away_when_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let sdk = sdk(folder.path());
        let (gone, living) = (format!("{NEW_PREFIX}4194305"), format!("{NEW_PREFIX}{}", std::process::id()));
        for name in [&gone, &living] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        sdk.clear(|name| name.strip_prefix(NEW_PREFIX).is_some_and(has_ended));
        assert!(!folder.path().join(gone).exists() && folder.path().join(living).exists());
    }
}
