//! A function's schemas where people have them: in its folder, in its package, in a file by itself.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use zip::{ZipArchive, result::ZipError};

use super::cli::Failure;
use crate::generate::{self, FILE, FILE_BYTES_MAX, Model};

/// The schemas in a folder that is to be a package; `None` if there are none.
pub fn of_folder(folder: &Path, function: &str) -> Result<Option<Model>, Failure> {
    let path = folder.join(FILE);
    match File::open(&path) {
        Ok(file) => {
            let text =
                bounded(file).map_err(|cause| format!("{} cannot be read: {cause}", path.display()))?;
            of_text(&text, function, &folder.display().to_string()).map(Some)
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(format!("{} cannot be read: {cause}", path.display()).into()),
    }
}

/// The schemas in a file by itself, or in a package if its name ends in `.zip`.
pub fn of_file(path: &Path, function: &str) -> Result<Option<Model>, Failure> {
    let unreadable = |cause: std::io::Error| format!("{} cannot be read: {cause}", path.display());
    let source = path.display().to_string();
    if path.extension().is_some_and(|extension| extension == "zip") {
        return of_package(&std::fs::read(path).map_err(unreadable)?, function, &source);
    }
    let text = File::open(path).and_then(bounded).map_err(unreadable)?;
    of_text(&text, function, &source).map(Some)
}

/// The schemas in a package; `None` if there are none. `source` is where it is from, for errors.
pub fn of_package(zip: &[u8], function: &str, source: &str) -> Result<Option<Model>, Failure> {
    let unreadable =
        |cause: &dyn std::fmt::Display| format!("the package of {source} cannot be read: {cause}");
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|cause| unreadable(&cause))?;
    let entry = match archive.by_name(FILE) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(cause) => return Err(unreadable(&cause).into()),
    };
    let text = bounded(entry).map_err(|cause| unreadable(&cause))?;
    of_text(&text, function, source).map(Some)
}

fn of_text(text: &[u8], function: &str, source: &str) -> Result<Model, Failure> {
    generate::parse(text, function).map_err(|fault| format!("{source}: {fault}").into())
}

/// At most one byte more than a file may have, so that a larger one is seen to be one.
fn bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let bytes_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    from.take(bytes_max.saturating_add(1)).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::package;

    #[test]
    fn schemas_are_found_in_folders_packages_and_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.js"), "exports.handler = 1").unwrap();
        assert_eq!(of_folder(folder.path(), "a").unwrap(), None);
        assert_eq!(of_package(&package::pack(folder.path()).unwrap(), "a", "a").unwrap(), None);
        std::fs::write(folder.path().join(FILE), r#"{"output":{"type":"string"}}"#).unwrap();
        let found = of_folder(folder.path(), "a").unwrap();
        assert!(found.is_some());
        let zip = package::pack(folder.path()).unwrap();
        assert_eq!(of_package(&zip, "a", "a").unwrap(), found);
        std::fs::write(folder.path().join("a.zip"), &zip).unwrap();
        assert_eq!(of_file(&folder.path().join("a.zip"), "a").unwrap(), found);
        assert_eq!(of_file(&folder.path().join(FILE), "a").unwrap(), found);
    }

    #[test]
    fn a_fault_names_the_source_and_the_place() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), r#"{"output":{"type":"strin"}}"#).unwrap();
        let fault = of_folder(folder.path(), "a").unwrap_err().to_string();
        assert!(fault.starts_with(&folder.path().display().to_string()), "{fault}");
        assert!(fault.contains("callgate.schemas.json at /output/type: \"strin\" is no type"), "{fault}");
        std::fs::write(folder.path().join(FILE), vec![b' '; FILE_BYTES_MAX + 1]).unwrap();
        assert!(of_folder(folder.path(), "a").unwrap_err().to_string().contains("more than 262144 bytes"));
        assert!(of_package(b"no zip", "a", "a").unwrap_err().to_string().contains("package of a"));
    }
}
