//! `[outbound]`: requests that the gateway sends on somebody's word.

use std::path::PathBuf;

use super::section::section;
use crate::outbound::Allowed;

section! {
    /// Requests that the gateway sends on somebody's word: discovery and keys of issuers. They reach public addresses only.
    "outbound" Outbound {
        /// Addresses, networks and hosts that may be reached though they are not public.
        allowed: Vec<Allowed> = Vec::new();
        /// PEM file of certificate authorities to trust beside the public ones.
        certificates: Option<PathBuf> = None;
    }
}
