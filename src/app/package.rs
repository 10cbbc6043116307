//! From a folder to a package: a zip whose bytes depend on nothing but the folder's files, so that code that has not
//! changed has the same hash.

use std::{
    fs, io,
    io::{Cursor, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// Lambda's own limit on a package, in bytes.
pub const PACKAGE_BYTES_MAX: usize = 52_428_800;
/// Lambda's own limit on what a package unpacks to, in bytes.
const UNPACKED_BYTES_MAX: u64 = 262_144_000;
/// The deployment's own file, which is not code and may hold values of variables.
pub const DEPLOYMENT_FILE: &str = "callgate.toml";
/// Names that are left out, wherever they are.
const SKIPPED: &[&str] = &[".git", ".hg", ".svn", ".DS_Store"];

/// Why a folder is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file could not be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Its name cannot stand in a zip.
    #[error("{} has a name that is not UTF-8: rename it", .0.display())]
    Name(PathBuf),
    /// A link leads out of the folder.
    #[error("{} is a link to {}, which is outside of the folder: copy what it points to", path.display(), target.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// It is a socket, a pipe or a device.
    #[error("{} is neither a file nor a folder nor a link: remove it", .0.display())]
    Special(PathBuf),
    /// There is nothing in it.
    #[error("{} holds no files", .0.display())]
    Empty(PathBuf),
    /// It is larger than functions may be.
    #[error("{} is too large: {what}", folder.display())]
    TooLarge {
        /// The folder.
        folder: PathBuf,
        /// By which measure.
        what: String,
    },
    /// The zip could not be written.
    #[error("the package cannot be made: {0}")]
    Zip(#[from] zip::result::ZipError),
}

/// Whether a file or folder of this name is left out of packages.
pub fn is_skipped(name: &std::ffi::OsStr) -> bool {
    SKIPPED.iter().any(|skipped| *skipped == name)
}

/// Packs a folder. File modes and links are kept; names are sorted and times left out.
pub fn pack(folder: &Path) -> Result<Vec<u8>, PackageError> {
    pack_at(folder, None)
}

/// Packs a folder with little compression, for a gateway that is near: a tenth larger, in a third of the time.
pub fn pack_quickly(folder: &Path) -> Result<Vec<u8>, PackageError> {
    pack_at(folder, Some(1))
}

fn pack_at(folder: &Path, level: Option<i64>) -> Result<Vec<u8>, PackageError> {
    let mut packer =
        Packer { folder, level, zip: ZipWriter::new(Cursor::new(Vec::new())), bytes: 0, entries: 0 };
    packer.folder(folder, "")?;
    if packer.entries == 0 {
        return Err(PackageError::Empty(folder.to_owned()));
    }
    let package = packer.zip.finish()?.into_inner();
    if package.len() > PACKAGE_BYTES_MAX {
        let what =
            format!("its package has {} bytes, and at most {PACKAGE_BYTES_MAX} are allowed", package.len());
        return Err(PackageError::TooLarge { folder: folder.to_owned(), what });
    }
    Ok(package)
}

struct Packer<'a> {
    folder: &'a Path,
    level: Option<i64>,
    zip: ZipWriter<Cursor<Vec<u8>>>,
    bytes: u64,
    entries: usize,
}

impl Packer<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), PackageError> {
        let read = |cause| PackageError::Read { path: folder.to_owned(), cause };
        let mut entries = fs::read_dir(folder).map_err(read)?.collect::<Result<Vec<_>, _>>().map_err(read)?;
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|_| PackageError::Name(path.clone()))?;
            if is_skipped(name.as_ref()) || (prefix.is_empty() && name == DEPLOYMENT_FILE) {
                continue;
            }
            let name = format!("{prefix}{name}");
            let read = |cause| PackageError::Read { path: path.clone(), cause };
            let metadata = fs::symlink_metadata(&path).map_err(read)?;
            if metadata.is_dir() {
                self.folder(&path, &format!("{name}/"))?;
            } else if metadata.is_symlink() {
                self.link(&path, &name)?;
            } else if metadata.is_file() {
                self.file(&path, &name, &metadata)?;
            } else {
                return Err(PackageError::Special(path));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str, metadata: &fs::Metadata) -> Result<(), PackageError> {
        // Asked of the size first, so that a huge file is not read to be refused.
        self.bytes = self.bytes.saturating_add(metadata.len());
        if self.bytes > UNPACKED_BYTES_MAX {
            let what = format!("its files have more than {UNPACKED_BYTES_MAX} bytes");
            return Err(PackageError::TooLarge { folder: self.folder.to_owned(), what });
        }
        let content = fs::read(path).map_err(|cause| PackageError::Read { path: path.to_owned(), cause })?;
        let options = options(metadata.permissions().mode()).compression_level(self.level);
        self.zip.start_file(name, options)?;
        self.zip.write_all(&content).map_err(zip::result::ZipError::Io)?;
        self.entries += 1;
        Ok(())
    }

    fn link(&mut self, path: &Path, name: &str) -> Result<(), PackageError> {
        let target =
            fs::read_link(path).map_err(|cause| PackageError::Read { path: path.to_owned(), cause })?;
        if !stays_inside(name, &target) {
            return Err(PackageError::Link { path: path.to_owned(), target });
        }
        let text = target.to_str().ok_or_else(|| PackageError::Name(path.to_owned()))?;
        self.zip.add_symlink(name, text, options(0o777))?;
        self.entries += 1;
        Ok(())
    }
}

