//! `limit_tmpfs`: how many bytes and how many files a sandbox's tmpfs may hold. Bubblewrap cannot limit files.

use std::{os::fd::OwnedFd, path::PathBuf};

use rustix::mount::{MountFlags, mount_remount};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Namespaces};
use crate::sandbox::joiner::wire::Failure;

/// Sets the limits of the tmpfs that is mounted at `target`.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct LimitTmpfs {
    /// Where it is mounted, in the sandbox.
    pub target: PathBuf,
    /// The most bytes that its files may have, rounded up to whole pages.
    pub bytes_max: u64,
    /// The most files, folders and links that it may hold.
    pub files_max: u64,
}

impl Act for LimitTmpfs {
    fn act(&mut self, sandbox: &mut Namespaces, _handed: &mut Vec<OwnedFd>) -> Result<Value, Failure> {
        sandbox.join_mounts()?;
        let options = format!("size={},nr_inodes={}", self.bytes_max, self.files_max);
        // A remount sets all flags anew: these are what bubblewrap gave, and what may not be taken off by others.
        mount_remount(&self.target, MountFlags::NOSUID | MountFlags::NODEV, options)
            .map_err(Failure::at(format!("remount {}", self.target.display())))?;
        Ok(Value::Null)
    }
}
