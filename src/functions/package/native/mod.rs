//! Native code in a package: add-ons, libraries and programs are looked at when they are uploaded, so that a build for
//! another machine is refused with a word on how to mend it, and not found out by the first caller.
//!
//! npm packages may carry the same add-on for several platforms, beside each other or as packages of their own. Such files
//! are told by their paths, which differ in the words for platforms alone, and pass if one of them fits.

mod elf;
mod host;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

pub use host::Host;

use self::elf::{Elf, GlibcVersion, Libc};
use super::PackageError;

/// The most native files that a package may have. Each takes a bounded time to look at.
const FILES_MAX: usize = 4_096;
/// The largest `package.json` that is read, in bytes.
const DESCRIPTION_BYTES_MAX: u64 = 256 * 1024;

/// Words of platforms as npm packages have them in the names of files and folders.
const PLATFORM_WORDS: [&str; 35] = [
    "64",
    "linux",
    "linuxmusl",
    "darwin",
    "macos",
    "osx",
    "win",
    "win32",
    "windows",
    "android",
    "freebsd",
    "openbsd",
    "sunos",
    "x64",
    "x86",
    "x86_64",
    "amd64",
    "ia32",
    "arm",
    "armv6",
    "armv7",
    "arm64",
    "armv8",
    "aarch64",
    "ppc64",
    "s390x",
    "riscv64",
    "loong64",
    "musl",
    "musleabihf",
    "gnu",
    "gnueabihf",
    "glibc",
    "msvc",
    "universal",
];

/// Why a file cannot be loaded here.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Misfit {
    /// It is of another operating system.
    System(&'static str),
    /// It is for another processor.
    Machine(u16),
    /// It is for this processor's 32-bit mode.
    Bits,
    /// It is linked against another C library.
    Libc(Libc),
    /// It needs a newer glibc.
    TooNew(GlibcVersion),
    /// It is no native code at all.
    Unknown,
    /// It is cut off, or changed.
    Damaged,
}

/// Whether a file of this name and beginning is to be looked at.
pub fn is_native(path: &str, head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF") || path.ends_with(".node")
}

/// Checks the native files among those unpacked into `folder`; `paths` are theirs, from there.
///
/// # Errors
/// [`PackageError::Native`] names the first file that has no fitting twin; [`PackageError::TooManyNative`].
pub fn check(folder: &Path, paths: &[String], host: &Host) -> Result<(), PackageError> {
    if paths.len() > FILES_MAX {
        return Err(PackageError::TooManyNative(FILES_MAX));
    }
    // Files that differ in their platform alone, with what is wrong with each.
    let mut twins: BTreeMap<Vec<&str>, Vec<(&str, Option<Misfit>)>> = BTreeMap::new();
    for path in paths {
        let misfit = misfit(&folder.join(path), path, host).map_err(PackageError::Disk)?;
        twins.entry(words(path)).or_default().push((path, misfit));
    }
    let misfits: Vec<(&str, &Misfit)> = twins
        .values()
        .filter(|twins| twins.iter().all(|(_, misfit)| misfit.is_some()))
        .flatten()
        .filter_map(|(path, misfit)| Some((*path, misfit.as_ref()?)))
        .filter(|(path, _)| !is_for_others_alone(folder, path))
        .collect();
    match misfits.split_first() {
        None => Ok(()),
        Some(((path, misfit), more)) => Err(PackageError::Native {
            entry: path.chars().take(200).collect(),
            why: why(misfit, host),
            more: more.len(),
            remedy: remedy(misfit, host),
        }),
    }
}

/// The words of a path without those for platforms.
fn words(path: &str) -> Vec<&str> {
    split(path).filter(|word| !PLATFORM_WORDS.contains(word)).collect()
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '.', '-', '@', '+']).flat_map(|word| {
        // `linux_arm` is two words of platforms, `x86_64` is one, and `node_sqlite3` is none.
        let is_one = !word.contains('_') || PLATFORM_WORDS.contains(&word);
        if is_one { vec![word] } else { word.split('_').collect() }
    })
}

