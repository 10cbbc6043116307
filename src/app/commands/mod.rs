//! The commands, one a file: each says what it takes and does it.

pub mod accounts;
pub mod config;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod invoke;
pub mod policy;
pub mod pools;
pub mod remote;
pub mod serve;
pub mod setup;

/// Reads `NAME=VALUE`; the value may hold further equals signs.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