fn options(mode: u32) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(mode & 0o777)
}

/// Whether a link of this name in the package leads to a place in the package, by its words alone.
fn stays_inside(name: &str, target: &Path) -> bool {
    use std::path::Component;
    let mut depth = name.matches('/').count();
    target.components().all(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => depth.checked_sub(1).map(|less| depth = less).is_some(),
        Component::RootDir | Component::Prefix(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::fs::symlink};

    use zip::ZipArchive;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("node_modules/.bin")).unwrap();
        fs::create_dir_all(path.join(".git")).unwrap();
        fs::write(path.join("index.js"), "exports.handler = 1;").unwrap();
        fs::write(path.join("callgate.toml"), "[environment]\nSECRET = 'x'").unwrap();
        fs::write(path.join(".git/config"), "").unwrap();
        fs::write(path.join("node_modules/tool.js"), "#!").unwrap();
        fs::set_permissions(path.join("node_modules/tool.js"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("../tool.js", path.join("node_modules/.bin/tool")).unwrap();
        folder
    }

    #[test]
    fn a_package_holds_the_files_their_modes_and_their_links() {
        let folder = folder();
        let mut archive = ZipArchive::new(Cursor::new(pack(folder.path()).unwrap())).unwrap();
        let mut seen = Vec::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            seen.push(format!("{:o} {} {content}", file.unix_mode().unwrap(), file.name().unwrap()));
        }
        assert_eq!(
            seen,
            [
                "100644 index.js exports.handler = 1;",
                "120777 node_modules/.bin/tool ../tool.js",
                "100755 node_modules/tool.js #!"
            ]
        );
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(pack(folder().path()).unwrap(), pack(folder().path()).unwrap());
    }

    #[test]
    fn links_that_lead_out_are_refused() {
        for target in ["/etc/passwd", "../../outside", "a/../../../outside"] {
            let folder = folder();
            symlink(target, folder.path().join("node_modules/link")).unwrap();
            assert!(matches!(pack(folder.path()), Err(PackageError::Link { .. })), "{target}");
        }
    }

    #[test]
    fn a_folder_without_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert!(matches!(pack(folder.path()), Err(PackageError::Empty(_))));
        assert!(matches!(pack(&folder.path().join("missing")), Err(PackageError::Read { .. })));
    }
}
