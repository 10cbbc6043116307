//! The lock on the data directory: one process at a time has the store open.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{DataDirError, files::PRIVATE};

/// Holds the data directory until it is dropped; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    /// A child that was forked and has not come to exec holds a copy of the descriptor, and closing ours would leave the lock
    /// with it. What fails here the end of the process mends.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock, and leaves this process's id for whoever finds it taken.
    pub(super) fn take(directory: &Path) -> Result<Self, DataDirError> {
        let path = directory.join("lock");
        let error = |cause| DataDirError::Io { path: path.clone(), action: "locked", cause };
        // Not truncated before it is ours: it holds the other's id.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path)
            .map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Held { path: directory.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(error(cause)),
        }
        file.set_len(0).map_err(error)?;
        file.rewind().map_err(error)?;
        writeln!(file, "{}", std::process::id()).map_err(error)?;
        Ok(Self { file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err();
        assert!(
            matches!(error, DataDirError::Held { pid: Some(pid), .. } if pid == std::process::id()),
            "{error}"
        );
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_child_on_its_way_to_exec_does_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let _of_a_child = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
