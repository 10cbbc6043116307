//! Packages: zip archives that are checked and unpacked, nothing of them trusted.
//!
//! First [`plan`] reads the central directory alone and decides what each entry would become; whatever leaves the root,
//! contradicts another entry or is too much is refused there, before a byte is written. Then [`extract`] writes the plan
//! out, counting what really comes. At last [`native`] sees whether what is native code fits this machine, and the schemas for apps are
//! read, if there are any. A refused package leaves nothing behind.

mod entry;
mod extract;
pub mod native;
mod plan;

#[cfg(test)]
pub(crate) mod hostile;
#[cfg(test)]
mod tests;

pub use extract::unpack;

use crate::generate::Fault;

/// How much a package may be. The defaults are those of AWS, but for the number of entries (ours).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackageLimits {
    /// Bytes of all files together, unpacked.
    pub unpacked_bytes_max: u64,
    /// Entries of the archive: files, folders and links.
    pub entries_max: usize,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self { unpacked_bytes_max: UNZIPPED_BYTES_MAX, entries_max: 100_000 }
    }
}

/// All files of the largest package, unpacked, in bytes.
pub const UNZIPPED_BYTES_MAX: u64 = 262_144_000;
/// The largest package, zipped, in bytes.
pub const ZIPPED_BYTES_MAX: usize = 52_428_800;

/// Why a package is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// There are no bytes, or no entries.
    #[error("Uploaded file must be a non-empty zip")]
    Empty,
    /// It is no zip archive, or a broken one; the reason goes to the log.
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    Corrupt(String),
    /// It is too large, unpacked.
    #[error("Unzipped size must be smaller than {0} bytes")]
    TooLarge(u64),
    /// It has too many entries.
    #[error(
        "The package has more than {0} entries. Leave out what the function does not need, or bundle it."
    )]
    TooMany(usize),
    /// An entry cannot be taken.
    #[error("The package's entry {entry:?} {why}")]
    Entry {
        /// The entry's name, cut where it is long.
        entry: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file of native code cannot be loaded on this machine.
    #[error("The package's file {entry:?} cannot be loaded by functions: {why}{}. {remedy}", and_more(*.more))]
    Native {
        /// The file, cut where its path is long.
        entry: String,
        /// What is wrong with it.
        why: String,
        /// How many others have something wrong with them.
        more: usize,
        /// What to do.
        remedy: String,
    },
    /// The file of schemas is none, or says what no type can be made of.
    #[error("The package's file {0}")]
    Schemas(#[from] Fault),
    /// It has too many files of native code.
    #[error("The package has more than {0} files of native code. Leave out what the function does not need.")]
    TooManyNative(usize),
    /// The disk failed us; no fault of the package.
    #[error("the package could not be unpacked: {0}")]
    Disk(#[source] std::io::Error),
}

fn and_more(files: usize) -> String {
    match files {
        0 => String::new(),
        1 => " (and so with 1 more file)".to_owned(),
        more => format!(" (and so with {more} more files)"),
    }
}

impl PackageError {
    /// Whether the package is at fault, and not the gateway.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Disk(_))
    }

    fn entry(name: &[u8], why: &'static str) -> Self {
        Self::Entry { entry: String::from_utf8_lossy(name).chars().take(200).collect(), why }
    }
}
