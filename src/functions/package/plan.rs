//! What an archive would become, read off its central directory alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{PackageError, PackageLimits, entry};

/// An archive whose bytes are all in memory.
pub type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// Folders, each after those it lies in.
    pub folders: BTreeSet<String>,
    /// Files and links by path.
    pub files: BTreeMap<String, Planned>,
}

/// A file or a link to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// The entry's number in the archive.
    pub index: usize,
    /// The size that the archive declares, in bytes.
    pub declared_bytes: u64,
    /// Whether the entry's content is a link's target.
    pub link: bool,
    /// The permission bits the file gets.
    pub mode: u32,
}

/// Where the type of a file stands in a Unix mode.
const TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// A record of the central directory takes at least so many bytes.
const RECORD_BYTES_MIN: usize = 46;
const RECORD_SIGNATURE: &[u8] = b"PK\x01\x02";
/// The longest target of a link, in bytes.
pub const LINK_BYTES_MAX: u64 = 4_096;

/// Maps what the zip reader says.
pub fn corrupt(error: &ZipError) -> PackageError {
    PackageError::Corrupt(error.to_string())
}

/// Opens an archive and plans it. Nothing is unpacked, and memory is bound by the number of entries allowed.
pub fn plan<'a>(zip: &'a [u8], limits: &PackageLimits) -> Result<(Archive<'a>, Plan), PackageError> {
    if zip.is_empty() {
        return Err(PackageError::Empty);
    }
    // The reader takes in every record before it says how many there are. No record is without its signature, so their
    // number bounds what it can take in. A small archive has no room for too many.
    if zip.len() / RECORD_BYTES_MIN > limits.entries_max
        && zip.windows(RECORD_SIGNATURE.len()).filter(|bytes| *bytes == RECORD_SIGNATURE).count()
            > limits.entries_max
    {
        return Err(PackageError::TooMany(limits.entries_max));
    }
    let archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| corrupt(&error))?;
    if archive.is_empty() {
        return Err(PackageError::Empty);
    }
    if archive.len() > limits.entries_max {
        return Err(PackageError::TooMany(limits.entries_max));
    }
    if archive.has_duplicate_names() {
        return Err(PackageError::Corrupt("two entries have one name".to_owned()));
    }
    let plan = read(&archive, limits)?;
    Ok((archive, plan))
}

fn read(archive: &Archive<'_>, limits: &PackageLimits) -> Result<Plan, PackageError> {
    let mut plan = Plan::default();
    let mut declared_bytes: u64 = 0;
    for index in 0..archive.len() {
        let found = archive.by_index_data(index).map_err(|error| corrupt(&error))?;
        let name = found.name_raw();
        let refuse = |why| Err(PackageError::entry(name, why));
        let path = entry::path(name)?;
        if found.encrypted() {
            return refuse("is encrypted");
        }
        let mode = found.unix_mode().unwrap_or_default();
        let folder = name.ends_with(b"/") || mode & TYPE == FOLDER;
        if folder {
            if !path.is_empty() {
                plan.folders.insert(path);
            }
            continue;
        }
        if path.is_empty() {
            return refuse("has no name");
        }
        if !matches!(found.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return refuse("is compressed in another way than deflate");
        }
        let link = match mode & TYPE {
            0 | FILE => false,
            LINK => true,
            _ => return refuse("is no file, folder or link"),
        };
        if link && found.size() > LINK_BYTES_MAX {
            return refuse("links to a name that no file can have");
        }
        declared_bytes = declared_bytes.saturating_add(found.size());
        if declared_bytes > limits.unpacked_bytes_max {
            return Err(PackageError::TooLarge(limits.unpacked_bytes_max));
        }
        // Readable for whatever user the sandbox runs as, and writable for us, who must be able to delete it. No setuid,
        // setgid or sticky bit.
        let planned = Planned { index, declared_bytes: found.size(), link, mode: mode & 0o777 | 0o644 };
        if plan.files.insert(path, planned).is_some() {
            return refuse("is there twice");
        }
    }
    complete_folders(&mut plan, limits)?;
    Ok(plan)
}

/// Adds the folders that files imply, and sees that nothing lies below a file or a link.
fn complete_folders(plan: &mut Plan, limits: &PackageLimits) -> Result<(), PackageError> {
    let given: Vec<String> = plan.folders.iter().chain(plan.files.keys()).cloned().collect();
    for path in given {
        for (at, _) in path.match_indices('/') {
            if let Some(folder) = path.get(..at) {
                plan.folders.insert(folder.to_owned());
            }
        }
        // One long path implies many folders.
        if plan.folders.len() > limits.entries_max {
            return Err(PackageError::TooMany(limits.entries_max));
        }
    }
    match plan.folders.iter().find(|folder| plan.files.contains_key(*folder)) {
        Some(both) => Err(PackageError::entry(both.as_bytes(), "is a folder and a file or link at once")),
        None => Ok(()),
    }
}
