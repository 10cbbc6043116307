//! Managed policies in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Reading, json};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        iam::{PolicyRecord, PolicyStore},
        sqlite::SqliteStore,
    },
};

const POLICIES: &str = "SELECT account, name, id, path, description, created_ms, updated_ms, versions, \
                        default_version, newest_version, tags, revision FROM managed_policies";
const POLICY: &str = "SELECT account, name, id, path, description, created_ms, updated_ms, versions, \
                      default_version, newest_version, tags, revision FROM managed_policies \
                      WHERE account = ?1 AND name = ?2";

fn read_policy(row: &SqliteRow) -> Result<PolicyRecord, StoreError> {
    let reading = Reading::new("managed policy", row)?;
    Ok(PolicyRecord {
        account: reading.account()?,
        name: row.try_get(1)?,
        id: row.try_get(2)?,
        path: row.try_get(3)?,
        description: row.try_get(4)?,
        created: reading.moment(5)?,
        updated: reading.moment(6)?,
        versions: reading.json(7)?,
        default: row.try_get(8)?,
        newest: row.try_get(9)?,
        tags: reading.json(10)?,
        revision: row.try_get(11)?,
    })
}

impl SqliteStore {
    /// Every managed policy.
    pub(super) async fn all_policies(&self) -> Result<Vec<PolicyRecord>, StoreError> {
        let rows = sqlx::query(POLICIES).fetch_all(self.readers()).await?;
        rows.iter().map(read_policy).collect()
    }
}

#[async_trait]
impl PolicyStore for SqliteStore {
    async fn policy(&self, account: AccountId, name: &str) -> Result<Option<PolicyRecord>, StoreError> {
        let row =
            sqlx::query(POLICY).bind(account.as_str()).bind(name).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_policy).transpose()
    }

    async fn put_policy(&self, policy: &PolicyRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = if policy.revision == 1 {
            "INSERT INTO managed_policies (account, name, id, path, description, created_ms, updated_ms, versions, \
             default_version, newest_version, tags, revision) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING"
        } else {
            "UPDATE managed_policies SET path = ?4, description = ?5, created_ms = ?6, updated_ms = ?7, versions = ?8, \
             default_version = ?9, newest_version = ?10, tags = ?11, revision = ?12 \
             WHERE account = ?1 AND name = ?2 AND id = ?3 AND revision = ?12 - 1"
        };
        let statement = sqlx::query(statement)
            .bind(policy.account.as_str())
            .bind(&policy.name)
            .bind(&policy.id)
            .bind(&policy.path)
            .bind(&policy.description)
            .bind(policy.created.millis())
            .bind(policy.updated.millis())
            .bind(json(&policy.versions)?)
            .bind(policy.default)
            .bind(policy.newest)
            .bind(json(&policy.tags)?)
            .bind(policy.revision);
        self.write_one(statement, Kind::Policy, policy.account, &policy.name, at).await
    }

    async fn delete_policy(&self, policy: &PolicyRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "DELETE FROM managed_policies WHERE account = ?1 AND id = ?2 AND revision = ?3 \
             AND NOT EXISTS (SELECT 1 FROM roles, json_each(roles.attached) AS a \
             WHERE roles.account = ?1 AND a.value = ?4) \
             AND NOT EXISTS (SELECT 1 FROM users, json_each(users.attached) AS a \
             WHERE users.account = ?1 AND a.value = ?4)",
        )
        .bind(policy.account.as_str())
        .bind(&policy.id)
        .bind(policy.revision)
        .bind(&policy.name);
        self.write_one(statement, Kind::Policy, policy.account, &policy.name, at).await
    }
}
