//! Users and their access keys in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Reading, all_attachable, insert_key, json, read_key};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        iam::{AccessKeyRecord, UserRecord, UserStore},
        sqlite::SqliteStore,
    },
};

const USERS: &str =
    "SELECT account, name, id, path, created_ms, policies, attached, tags, revision FROM users";
const USER: &str = "SELECT account, name, id, path, created_ms, policies, attached, tags, revision FROM users \
                    WHERE account = ?1 AND name = ?2";
const KEYS_OF_USER: &str = "SELECT account, id, sealed_secret, active, created_ms, user FROM access_keys \
                            WHERE account = ?1 AND user = ?2 ORDER BY created_ms, id";

fn read_user(row: &SqliteRow) -> Result<UserRecord, StoreError> {
    let reading = Reading::new("user", row)?;
    Ok(UserRecord {
        account: reading.account()?,
        name: row.try_get(1)?,
        id: row.try_get(2)?,
        path: row.try_get(3)?,
        created: reading.moment(4)?,
        policies: reading.json(5)?,
        attached: reading.json(6)?,
        tags: reading.json(7)?,
        revision: row.try_get(8)?,
    })
}

impl SqliteStore {
    /// Every user.
    pub(super) async fn all_users(&self) -> Result<Vec<UserRecord>, StoreError> {
        let rows = sqlx::query(USERS).fetch_all(self.readers()).await?;
        rows.iter().map(read_user).collect()
    }
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, account: AccountId, name: &str) -> Result<Option<UserRecord>, StoreError> {
        let row = sqlx::query(USER).bind(account.as_str()).bind(name).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_user).transpose()
    }

    async fn put_user(&self, user: &UserRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = if user.revision == 1 {
            concat!(
                "INSERT INTO users (account, name, id, path, created_ms, policies, attached, tags, revision) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE",
                all_attachable!("?1", "?7"),
                " ON CONFLICT DO NOTHING"
            )
        } else {
            concat!(
                "UPDATE users SET path = ?4, created_ms = ?5, policies = ?6, attached = ?7, tags = ?8, revision = ?9 \
                 WHERE account = ?1 AND name = ?2 AND id = ?3 AND revision = ?9 - 1 AND",
                all_attachable!("?1", "?7")
            )
        };
        let statement = sqlx::query(statement)
            .bind(user.account.as_str())
            .bind(&user.name)
            .bind(&user.id)
            .bind(&user.path)
            .bind(user.created.millis())
            .bind(json(&user.policies)?)
            .bind(json(&user.attached)?)
            .bind(json(&user.tags)?)
            .bind(user.revision);
        self.write_one(statement, Kind::User, user.account, &user.name, at).await
    }

    async fn delete_user(&self, user: &UserRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "DELETE FROM users WHERE account = ?1 AND id = ?2 AND revision = ?3 AND NOT EXISTS \
             (SELECT 1 FROM access_keys AS k WHERE k.account = ?1 AND k.user = users.name)",
        )
        .bind(user.account.as_str())
        .bind(&user.id)
        .bind(user.revision);
        self.write_one(statement, Kind::User, user.account, &user.name, at).await
    }

    async fn user_keys(&self, account: AccountId, user: &str) -> Result<Vec<AccessKeyRecord>, StoreError> {
        let rows =
            sqlx::query(KEYS_OF_USER).bind(account.as_str()).bind(user).fetch_all(self.readers()).await?;
        rows.iter().map(read_key).collect()
    }

    async fn add_user_key(&self, key: &AccessKeyRecord) -> Result<bool, StoreError> {
        let Some(user) = &key.user else { return Ok(false) };
        let mut write = self.write().await?;
        let there = sqlx::query("SELECT 1 FROM users WHERE account = ?1 AND name = ?2")
            .bind(key.account.as_str())
            .bind(user)
            .fetch_optional(write.connection())
            .await?;
        if there.is_none() || !insert_key(&mut write, key).await? {
            return Ok(false);
        }
        write.changed(Kind::User, key.account, user, key.created).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn set_user_key(
        &self,
        account: AccountId,
        user: &str,
        id: &str,
        active: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("UPDATE access_keys SET active = ?4 WHERE account = ?1 AND user = ?2 AND id = ?3")
                .bind(account.as_str())
                .bind(user)
                .bind(id)
                .bind(active);
        self.write_one(statement, Kind::User, account, user, at).await
    }

    async fn delete_user_key(
        &self,
        account: AccountId,
        user: &str,
        id: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM access_keys WHERE account = ?1 AND user = ?2 AND id = ?3")
            .bind(account.as_str())
            .bind(user)
            .bind(id);
        self.write_one(statement, Kind::User, account, user, at).await
    }
}
