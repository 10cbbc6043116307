//! The data directory: who may read it, which process holds it, and the small files that lie in it beside the store.
//!
//! ```text
//! lock            which process holds the directory
//! root-key.json   the root key that was made at the first start, unless the environment seeds one
//! keys.json       the key ring, unless [keys] file names another place
//! public-url      the public_url that issuer names were last made with
//! admin.sock      where commands reach the running gateway
//! callgate.db     the store
//! idempotency/    which calls with an Idempotency-Key have been run, and their answers
//! ```
//!
//! Everything in it is the gateway's alone: the directory has mode 0700 and secrets have 0600, and looser ones are refused.

mod files;
mod key_file;
mod lock;
mod public_url;
mod root_key;

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

pub use key_file::{KeyFile, Rotated};
pub use lock::Lock;
pub use public_url::{Recorded, record_public_url};
pub use root_key::{RootKey, RootKeyOrigin, seeded_root_key};

/// Why the data directory cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Something in it could not be read or written.
    #[error("{} cannot be {action}: {cause}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Past participle: read, written, made.
        action: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// Others could read or change it.
    #[error(
        "{} can be used by others (mode {mode:04o}) and holds secrets: run `chmod {expected:o} {}`",
        path.display(),
        path.display()
    )]
    Loose {
        /// What.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        expected: u32,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to user id {owner}, not to user id {own}, who runs this: run as its owner", path.display())]
    Owner {
        /// What.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this.
        own: u32,
    },
    /// Another process holds it.
    #[error(
        "the data directory {} is in use by process {}: stop that one or name another --data-dir",
        path.display(),
        pid.map_or_else(|| "(unknown)".to_owned(), |pid| pid.to_string())
    )]
    Held {
        /// The directory.
        path: PathBuf,
        /// Who holds it, as far as the lock file tells.
        pid: Option<u32>,
    },
    /// A file does not hold what it should.
    #[error("{} cannot be used: {why}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The root key in the environment is not one.
    #[error("the root key in the environment cannot be used: {0}")]
    RootKey(String),
    /// Nothing says where it is.
    #[error("there is no place for the data directory, since HOME is not set: name one with --data-dir")]
    NoPlace,
}

/// A data directory that this process may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataDir {
    path: PathBuf,
}

const MODE: u32 = 0o700;

impl DataDir {
    /// Where the directory is unless configuration says: `/var/lib/callgate` for root, else under the user's own data.
    pub fn default_path() -> Result<PathBuf, DataDirError> {
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/callgate"));
        }
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("callgate"))
            .ok_or(DataDirError::NoPlace)
    }

    /// Opens the directory, or makes it with mode 0700. One that is there and empty is closed to others; one that holds
    /// something must be closed already, since what was readable may have been read.
    pub fn open_or_make(path: &Path) -> Result<Self, DataDirError> {
        let error = |action| move |cause| DataDirError::Io { path: path.to_owned(), action, cause };
        fs::DirBuilder::new().recursive(true).mode(MODE).create(path).map_err(error("made"))?;
        let metadata = fs::metadata(path).map_err(error("read"))?;
        let own = rustix::process::geteuid().as_raw();
        let open_to_others = metadata.mode() & 0o077 != 0;
        if metadata.uid() == own
            && open_to_others
            && fs::read_dir(path).map_err(error("read"))?.next().is_none()
        {
            fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(error("closed to others"))?;
        }
        Self::open(path)
    }

    /// Opens a directory that is there.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let error = |cause| DataDirError::Io { path: path.to_owned(), action: "read", cause };
        let path = fs::canonicalize(path).map_err(error)?;
        files::check_private(&path, &fs::metadata(&path).map_err(error)?, MODE)?;
        Ok(Self { path })
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file.
    pub fn database(&self) -> PathBuf {
        self.path.join("callgate.db")
    }

    /// The folder of what retries are answered from.
    pub fn idempotency(&self) -> PathBuf {
        self.path.join("idempotency")
    }

    /// The socket on which a running gateway hears commands.
    pub fn admin_socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// The key ring's file unless configuration names another.
    pub fn key_file(&self) -> PathBuf {
        self.path.join("keys.json")
    }

    /// Takes the directory for this process until the lock is dropped.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        Lock::take(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_new_directory_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        DataDir::open_or_make(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn an_empty_directory_is_closed_and_a_full_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        DataDir::open_or_make(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);

        fs::write(folder.path().join("something"), "").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
        let error = DataDir::open_or_make(folder.path()).unwrap_err().to_string();
        assert!(error.contains("mode 0750") && error.contains("chmod 700"), "{error}");
        assert_eq!(mode(folder.path()), 0o750);
    }

    #[test]
    fn a_place_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        assert!(matches!(DataDir::open_or_make(&path), Err(DataDirError::Io { action: "made", .. })));
    }
}
