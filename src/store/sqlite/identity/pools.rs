//! Rows of identity pools.

use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        identity::{PoolRecord, Written},
        sqlite::{SqliteStore, revocation},
    },
};

fn read(row: &SqliteRow) -> Result<PoolRecord, StoreError> {
    let id: String = row.try_get(0)?;
    let unreadable = |why: String| StoreError::Unreadable { what: format!("identity pool {id}"), why };
    Ok(PoolRecord {
        account: row
            .try_get::<&str, _>(1)?
            .parse()
            .map_err(|error: crate::base::ids::InvalidAccountId| unreadable(error.to_string()))?,
        name: row.try_get(2)?,
        settings: serde_json::from_str(row.try_get(3)?).map_err(|error| unreadable(error.to_string()))?,
        roles: serde_json::from_str(row.try_get(4)?).map_err(|error| unreadable(error.to_string()))?,
        tag_maps: serde_json::from_str(row.try_get(5)?).map_err(|error| unreadable(error.to_string()))?,
        created: Timestamp::from_millis(row.try_get(6)?),
        revision: row.try_get(7)?,
        id,
    })
}

/// JSON of records that have string keys alone cannot fail; if it ever did, nothing is written.
fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable {
        what: "an identity pool to be written".to_owned(),
        why: error.to_string(),
    })
}

pub(super) async fn all(store: &SqliteStore) -> Result<Vec<PoolRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, account, name, settings, roles, tag_maps, created_ms, revision FROM identity_pools",
    )
    .fetch_all(store.readers())
    .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn one(store: &SqliteStore, id: &str) -> Result<Option<PoolRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT id, account, name, settings, roles, tag_maps, created_ms, revision FROM identity_pools
         WHERE id = ?1",
    )
    .bind(id)
    .fetch_optional(store.readers())
    .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn add(store: &SqliteStore, pool: &PoolRecord) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(
        "INSERT INTO identity_pools (id, account, name, settings, roles, tag_maps, created_ms, revision)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(&pool.id)
    .bind(pool.account.as_str())
    .bind(&pool.name)
    .bind(json(&pool.settings)?)
    .bind(json(&pool.roles)?)
    .bind(json(&pool.tag_maps)?)
    .bind(pool.created.millis())
    .bind(pool.revision)
    .execute(write.connection())
    .await?;
    write.changed(Kind::Pool, pool.account, &pool.id, pool.created).await?;
    write.commit().await
}

pub(super) async fn replace(
    store: &SqliteStore,
    pool: &PoolRecord,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let mut write = store.write().await?;
    let updated = sqlx::query(
        "UPDATE identity_pools SET name = ?4, settings = ?5, roles = ?6, tag_maps = ?7, revision = revision + 1
         WHERE id = ?1 AND account = ?2 AND revision = ?3",
    )
    .bind(&pool.id)
    .bind(pool.account.as_str())
    .bind(pool.revision)
    .bind(&pool.name)
    .bind(json(&pool.settings)?)
    .bind(json(&pool.roles)?)
    .bind(json(&pool.tag_maps)?)
    .execute(write.connection())
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(Written::Lost);
    }
    write.changed(Kind::Pool, pool.account, &pool.id, now).await?;
    write.commit().await?;
    Ok(Written::Done)
}

pub(super) async fn delete(
    store: &SqliteStore,
    account: AccountId,
    id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let deleted = sqlx::query("DELETE FROM identity_pools WHERE id = ?1 AND account = ?2")
        .bind(id)
        .bind(account.as_str())
        .execute(write.connection())
        .await?;
    if deleted.rows_affected() == 0 {
        return Ok(false);
    }
    write.changed(Kind::Pool, account, id, now).await?;
    revocation::end_pool(&mut write, account, id, now).await?;
    write.commit().await?;
    Ok(true)
}
