//! Accounts, access keys, roles and OpenID Connect providers in SQLite; users and managed policies below.

mod policies;
mod session_policies;
mod users;

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, Sqlite, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use super::{SqliteStore, Write};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        iam::{AccessKeyRecord, IamRecords, IamStore, OidcProviderRecord, RoleRecord},
    },
};

const KEYS: &str = "SELECT account, id, sealed_secret, active, created_ms, user FROM access_keys";
const KEYS_OF: &str = "SELECT account, id, sealed_secret, active, created_ms, user FROM access_keys \
                       WHERE account = ?1 AND user IS NULL";
/// Every policy that the JSON array in the parameter names is there.
macro_rules! all_attachable {
    ($account:literal, $attached:literal) => {
        concat!(
            " NOT EXISTS (SELECT 1 FROM json_each(",
            $attached,
            ") AS a WHERE NOT EXISTS ",
            "(SELECT 1 FROM managed_policies AS p WHERE p.account = ",
            $account,
            " AND p.name = a.value))"
        )
    };
}
use all_attachable;

const ROLES: &str = "SELECT account, name, id, path, description, trust, max_session_seconds, created_ms, policies, \
                     tags, revision, attached FROM roles";
const ROLE: &str = "SELECT account, name, id, path, description, trust, max_session_seconds, created_ms, policies, \
                    tags, revision, attached FROM roles WHERE account = ?1 AND name = ?2";
const PROVIDERS: &str = "SELECT account, name, issuer, client_ids, thumbprints, created_ms, tags, revision \
                         FROM oidc_providers";
const PROVIDER: &str = "SELECT account, name, issuer, client_ids, thumbprints, created_ms, tags, revision \
                        FROM oidc_providers WHERE account = ?1 AND name = ?2";

/// A row that is read with an error that says which it was.
struct Reading<'r> {
    row: &'r SqliteRow,
    what: String,
}

impl<'r> Reading<'r> {
    /// `kind` and the text of the first two columns, which are account and name, say which row it is.
    fn new(kind: &str, row: &'r SqliteRow) -> Result<Self, StoreError> {
        let what = format!("{kind} {}/{}", row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?);
        Ok(Self { row, what })
    }

    fn unreadable(&self, why: &impl ToString) -> StoreError {
        StoreError::Unreadable { what: self.what.clone(), why: why.to_string() }
    }

    fn account(&self) -> Result<AccountId, StoreError> {
        self.row.try_get::<&str, _>(0)?.parse().map_err(|_| self.unreadable(&"no account id"))
    }

    fn moment(&self, column: usize) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.row.try_get(column)?))
    }

    fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.row.try_get(column)?).map_err(|error| self.unreadable(&error))
    }
}

fn read_key(row: &SqliteRow) -> Result<AccessKeyRecord, StoreError> {
    let reading = Reading::new("access key", row)?;
    Ok(AccessKeyRecord {
        account: reading.account()?,
        id: row.try_get(1)?,
        sealed_secret: row.try_get(2)?,
        active: row.try_get(3)?,
        created: reading.moment(4)?,
        user: row.try_get(5)?,
    })
}

fn read_role(row: &SqliteRow) -> Result<RoleRecord, StoreError> {
    let reading = Reading::new("role", row)?;
    Ok(RoleRecord {
        account: reading.account()?,
        name: row.try_get(1)?,
        id: row.try_get(2)?,
        path: row.try_get(3)?,
        description: row.try_get(4)?,
        trust: row.try_get(5)?,
        max_session_seconds: row.try_get(6)?,
        created: reading.moment(7)?,
        policies: reading.json(8)?,
        tags: reading.json(9)?,
        revision: row.try_get(10)?,
        attached: reading.json(11)?,
    })
}

fn read_provider(row: &SqliteRow) -> Result<OidcProviderRecord, StoreError> {
    let reading = Reading::new("OpenID Connect provider", row)?;
    Ok(OidcProviderRecord {
        account: reading.account()?,
        name: row.try_get(1)?,
        issuer: row.try_get(2)?,
        client_ids: reading.json(3)?,
        thumbprints: reading.json(4)?,
        created: reading.moment(5)?,
        tags: reading.json(6)?,
        revision: row.try_get(7)?,
    })
}

/// JSON of lists and string maps cannot fail; if it ever did, nothing is written.
fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable {
        what: "a record to be written".to_owned(),
        why: error.to_string(),
    })
}

