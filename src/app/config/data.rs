//! `[data]`: the data directory.

use std::path::PathBuf;

use super::section::section;

section! {
    /// Where the gateway keeps what it must not lose.
    "data" Data {
        /// The data directory; made with mode 0700 if it is not there. Unless set: `/var/lib/callgate` for root, else
        /// `callgate` in `$XDG_DATA_HOME` or `~/.local/share`.
        dir: Option<PathBuf> = None;
    }
}
