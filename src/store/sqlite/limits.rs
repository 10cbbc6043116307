//! Limits in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};

use super::SqliteStore;
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        limits::{LimitRecord, LimitStore, LimitTarget, LimitValue},
    },
};

impl LimitTarget {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Account => ("account", ""),
            Self::Function(name) => ("function", name),
            Self::Pool(id) => ("pool", id),
        }
    }
}

fn read(row: &SqliteRow) -> Result<LimitRecord, StoreError> {
    let (account, target, name, limit): (String, String, String, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let unreadable = |why: &str| StoreError::Unreadable {
        what: format!("limit {limit} of {target} {account}/{name}"),
        why: why.to_owned(),
    };
    let target = match target.as_str() {
        "account" => LimitTarget::Account,
        "function" => LimitTarget::Function(name.clone()),
        "pool" => LimitTarget::Pool(name.clone()),
        _ => return Err(unreadable("nobody knows such a target")),
    };
    let value = match (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?, row.try_get(7)?) {
        (Some(concurrency), None, None, None) => LimitValue::Concurrency(concurrency),
        (None, Some(tokens), Some(per_seconds), Some(burst)) => {
            LimitValue::Rate { tokens, per_seconds, burst }
        }
        _ => return Err(unreadable("it is neither a concurrency nor a rate")),
    };
    let account = account.parse().map_err(|_| unreadable("no account id"))?;
    Ok(LimitRecord { account, target, limit, value })
}

#[async_trait]
impl LimitStore for SqliteStore {
    async fn limits(&self) -> Result<Vec<LimitRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT account, target, name, limit_name, concurrency, tokens, per_seconds, burst FROM limits
             ORDER BY account, target, name, limit_name",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read).collect()
    }

    async fn put_limit(&self, record: &LimitRecord, at: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let (target, name) = record.target.columns();
        let owned = match record.target {
            LimitTarget::Account => "SELECT 1 WHERE ?1 = ?1 AND ?2 = ?2",
            LimitTarget::Function(_) => {
                "SELECT 1 FROM functions WHERE account = ?1 AND name = ?2 AND version = 0"
            }
            LimitTarget::Pool(_) => "SELECT 1 FROM identity_pools WHERE account = ?1 AND id = ?2",
        };
        let owned = sqlx::query(owned).bind(record.account.as_str()).bind(name);
        if owned.fetch_optional(write.connection()).await?.is_none() {
            return Ok(false);
        }
        let (concurrency, rate) = match record.value {
            LimitValue::Concurrency(most) => (Some(most), [None; 3]),
            LimitValue::Rate { tokens, per_seconds, burst } => (None, [tokens, per_seconds, burst].map(Some)),
        };
        let [tokens, per_seconds, burst] = rate;
        sqlx::query(
            "INSERT INTO limits (account, target, name, limit_name, concurrency, tokens, per_seconds, burst)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (account, target, name, limit_name) DO UPDATE SET concurrency = excluded.concurrency,
                 tokens = excluded.tokens, per_seconds = excluded.per_seconds, burst = excluded.burst",
        )
        .bind(record.account.as_str())
        .bind(target)
        .bind(name)
        .bind(&record.limit)
        .bind(concurrency)
        .bind(tokens)
        .bind(per_seconds)
        .bind(burst)
        .execute(write.connection())
        .await?;
        write.changed(Kind::Limit, record.account, name, at).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn delete_limit(
        &self,
        account: AccountId,
        target: &LimitTarget,
        limit: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let (target, name) = target.columns();
        let deleted = sqlx::query(
            "DELETE FROM limits WHERE account = ?1 AND target = ?2 AND name = ?3 AND limit_name = ?4",
        )
        .bind(account.as_str())
        .bind(target)
        .bind(name)
        .bind(limit)
        .execute(write.connection())
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Limit, account, name, at).await?;
        write.commit().await?;
        Ok(true)
    }
}
