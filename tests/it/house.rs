//! The house's own rules, held as tests: what lies where, who knows whom, what may be linked in.

mod dependencies;
mod documents;
mod files;
mod imports;
mod modules;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as people write it: from the repository's root.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Folders that hold what tools made, not what people wrote.
const MADE: [&str; 4] = ["target", "node_modules", ".venv", "__pycache__"];

/// Every file below `folder` with one of these extensions, in order. A folder that is not there has none.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !MADE.contains(&name) && !name.starts_with(".git") {
                    walk(&path, extensions, found)?;
                }
            } else if path.extension().is_some_and(|own| extensions.iter().any(|wanted| own == *wanted)) {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    let folder = root().join(folder);
    if folder.is_dir() {
        walk(&folder, extensions, &mut found).unwrap();
    }
    found.sort();
    found
}

/// Fails with a list, if there is anything on it.
#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}
