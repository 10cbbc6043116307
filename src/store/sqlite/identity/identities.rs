//! Rows of identities as they are read, and as they are removed.

use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    base::Timestamp,
    store::{
        StoreError,
        identity::{IdentityRecord, Login, Merged, Written},
        sqlite::SqliteStore,
    },
};

/// How many identities one deletion removes with the one that was named; what is left is swept.
const DELETED_AT_ONCE: i64 = 1000;

/// Folds rows of identities joined with their logins, ordered by identity, into records.
fn fold(rows: &[SqliteRow]) -> Result<Vec<IdentityRecord>, StoreError> {
    let mut identities: Vec<IdentityRecord> = Vec::new();
    for row in rows {
        let id: &str = row.try_get(0)?;
        if identities.last().is_none_or(|last| last.id != id) {
            let merged_into: Option<String> = row.try_get(5)?;
            let merged_ms: Option<i64> = row.try_get(6)?;
            identities.push(IdentityRecord {
                id: id.to_owned(),
                pool_id: row.try_get(1)?,
                born: Timestamp::from_millis(row.try_get(2)?),
                modified: Timestamp::from_millis(row.try_get(3)?),
                used: Timestamp::from_millis(row.try_get(10)?),
                signed_in: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
                merged: merged_into
                    .map(|into| Merged { into, at: Timestamp::from_millis(merged_ms.unwrap_or_default()) }),
                revision: row.try_get(7)?,
                logins: Vec::new(),
            });
        }
        if let (Some(last), Some(provider), Some(subject)) =
            (identities.last_mut(), row.try_get(8)?, row.try_get(9)?)
        {
            last.logins.push(Login { provider, subject });
        }
    }
    Ok(identities)
}

pub(super) async fn one(store: &SqliteStore, id: &str) -> Result<Option<IdentityRecord>, StoreError> {
    // One statement, so that the logins are those of this very revision.
    let rows = sqlx::query(
        "SELECT i.id, i.pool_id, i.born_ms, i.modified_ms, i.signed_in_ms, i.merged_into, i.merged_ms, i.revision,
                l.provider, l.subject, i.used_ms
         FROM identities i LEFT JOIN identity_logins l ON l.identity_id = i.id WHERE i.id = ?1",
    )
    .bind(id)
    .fetch_all(store.readers())
    .await?;
    Ok(fold(&rows)?.pop())
}

pub(super) async fn page(
    store: &SqliteStore,
    pool_id: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<IdentityRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT i.id, i.pool_id, i.born_ms, i.modified_ms, i.signed_in_ms, i.merged_into, i.merged_ms, i.revision,
                l.provider, l.subject, i.used_ms
         FROM (SELECT * FROM identities WHERE pool_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3) i
         LEFT JOIN identity_logins l ON l.identity_id = i.id ORDER BY i.id, l.provider, l.subject",
    )
    .bind(pool_id)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(store.readers())
    .await?;
    fold(&rows)
}

pub(super) async fn merged_into(
    store: &SqliteStore,
    id: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM identities WHERE merged_into = ?1 AND merged_ms >= ?2 ORDER BY merged_ms DESC, id LIMIT ?3",
    )
    .bind(id)
    .bind(since.millis())
    .bind(limit)
    .fetch_all(store.readers())
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn owners(
    store: &SqliteStore,
    pool_id: &str,
    logins: &[Login],
) -> Result<Vec<Option<String>>, StoreError> {
    let mut owners = Vec::with_capacity(logins.len());
    // All as they were at one moment.
    let mut snapshot = store.readers().begin().await?;
    for login in logins {
        let owner: Option<(String,)> = sqlx::query_as(
            "SELECT identity_id FROM identity_logins WHERE pool_id = ?1 AND provider = ?2 AND subject = ?3",
        )
        .bind(pool_id)
        .bind(&login.provider)
        .bind(&login.subject)
        .fetch_optional(&mut *snapshot)
        .await?;
        owners.push(owner.map(|(id,)| id));
    }
    Ok(owners)
}

pub(super) async fn delete(store: &SqliteStore, id: &str) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    // The one that was named comes first, so it is among those that are removed.
    let deleted = sqlx::query(
        "WITH RECURSIVE gone (id) AS (
             SELECT id FROM identities WHERE id = ?1
             UNION SELECT i.id FROM gone JOIN identities i ON i.merged_into = gone.id
             LIMIT ?2
         )
         DELETE FROM identities WHERE id IN (SELECT id FROM gone)",
    )
    .bind(id)
    .bind(DELETED_AT_ONCE)
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok(deleted.rows_affected() > 0)
}

pub(super) async fn sweep(store: &SqliteStore, limit: u32) -> Result<u64, StoreError> {
    let mut write = store.write().await?;
    // Pools are few: the index is walked from one pool to the next, never over the living's identities.
    let dead: Option<(String,)> = sqlx::query_as(
        "WITH RECURSIVE named (pool_id) AS (
             SELECT min(pool_id) FROM identities
             UNION ALL
             SELECT (SELECT min(pool_id) FROM identities WHERE pool_id > named.pool_id) FROM named
             WHERE named.pool_id IS NOT NULL
         )
         SELECT pool_id FROM named
         WHERE pool_id IS NOT NULL AND pool_id NOT IN (SELECT id FROM identity_pools) LIMIT 1",
    )
    .fetch_optional(write.connection())
    .await?;
    let Some((pool_id,)) = dead else { return Ok(0) };
    let swept = sqlx::query(
        "DELETE FROM identities WHERE id IN (SELECT id FROM identities WHERE pool_id = ?1 LIMIT ?2)",
    )
    .bind(pool_id)
    .bind(limit)
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok(swept.rows_affected())
}

pub(super) async fn sweep_merged(store: &SqliteStore, limit: u32) -> Result<u64, StoreError> {
    // A reader looks for them, for that may take a while. An id is never used again: what is found stays so.
    let found: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM identities i WHERE merged_into IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM identities WHERE id = i.merged_into) LIMIT ?1",
    )
    .bind(limit)
    .fetch_all(store.readers())
    .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let mut write = store.write().await?;
    for (id,) in &found {
        sqlx::query("DELETE FROM identities WHERE id = ?1").bind(id).execute(write.connection()).await?;
    }
    write.commit().await?;
    Ok(found.len() as u64)
}

pub(super) async fn touch(store: &SqliteStore, guest: &str, now: Timestamp) -> Result<Written, StoreError> {
    let mut write = store.write().await?;
    let touched = sqlx::query(
        "UPDATE identities SET used_ms = max(used_ms, ?2)
         WHERE id = ?1 AND signed_in_ms IS NULL AND merged_into IS NULL",
    )
    .bind(guest)
    .bind(now.millis())
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok(if touched.rows_affected() == 0 { Written::Lost } else { Written::Done })
}

pub(super) async fn sweep_guests(
    store: &SqliteStore,
    used_before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let mut write = store.write().await?;
    let swept = sqlx::query(
        "DELETE FROM identities WHERE id IN (
             SELECT id FROM identities INDEXED BY guests_by_use
             WHERE signed_in_ms IS NULL AND merged_into IS NULL AND used_ms < ?1 ORDER BY used_ms LIMIT ?2)",
    )
    .bind(used_before.millis())
    .bind(limit)
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok(swept.rows_affected())
}
