//! Revocations in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, Write};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        revocation::{
            GUEST, HOLD, IdentityHold, RevocationRecord, RevocationStore, SESSION_MAX, guest_scope,
            guests_scope, pool_scope,
        },
    },
};

fn read(row: &SqliteRow) -> Result<RevocationRecord, StoreError> {
    let scope: String = row.try_get(0)?;
    let account = row.try_get::<&str, _>(1)?.parse();
    Ok(RevocationRecord {
        account: account.map_err(|error: crate::base::ids::InvalidAccountId| StoreError::Unreadable {
            what: format!("revocation {scope}"),
            why: error.to_string(),
        })?,
        pool_id: row.try_get(2)?,
        not_before: Timestamp::from_millis(row.try_get(3)?),
        ends: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
        scope,
    })
}

/// Writes a record in place of the one of its scope. A moment is never moved back.
async fn put(write: &mut Write, record: &RevocationRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO revocations (scope, account, pool_id, not_before_ms, ends_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (scope) DO UPDATE SET
             not_before_ms = max(not_before_ms, excluded.not_before_ms), ends_ms = max(ends_ms, excluded.ends_ms)",
    )
    .bind(&record.scope)
    .bind(record.account.as_str())
    .bind(&record.pool_id)
    .bind(record.not_before.millis())
    .bind(record.ends.map(Timestamp::millis))
    .execute(write.connection())
    .await?;
    write.changed(Kind::Revocation, record.account, &record.scope, record.not_before).await
}

/// Ends, in the transaction of a first login or a merge, the sessions and tokens that the identity had as a guest.
pub(super) async fn end_guest(
    write: &mut Write,
    (pool_id, identity_id): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let account: Option<(String,)> = sqlx::query_as("SELECT account FROM identity_pools WHERE id = ?1")
        .bind(pool_id)
        .fetch_optional(write.connection())
        .await?;
    // Without its pool it is dead altogether.
    let Some(account) = account.and_then(|(account,)| account.parse().ok()) else { return Ok(()) };
    let record = RevocationRecord {
        scope: guest_scope(identity_id),
        account,
        pool_id: Some(pool_id.to_owned()),
        not_before: now,
        ends: Some(now.plus(SESSION_MAX)),
    };
    put(write, &record).await
}

/// Ends, in the transaction that deletes a pool, all its sessions and tokens, those too that are just being made.
pub(super) async fn end_pool(
    write: &mut Write,
    account: AccountId,
    pool_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    // What was revoked for as long as there is the pool; the rest ends by itself.
    let endless: Vec<(String,)> =
        sqlx::query_as("DELETE FROM revocations WHERE pool_id = ?1 AND ends_ms IS NULL RETURNING scope")
            .bind(pool_id)
            .fetch_all(write.connection())
            .await?;
    for (scope,) in endless {
        write.changed(Kind::Revocation, account, &scope, now).await?;
    }
    let ends = now.plus(SESSION_MAX);
    // It has no pool to go with.
    let record = RevocationRecord {
        scope: pool_scope(pool_id),
        account,
        pool_id: None,
        not_before: ends,
        ends: Some(ends),
    };
    put(write, &record).await
}

#[async_trait]
impl RevocationStore for SqliteStore {
    async fn revocations(&self) -> Result<Vec<RevocationRecord>, StoreError> {
        let rows = sqlx::query("SELECT scope, account, pool_id, not_before_ms, ends_ms FROM revocations")
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(read).collect()
    }

    async fn revocation(&self, scope: &str) -> Result<Option<RevocationRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT scope, account, pool_id, not_before_ms, ends_ms FROM revocations WHERE scope = ?1",
        )
        .bind(scope)
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(read).transpose()
    }

    async fn revoke(&self, records: &[RevocationRecord], hold: Option<&str>) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        for record in records {
            put(&mut write, record).await?;
        }
        if let (Some(identity_id), Some(first)) = (hold, records.first()) {
            sqlx::query(
                "INSERT INTO identity_holds (identity_id, not_before_ms, disabled_ms)
                 SELECT id, ?2, CASE WHEN signed_in_ms IS NULL THEN ?2 END FROM identities WHERE id = ?1
                 ON CONFLICT (identity_id) DO UPDATE SET
                     not_before_ms = max(coalesce(not_before_ms, 0), excluded.not_before_ms),
                     disabled_ms = coalesce(excluded.disabled_ms, disabled_ms)",
            )
            .bind(identity_id)
            .bind(first.not_before.millis())
            .execute(write.connection())
            .await?;
            let key = format!("{HOLD}{identity_id}");
            write.changed(Kind::Revocation, first.account, &key, first.not_before).await?;
        }
        write.commit().await
    }

    async fn held(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT identity_id FROM identity_holds LIMIT ?1")
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn hold(&self, identity_id: &str) -> Result<Option<IdentityHold>, StoreError> {
        let row = sqlx::query(
            "SELECT not_before_ms, disabled_ms, restored_ms FROM identity_holds WHERE identity_id = ?1",
        )
        .bind(identity_id)
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let moment = |at: usize| row.try_get::<Option<i64>, _>(at).map(|at| at.map(Timestamp::from_millis));
        Ok(Some(IdentityHold { not_before: moment(0)?, disabled: moment(1)?, restored: moment(2)? }))
    }

    async fn restore(
        &self,
        account: AccountId,
        identity_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let restored = sqlx::query(
            "INSERT INTO identity_holds (identity_id, restored_ms)
             SELECT i.id, ?3 FROM identities i JOIN identity_pools p ON p.id = i.pool_id
             WHERE i.id = ?1 AND p.account = ?2
             ON CONFLICT (identity_id) DO UPDATE SET disabled_ms = NULL, restored_ms = excluded.restored_ms",
        )
        .bind(identity_id)
        .bind(account.as_str())
        .bind(now.millis())
        .execute(write.connection())
        .await?;
        if restored.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Revocation, account, &format!("{HOLD}{identity_id}"), now).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn fold_guests(&self, keep: u32, now: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let rows = sqlx::query(
            "SELECT scope, account, pool_id, not_before_ms, ends_ms FROM revocations
             WHERE substr(scope, 1, ?1) = ?2 ORDER BY not_before_ms DESC LIMIT -1 OFFSET ?3",
        )
        .bind(i64::try_from(GUEST.len()).unwrap_or_default())
        .bind(GUEST)
        .bind(keep)
        .fetch_all(write.connection())
        .await?;
        let folded = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for record in &folded {
            if let Some(pool_id) = &record.pool_id {
                // Of each pool the newest stays: `put` never moves a moment back.
                put(&mut write, &RevocationRecord { scope: guests_scope(pool_id), ..record.clone() }).await?;
            }
            sqlx::query("DELETE FROM revocations WHERE scope = ?1")
                .bind(&record.scope)
                .execute(write.connection())
                .await?;
            write.changed(Kind::Revocation, record.account, &record.scope, now).await?;
        }
        write.commit().await?;
        Ok(folded.len() as u64)
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let pruned = sqlx::query(
            "DELETE FROM revocations WHERE scope IN (
                 SELECT scope FROM revocations
                 WHERE ends_ms <= ?1
                     OR (pool_id IS NOT NULL AND pool_id NOT IN (SELECT id FROM identity_pools))
                 LIMIT ?2)",
        )
        .bind(now.millis())
        .bind(limit)
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(pruned.rows_affected())
    }
}

#[cfg(test)]
mod tests;
