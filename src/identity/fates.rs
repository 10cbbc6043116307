//! What becomes of identities, for whoever keeps something of theirs.

use async_trait::async_trait;

use crate::base::Timestamp;

/// Hears what became of identities, after it was committed and before the answer goes out. Who must not miss any looks at the
/// store at its start, since a crash may come in between.
#[async_trait]
pub trait IdentityFates: Send + Sync {
    /// One became part of another at this moment.
    fn merged(&self, from: &str, into: &str, at: Timestamp);

    /// One is gone, and whatever was merged into it.
    async fn deleted(&self, id: &str);
}

/// Nobody keeps anything.
#[derive(Debug)]
pub struct NothingKept;

#[async_trait]
impl IdentityFates for NothingKept {
    fn merged(&self, _: &str, _: &str, _: Timestamp) {}

    async fn deleted(&self, _: &str) {}
}
