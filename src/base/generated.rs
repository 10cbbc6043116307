//! Documents that are made from code: a test makes them anew and compares.

use std::{env, fs, path::Path};

/// Fails if the document, a path from the repository's root, is not this text. With `UPDATE_DOCS` set it is written first.
#[track_caller]
pub(crate) fn compare(document: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{document} is out of date: make docs");
}
