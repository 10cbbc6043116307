//! Writes a planned archive into a folder.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    path::Path,
};

use super::{
    PackageError, PackageLimits, entry,
    native::{self, Host},
    plan::{Archive, LINK_BYTES_MAX, Plan, Planned, corrupt, plan},
};
use crate::generate::{self, Fault};

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How much of a file tells its format.
const HEAD_BYTES: usize = 4;
const FOLDER_MODE: u32 = 0o755;

/// Checks the archive `zip` and unpacks it into `folder`, which must not be there yet; its parent must. Native code in it
/// must fit `host`, and schemas must be such; where there is no host, neither is looked at. What it returns is on its way to the disk, but not synced. If
/// it fails, `folder` is gone again. It blocks, so it belongs on a thread for that.
///
/// # Errors
/// Every [`PackageError`].
pub fn unpack(
    zip: &[u8],
    folder: &Path,
    limits: &PackageLimits,
    host: Option<&Host>,
) -> Result<(), PackageError> {
    let (mut archive, plan) = plan(zip, limits)?;
    make_folder(folder)?;
    let written = write(&mut archive, &plan, folder, limits)
        .and_then(|natives| host.map_or(Ok(()), |host| native::check(folder, &natives, host)))
        .and_then(|()| host.map_or(Ok(()), |_| check_schemas(&plan, folder)));
    if written.is_err() {
        fs::remove_dir_all(folder).map_err(PackageError::Disk)?;
    }
    written
}

fn make_folder(folder: &Path) -> Result<(), PackageError> {
    DirBuilder::new().mode(FOLDER_MODE).create(folder).map_err(PackageError::Disk)?;
    // The process's umask may have taken bits away.
    fs::set_permissions(folder, fs::Permissions::from_mode(FOLDER_MODE)).map_err(PackageError::Disk)
}

/// Checks the file of schemas that types for apps are generated from, if the package has one.
fn check_schemas(plan: &Plan, folder: &Path) -> Result<(), PackageError> {
    let whole = |what: &str| Fault { pointer: String::new(), what: what.to_owned() };
    match plan.files.get(generate::FILE) {
        None if plan.folders.contains(generate::FILE) => {
            Err(whole("it is a folder: give the folder another name").into())
        }
        None => Ok(()),
        Some(Planned { link: true, .. }) => Err(whole("it is a link: put the file itself there").into()),
        Some(_) => {
            let mut file = Vec::new();
            let bytes_max = u64::try_from(generate::FILE_BYTES_MAX).unwrap_or(u64::MAX);
            let opened = File::open(folder.join(generate::FILE)).map_err(PackageError::Disk)?;
            opened.take(bytes_max.saturating_add(1)).read_to_end(&mut file).map_err(PackageError::Disk)?;
            // Any name will do: only those of types are made of it.
            generate::parse(&file, "function")?;
            Ok(())
        }
    }
}

/// Writes everything, and says which files are of native code.
fn write(
    archive: &mut Archive<'_>,
    plan: &Plan,
    folder: &Path,
    limits: &PackageLimits,
) -> Result<Vec<String>, PackageError> {
    for path in &plan.folders {
        make_folder(&folder.join(path))?;
    }
    let mut left = limits.unpacked_bytes_max;
    let mut natives = Vec::new();
    for (path, planned) in plan.files.iter().filter(|(_, planned)| !planned.link) {
        let (bytes, head) = write_file(archive, *planned, path, &folder.join(path), left, limits)?;
        left -= bytes;
        if native::is_native(path, &head) {
            natives.push(path.clone());
        }
    }
    // Links come last, so that no file is ever written through one.
    for (path, planned) in plan.files.iter().filter(|(_, planned)| planned.link) {
        let target = read_link(archive, *planned, path)?;
        symlink(target, folder.join(path)).map_err(PackageError::Disk)?;
    }
    Ok(natives)
}

/// Writes one file and says how many bytes it has, and what the first of them are.
fn write_file(
    archive: &mut Archive<'_>,
    planned: Planned,
    path: &str,
    to: &Path,
    left: u64,
    limits: &PackageLimits,
) -> Result<(u64, Vec<u8>), PackageError> {
    let mut source = archive.by_index(planned.index).map_err(|error| corrupt(&error))?;
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(planned.mode)
        .open(to)
        .map_err(PackageError::Disk)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes: u64 = 0;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    loop {
        let length = match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) => return Err(PackageError::Corrupt(format!("{path}: {error}"))),
        };
        bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        // What is declared may be a lie in either direction; only what really comes counts.
        if bytes > left {
            return Err(PackageError::TooLarge(limits.unpacked_bytes_max));
        }
        if bytes > planned.declared_bytes {
            return Err(PackageError::Corrupt(format!("{path}: more bytes than declared")));
        }
        let come = chunk.get(..length).unwrap_or_default();
        head.extend(come.iter().take(HEAD_BYTES - head.len()));
        file.write_all(come).map_err(PackageError::Disk)?;
    }
    if bytes != planned.declared_bytes {
        return Err(PackageError::Corrupt(format!("{path}: fewer bytes than declared")));
    }
    file.set_permissions(fs::Permissions::from_mode(planned.mode)).map_err(PackageError::Disk)?;
    Ok((bytes, head))
}

fn read_link(archive: &mut Archive<'_>, planned: Planned, path: &str) -> Result<String, PackageError> {
    let source = archive.by_index(planned.index).map_err(|error| corrupt(&error))?;
    let mut target = Vec::new();
    source
        .take(LINK_BYTES_MAX + 1)
        .read_to_end(&mut target)
        .map_err(|error| PackageError::Corrupt(format!("{path}: {error}")))?;
    entry::check_link(path, &target)
}