/// Whether the npm package that a file lies in says that it is not for Linux, and is no variant of another one for a certain
/// platform: nothing loads `fsevents` here, and it lies in many packages made on a Mac.
fn is_for_others_alone(folder: &Path, path: &str) -> bool {
    if split(path).any(|word| PLATFORM_WORDS.contains(&word)) {
        return false;
    }
    let description = Path::new(path)
        .ancestors()
        .skip(1)
        .map(|parent| folder.join(parent).join("package.json"))
        .find(|file| fs::symlink_metadata(file).is_ok_and(|file| file.is_file()));
    let Some(text) = description.and_then(|file| read_start(&file, DESCRIPTION_BYTES_MAX)) else {
        return false;
    };
    let Ok(description) = serde_json::from_slice::<serde_json::Value>(&text) else { return false };
    let systems: Vec<&str> =
        description["os"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let listed = systems.iter().any(|system| !system.starts_with('!'));
    systems.contains(&"!linux") || (listed && !systems.contains(&"linux"))
}

fn read_start(file: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file).ok()?.take(bytes_max).read_to_end(&mut text).ok()?;
    Some(text)
}

/// What is wrong with a file; `None` if it fits.
fn misfit(file: &Path, path: &str, host: &Host) -> std::io::Result<Option<Misfit>> {
    let mut opened = File::open(file)?;
    let mut head = Vec::new();
    opened.by_ref().take(4).read_to_end(&mut head)?;
    let is_addon = path.ends_with(".node");
    Ok(match head.as_slice() {
        [] => None,
        b"\x7fELF" => match elf::read(opened) {
            Ok(elf) => elf_misfit(&elf, host),
            // What is called nothing of the kind may be somebody's test data.
            Err(elf::Damaged) => (is_addon || path.contains(".so")).then_some(Misfit::Damaged),
        },
        [0xcf | 0xce, 0xfa, 0xed, 0xfe]
        | [0xfe, 0xed, 0xfa, 0xcf | 0xce]
        | [0xca, 0xfe, 0xba, 0xbe | 0xbf] => Some(Misfit::System("macOS")),
        [b'M', b'Z', ..] => Some(Misfit::System("Windows")),
        _ => Some(Misfit::Unknown),
    })
}

fn elf_misfit(elf: &Elf, host: &Host) -> Option<Misfit> {
    if !elf.is_loadable {
        return None;
    }
    if elf.machine != host.machine {
        return Some(Misfit::Machine(elf.machine));
    }
    if !elf.is_64 {
        return Some(Misfit::Bits);
    }
    let (ours, version) = host.libc?;
    match elf.libc {
        Some(theirs) if theirs != ours => return Some(Misfit::Libc(theirs)),
        _ => {}
    }
    match (elf.needs, version) {
        (Some(needs), Some(has)) if ours == Libc::Glibc && needs > has => Some(Misfit::TooNew(needs)),
        _ => None,
    }
}

fn why(misfit: &Misfit, host: &Host) -> String {
    let cpu = host.cpu;
    match misfit {
        Misfit::System(system) => format!("it is built for {system}, and functions run on Linux"),
        Misfit::Machine(machine) => {
            format!("it is built for {}, and functions run on {cpu}", machine_name(*machine))
        }
        Misfit::Bits => "it is built for 32 bits, and functions run on 64".to_owned(),
        Misfit::Libc(Libc::Musl) => "it is linked against musl, and functions run with glibc".to_owned(),
        Misfit::Libc(Libc::Glibc) => "it is linked against glibc, and functions run with musl".to_owned(),
        Misfit::TooNew((major, minor)) => {
            let has = match host.libc {
                Some((_, Some((major, minor)))) => format!("{major}.{minor}"),
                _ => "an older one".to_owned(),
            };
            format!("it needs glibc {major}.{minor}, and functions run with {has}")
        }
        Misfit::Unknown => "it is no native code of any system".to_owned(),
        Misfit::Damaged => "it is a damaged ELF file".to_owned(),
    }
}

fn remedy(misfit: &Misfit, host: &Host) -> String {
    let install = format!("npm install --os=linux --cpu={} --libc={}", host.cpu, host.libc_word());
    match misfit {
        Misfit::TooNew(_) => {
            "Compile it on a system as old as the gateway's: npm rebuild --build-from-source there."
                .to_owned()
        }
        Misfit::Damaged | Misfit::Unknown => format!("Delete node_modules and install anew: {install}"),
        _ => format!(
            "Install the packages for the gateway's platform: {install}; or, where they are compiled, run npm rebuild on such \
             a machine."
        ),
    }
}

fn machine_name(machine: u16) -> String {
    let name = match machine {
        3 => "32-bit x86",
        21 => "ppc64",
        22 => "s390x",
        40 => "32-bit ARM",
        62 => "x64",
        183 => "arm64",
        243 => "RISC-V",
        other => return format!("another processor (ELF machine {other})"),
    };
    name.to_owned()
}
