//! `[runtime]`: Node.js.

use std::path::PathBuf;

use super::section::section;

section! {
    /// What functions run on.
    "runtime" Runtime {
        /// The Node.js executable; the first `node` on the PATH unless set.
        node: Option<PathBuf> = None;
    }
}
