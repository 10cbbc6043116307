//! Policies of sessions, kept by their hash.

use async_trait::async_trait;

use super::super::StoreError;
use crate::base::{PolicyHash, Timestamp};

/// Keeps them. They never change, so nobody is told of them.
#[async_trait]
pub trait SessionPolicyStore: Send + Sync {
    /// Keeps a text until then, or longer if it was already kept for longer.
    async fn keep_session_policies(
        &self,
        hash: &PolicyHash,
        text: &str,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// The text of this hash.
    async fn session_policies(&self, hash: &PolicyHash) -> Result<Option<String>, StoreError>;

    /// Drops the texts that were kept until before this moment, and says how many they were.
    async fn drop_session_policies(&self, before: Timestamp) -> Result<u64, StoreError>;
}
