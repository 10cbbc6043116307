//! `[outbound]`: requests that the gateway sends on somebody's word.

use super::section::section;
use crate::base::Network;

section! {
    /// Requests that the gateway sends on somebody's word: discovery and keys of issuers.
    "outbound" Outbound {
        /// Addresses that are not public and may be connected to all the same.
        allowed: Vec<Network> = Vec::new();
    }
}