async fn insert_key(write: &mut Write, key: &AccessKeyRecord) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO access_keys (id, account, sealed_secret, active, created_ms, user) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )
    .bind(&key.id)
    .bind(key.account.as_str())
    .bind(&key.sealed_secret)
    .bind(key.active)
    .bind(key.created.millis())
    .bind(&key.user)
    .execute(write.connection())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn insert_account(write: &mut Write, key: &AccessKeyRecord) -> Result<bool, StoreError> {
    let inserted =
        sqlx::query("INSERT INTO accounts (account, created_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(key.account.as_str())
            .bind(key.created.millis())
            .execute(write.connection())
            .await?;
    Ok(inserted.rows_affected() == 1)
}

impl SqliteStore {
    /// Runs a statement that writes one row or none, and notes the change if it wrote one.
    async fn write_one(
        &self,
        statement: Query<'_, Sqlite, SqliteArguments>,
        kind: Kind,
        account: AccountId,
        key: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        if statement.execute(write.connection()).await?.rows_affected() != 1 {
            return Ok(false);
        }
        write.changed(kind, account, key, at).await?;
        write.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl IamStore for SqliteStore {
    async fn all(&self) -> Result<IamRecords, StoreError> {
        let accounts: Vec<String> =
            sqlx::query_scalar("SELECT account FROM accounts").fetch_all(self.readers()).await?;
        let account = |text: String| {
            text.parse().map_err(|_| StoreError::Unreadable {
                what: format!("account {text}"),
                why: "no account id".to_owned(),
            })
        };
        let keys = sqlx::query(KEYS).fetch_all(self.readers()).await?;
        let roles = sqlx::query(ROLES).fetch_all(self.readers()).await?;
        let providers = sqlx::query(PROVIDERS).fetch_all(self.readers()).await?;
        Ok(IamRecords {
            accounts: accounts.into_iter().map(account).collect::<Result<_, _>>()?,
            access_keys: keys.iter().map(read_key).collect::<Result<_, _>>()?,
            policies: self.all_policies().await?,
            users: self.all_users().await?,
            roles: roles.iter().map(read_role).collect::<Result<_, _>>()?,
            oidc_providers: providers.iter().map(read_provider).collect::<Result<_, _>>()?,
        })
    }

    async fn has_account(&self, account: AccountId) -> Result<bool, StoreError> {
        let found = sqlx::query("SELECT 1 FROM accounts WHERE account = ?1")
            .bind(account.as_str())
            .fetch_optional(self.readers())
            .await?;
        Ok(found.is_some())
    }

    async fn access_keys(&self, account: AccountId) -> Result<Vec<AccessKeyRecord>, StoreError> {
        let rows = sqlx::query(KEYS_OF).bind(account.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read_key).collect()
    }

    async fn role(&self, account: AccountId, name: &str) -> Result<Option<RoleRecord>, StoreError> {
        let row = sqlx::query(ROLE).bind(account.as_str()).bind(name).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_role).transpose()
    }

    async fn oidc_provider(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<OidcProviderRecord>, StoreError> {
        let row =
            sqlx::query(PROVIDER).bind(account.as_str()).bind(name).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_provider).transpose()
    }

    async fn create_account(&self, key: &AccessKeyRecord) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        if !insert_account(&mut write, key).await? || !insert_key(&mut write, key).await? {
            return Ok(false);
        }
        write.changed(Kind::Account, key.account, key.account.as_str(), key.created).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn replace_access_keys(&self, key: &AccessKeyRecord) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        insert_account(&mut write, key).await?;
        sqlx::query("DELETE FROM access_keys WHERE account = ?1 AND user IS NULL")
            .bind(key.account.as_str())
            .execute(write.connection())
            .await?;
        if !insert_key(&mut write, key).await? {
            return Ok(false);
        }
        write.changed(Kind::Account, key.account, key.account.as_str(), key.created).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn put_role(&self, role: &RoleRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = if role.revision == 1 {
            concat!(
                "INSERT INTO roles (account, name, id, path, description, trust, max_session_seconds, created_ms, policies, \
                 tags, revision, attached) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 WHERE",
                all_attachable!("?1", "?12"),
                " ON CONFLICT DO NOTHING"
            )
        } else {
            concat!(
                "UPDATE roles SET path = ?4, description = ?5, trust = ?6, max_session_seconds = ?7, created_ms = ?8, \
                 policies = ?9, tags = ?10, revision = ?11, attached = ?12 \
                 WHERE account = ?1 AND name = ?2 AND id = ?3 AND revision = ?11 - 1 AND",
                all_attachable!("?1", "?12")
            )
        };
        let statement = sqlx::query(statement)
            .bind(role.account.as_str())
            .bind(&role.name)
            .bind(&role.id)
            .bind(&role.path)
            .bind(&role.description)
            .bind(&role.trust)
            .bind(role.max_session_seconds)
            .bind(role.created.millis())
            .bind(json(&role.policies)?)
            .bind(json(&role.tags)?)
            .bind(role.revision)
            .bind(json(&role.attached)?);
        self.write_one(statement, Kind::Role, role.account, &role.name, at).await
    }

    async fn delete_role(&self, role: &RoleRecord, at: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM roles WHERE account = ?1 AND id = ?2 AND revision = ?3")
            .bind(role.account.as_str())
            .bind(&role.id)
            .bind(role.revision);
        self.write_one(statement, Kind::Role, role.account, &role.name, at).await
    }

    async fn put_oidc_provider(
        &self,
        provider: &OidcProviderRecord,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = if provider.revision == 1 {
            "INSERT INTO oidc_providers (account, name, issuer, client_ids, thumbprints, created_ms, tags, revision) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"
        } else {
            "UPDATE oidc_providers SET issuer = ?3, client_ids = ?4, thumbprints = ?5, created_ms = ?6, tags = ?7, \
             revision = ?8 WHERE account = ?1 AND name = ?2 AND created_ms = ?6 AND revision = ?8 - 1"
        };
        let statement = sqlx::query(statement)
            .bind(provider.account.as_str())
            .bind(&provider.name)
            .bind(&provider.issuer)
            .bind(json(&provider.client_ids)?)
            .bind(json(&provider.thumbprints)?)
            .bind(provider.created.millis())
            .bind(json(&provider.tags)?)
            .bind(provider.revision);
        self.write_one(statement, Kind::OidcProvider, provider.account, &provider.name, at).await
    }

    async fn delete_oidc_provider(
        &self,
        provider: &OidcProviderRecord,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("DELETE FROM oidc_providers WHERE account = ?1 AND name = ?2 AND revision = ?3")
                .bind(provider.account.as_str())
                .bind(&provider.name)
                .bind(provider.revision);
        self.write_one(statement, Kind::OidcProvider, provider.account, &provider.name, at).await
    }
}

#[cfg(test)]
mod tests;
