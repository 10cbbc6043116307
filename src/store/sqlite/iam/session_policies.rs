//! Policies of sessions in SQLite.

use async_trait::async_trait;

use crate::{
    base::{PolicyHash, Timestamp},
    store::{StoreError, iam::SessionPolicyStore, sqlite::SqliteStore},
};

#[async_trait]
impl SessionPolicyStore for SqliteStore {
    async fn keep_session_policies(
        &self,
        hash: &PolicyHash,
        text: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO session_policies (hash, text, until_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (hash) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)",
        )
        .bind(hash.0.as_slice())
        .bind(text)
        .bind(until.millis())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    async fn session_policies(&self, hash: &PolicyHash) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT text FROM session_policies WHERE hash = ?1")
            .bind(hash.0.as_slice())
            .fetch_optional(self.readers())
            .await?)
    }

    async fn drop_session_policies(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let dropped = sqlx::query("DELETE FROM session_policies WHERE until_ms < ?1")
            .bind(before.millis())
            .execute(write.connection())
            .await?;
        write.commit().await?;
        Ok(dropped.rows_affected())
    }
}
