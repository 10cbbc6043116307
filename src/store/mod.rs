//! What is kept: storage traits, their SQLite form, and the feed that keeps every node's memory fresh.
//!
//! The warm path never comes here. Whoever changes something commits a transaction that also writes a row into the change
//! log; [`Feed::catch_up`] then hands all new changes to the [`Follower`]s, which re-read what they hold in memory. A
//! change made by another process arrives the same way, by polling.

pub mod artifacts;
pub mod cached_identities;
pub mod changes;
pub mod functions;
pub mod iam;
pub mod identity;
pub mod limits;
pub mod revocation;
pub mod sqlite;

pub use changes::{Change, ChangeLog, Feed, Follower, Kind};

/// Why the store could not do what was asked. Callers answer it as their protocol's internal error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the store's schema could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what this version cannot read.
    #[error("the store holds {what} that cannot be read: {why}")]
    Unreadable {
        /// Which row.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A package could not be written or read.
    #[error("the package store failed: {0}")]
    Packages(String),
}
