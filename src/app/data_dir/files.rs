//! Files that only the gateway may read: written whole or not at all, refused when others could read them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use super::DataDirError;
use crate::base::Secret;

/// The mode of files with secrets.
pub(super) const PRIVATE: u32 = 0o600;
/// No small file is larger; more than this is not read.
const SIZE_MAX: u64 = 1 << 20;

/// Refuses what belongs to somebody else or is open to others.
pub(super) fn check_private(path: &Path, metadata: &fs::Metadata, expected: u32) -> Result<(), DataDirError> {
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own {
        return Err(DataDirError::Owner { path: path.to_owned(), owner: metadata.uid(), own });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(DataDirError::Loose { path: path.to_owned(), mode, expected });
    }
    Ok(())
}

/// Reads a private file; `None` if it is not there.
pub(super) fn read_private(path: &Path) -> Result<Option<Secret>, DataDirError> {
    let error = |cause| DataDirError::Io { path: path.to_owned(), action: "read", cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(error(cause)),
    };
    // Of the open file, so that what is checked is what is read.
    check_private(path, &file.metadata().map_err(error)?, PRIVATE)?;
    let mut bytes = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut bytes).map_err(error)?;
    Ok(Some(Secret::new(bytes)))
}

/// Writes a private file so that after a crash the old or the new content is there, and nothing between: temporary name,
/// sync, rename, sync of the directory.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let error = |cause| DataDirError::Io { path: path.to_owned(), action: "written", cause };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    // What an earlier crash left behind; it may be half of a file.
    match fs::remove_file(&temporary) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(error(cause)),
        _ => {}
    }
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert_eq!(read_private(&path).unwrap(), None);
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().expose(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_left_half_written_is_not_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(folder.path().join("secret.new"), "ha").unwrap();
        write_private(&path, b"whole").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().expose(), b"whole");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_private(&path, b"x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&path).unwrap_err().to_string();
        assert!(error.contains("mode 0640") && error.contains("chmod 600"), "{error}");
    }
}
