//! `[keys]`: the key ring.

use std::path::PathBuf;

use super::section::section;

section! {
    /// The key ring that seals session tokens, stored secrets and environment variables.
    "keys" Keys {
        /// The key ring's file; `keys.json` in the data directory unless set. It is made at the first start with mode 0600.
        /// A backup without it is useless, and with it a secret.
        file: Option<PathBuf> = None;
        /// After how many days a start adds a new key to the ring. Older keys stay and still open what they sealed.
        rotate_days: u32 = 90, 1 to 3650;
    }
}
