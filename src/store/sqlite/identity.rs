//! Identity pools, identities and signing keys in SQLite.

pub(super) mod adding;
mod identities;
mod linking;
mod pools;

use async_trait::async_trait;
use sqlx::Row;

use super::SqliteStore;
use crate::{
    base::{AccountId, Timestamp},
    store::{
        StoreError,
        identity::{IdentityRecord, IdentityStore, Login, OpenIdKeyRecord, PoolRecord, Written},
    },
};

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn pools(&self) -> Result<Vec<PoolRecord>, StoreError> {
        pools::all(self).await
    }

    async fn pool(&self, id: &str) -> Result<Option<PoolRecord>, StoreError> {
        pools::one(self, id).await
    }

    async fn add_pool(&self, pool: &PoolRecord) -> Result<(), StoreError> {
        pools::add(self, pool).await
    }

    async fn replace_pool(&self, pool: &PoolRecord, now: Timestamp) -> Result<Written, StoreError> {
        pools::replace(self, pool, now).await
    }

    async fn delete_pool(&self, account: AccountId, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        pools::delete(self, account, id, now).await
    }

    async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        identities::sweep(self, limit).await
    }

    async fn sweep_merged(&self, limit: u32) -> Result<u64, StoreError> {
        identities::sweep_merged(self, limit).await
    }

    async fn touch(&self, guest: &str, now: Timestamp) -> Result<Written, StoreError> {
        identities::touch(self, guest, now).await
    }

    async fn sweep_guests(&self, used_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        identities::sweep_guests(self, used_before, limit).await
    }

    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError> {
        identities::one(self, id).await
    }

    async fn identities(
        &self,
        pool_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<IdentityRecord>, StoreError> {
        identities::page(self, pool_id, after, limit).await
    }

    async fn merged_into(&self, id: &str, since: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        identities::merged_into(self, id, since, limit).await
    }

    async fn owners(&self, pool_id: &str, logins: &[Login]) -> Result<Vec<Option<String>>, StoreError> {
        identities::owners(self, pool_id, logins).await
    }

    async fn add_identity(
        &self,
        pool_id: &str,
        id: &str,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        adding::add(self, pool_id, id, logins, now).await
    }

    async fn link(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        linking::link(self, seen, logins, now).await
    }

    async fn unlink(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        linking::unlink(self, seen, logins, now).await
    }

    async fn merge(
        &self,
        from: &IdentityRecord,
        into: &IdentityRecord,
        new: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        linking::merge(self, from, into, new, now).await
    }

    async fn delete_identity(&self, id: &str) -> Result<bool, StoreError> {
        identities::delete(self, id).await
    }

    async fn open_id_keys(&self) -> Result<Vec<OpenIdKeyRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT id, sealed, created_ms FROM open_id_keys ORDER BY created_ms DESC, id")
                .fetch_all(self.readers())
                .await?;
        rows.iter()
            .map(|row| {
                Ok(OpenIdKeyRecord {
                    id: row.try_get(0)?,
                    sealed: row.try_get(1)?,
                    created: Timestamp::from_millis(row.try_get(2)?),
                })
            })
            .collect()
    }

    async fn add_open_id_key(
        &self,
        key: &OpenIdKeyRecord,
        newest: Option<&str>,
    ) -> Result<Written, StoreError> {
        let mut write = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO open_id_keys (id, sealed, created_ms)
             SELECT ?1, ?2, ?3
             WHERE (SELECT id FROM open_id_keys ORDER BY created_ms DESC, id LIMIT 1) IS ?4",
        )
        .bind(&key.id)
        .bind(&key.sealed)
        .bind(key.created.millis())
        .bind(newest)
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(if inserted.rows_affected() == 0 { Written::Lost } else { Written::Done })
    }

    async fn remove_open_id_key(&self, id: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM open_id_keys WHERE id = ?1").bind(id).execute(write.connection()).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests;
