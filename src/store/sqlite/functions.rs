//! Functions in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};

use super::SqliteStore;
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        artifacts::PackageHash,
        functions::{Configuration, FunctionRecord, FunctionStore, Logging, Stage},
    },
};

/// Every column, in the order in which [`record`] reads and [`FunctionStore::put`] writes them.
macro_rules! columns {
    () => {
        "account, name, revision, generation, modified_ms, stage, code_sha256, code_bytes, description, runtime, \
         handler, role_arn, timeout_seconds, memory_mb, tmp_mb, architecture, tracing, log_format, \
         log_application_level, log_system_level, log_group, environment, tags, version, published, is_published, \
         policy, aliases"
    };
}

const ALL: &str = concat!("SELECT ", columns!(), " FROM functions ORDER BY account, name, version");
const ONE: &str =
    concat!("SELECT ", columns!(), " FROM functions WHERE account = ?1 AND name = ?2 ORDER BY version");
const PUT: &str = concat!(
    "INSERT OR REPLACE INTO functions (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, \
     ?24, ?25, ?26, ?27, ?28)"
);

fn record(row: &SqliteRow) -> Result<FunctionRecord, StoreError> {
    let account: &str = row.try_get(0)?;
    let name: String = row.try_get(1)?;
    let unreadable = |why: &str| StoreError::Unreadable {
        what: format!("function {account}/{name}"),
        why: why.to_owned(),
    };
    let number = |column: usize| -> Result<u32, StoreError> {
        u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| unreadable("a number out of range"))
    };
    Ok(FunctionRecord {
        account: account.parse().map_err(|_| unreadable("no account id"))?,
        revision: row.try_get(2)?,
        generation: row.try_get(3)?,
        modified: Timestamp::from_millis(row.try_get(4)?),
        stage: Stage::parse(row.try_get(5)?).ok_or_else(|| unreadable("unknown stage"))?,
        code: PackageHash::from_bytes(row.try_get(6)?).ok_or_else(|| unreadable("no package hash"))?,
        code_bytes: u64::try_from(row.try_get::<i64, _>(7)?).map_err(|_| unreadable("a negative size"))?,
        configuration: Configuration {
            description: row.try_get(8)?,
            runtime: row.try_get(9)?,
            handler: row.try_get(10)?,
            role_arn: row.try_get(11)?,
            timeout_seconds: number(12)?,
            memory_mb: number(13)?,
            tmp_mb: number(14)?,
            architecture: row.try_get(15)?,
            tracing: row.try_get(16)?,
            logging: Logging {
                format: row.try_get(17)?,
                application_level: row.try_get(18)?,
                system_level: row.try_get(19)?,
                group: row.try_get(20)?,
            },
        },
        environment: row.try_get(21)?,
        tags: serde_json::from_str(row.try_get(22)?).map_err(|_| unreadable("tags are no JSON object"))?,
        version: number(23)?,
        published: number(24)?,
        is_published: row.try_get(25)?,
        policy: row.try_get(26)?,
        aliases: serde_json::from_str(row.try_get(27)?)
            .map_err(|_| unreadable("aliases are no JSON object"))?,
        name,
    })
}

#[async_trait]
impl FunctionStore for SqliteStore {
    async fn all(&self) -> Result<Vec<FunctionRecord>, StoreError> {
        sqlx::query(ALL).fetch_all(self.readers()).await?.iter().map(record).collect()
    }

    async fn get(&self, account: AccountId, name: &str) -> Result<Vec<FunctionRecord>, StoreError> {
        let rows = sqlx::query(ONE).bind(account.as_str()).bind(name).fetch_all(self.readers()).await?;
        rows.iter().map(record).collect()
    }

    async fn put_all(
        &self,
        records: &[(&FunctionRecord, Option<&str>)],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        for (record, replaces) in records {
            let stored: Option<String> = sqlx::query_scalar(
                "SELECT revision FROM functions WHERE account = ?1 AND name = ?2 AND version = ?3",
            )
            .bind(record.account.as_str())
            .bind(&record.name)
            .bind(record.version)
            .fetch_optional(write.connection())
            .await?;
            if stored.as_deref() != *replaces {
                return Ok(false);
            }
            insert(record)?.execute(write.connection()).await?;
            write.changed(Kind::Function, record.account, &record.name, at).await?;
        }
        write.commit().await?;
        Ok(true)
    }

    async fn delete(&self, account: AccountId, name: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let deleted = sqlx::query("DELETE FROM functions WHERE account = ?1 AND name = ?2")
            .bind(account.as_str())
            .bind(name)
            .execute(write.connection())
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Function, account, name, at).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn delete_version(
        &self,
        account: AccountId,
        name: &str,
        version: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let deleted = sqlx::query(
            "DELETE FROM functions WHERE account = ?1 AND name = ?2 AND version = ?3 AND version > 0",
        )
        .bind(account.as_str())
        .bind(name)
        .bind(version)
        .execute(write.connection())
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Function, account, name, at).await?;
        write.commit().await?;
        Ok(true)
    }
}

type Insert = sqlx::query::Query<'static, sqlx::Sqlite, <sqlx::Sqlite as sqlx::Database>::Arguments>;

/// The statement that writes a record.
fn insert(record: &FunctionRecord) -> Result<Insert, StoreError> {
    let FunctionRecord { account, name, configuration, .. } = record;
    let unreadable = |error: serde_json::Error| StoreError::Unreadable {
        what: format!("function {account}/{name}"),
        why: error.to_string(),
    };
    let tags = serde_json::to_string(&record.tags).map_err(unreadable)?;
    let aliases = serde_json::to_string(&record.aliases).map_err(unreadable)?;
    Ok(sqlx::query(PUT)
        .bind(account.to_string())
        .bind(name.clone())
        .bind(record.revision.clone())
        .bind(record.generation.clone())
        .bind(record.modified.millis())
        .bind(record.stage.as_str())
        .bind(record.code.as_bytes().to_vec())
        .bind(i64::try_from(record.code_bytes).unwrap_or(i64::MAX))
        .bind(configuration.description.clone())
        .bind(configuration.runtime.clone())
        .bind(configuration.handler.clone())
        .bind(configuration.role_arn.clone())
        .bind(configuration.timeout_seconds)
        .bind(configuration.memory_mb)
        .bind(configuration.tmp_mb)
        .bind(configuration.architecture.clone())
        .bind(configuration.tracing.clone())
        .bind(configuration.logging.format.clone())
        .bind(configuration.logging.application_level.clone())
        .bind(configuration.logging.system_level.clone())
        .bind(configuration.logging.group.clone())
        .bind(record.environment.clone())
        .bind(tags)
        .bind(record.version)
        .bind(record.published)
        .bind(record.is_published)
        .bind(record.policy.clone())
        .bind(aliases))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ChangeLog, functions::AliasRecord};

    fn example() -> FunctionRecord {
        FunctionRecord {
            account: AccountId::DEFAULT,
            name: "greet".to_owned(),
            revision: "r1".to_owned(),
            generation: "g1".to_owned(),
            modified: Timestamp::from_seconds(7),
            stage: Stage::Creating,
            code: PackageHash::of(b"zip"),
            code_bytes: 3,
            configuration: Configuration {
                description: "says hello".to_owned(),
                runtime: "nodejs22.x".to_owned(),
                handler: "index.handler".to_owned(),
                role_arn: "arn:aws:iam::000000000000:role/r".to_owned(),
                timeout_seconds: 900,
                memory_mb: 10_240,
                tmp_mb: 512,
                architecture: "x86_64".to_owned(),
                tracing: "PassThrough".to_owned(),
                logging: Logging {
                    format: "JSON".to_owned(),
                    application_level: Some("INFO".to_owned()),
                    system_level: None,
                    group: "/aws/lambda/greet".to_owned(),
                },
            },
            environment: Some(vec![1, 2, 3]),
            tags: [("a".to_owned(), "ä".to_owned())].into(),
            version: 0,
            published: 2,
            is_published: true,
            policy: Some("{}".to_owned()),
            aliases: [(
                "PROD".to_owned(),
                AliasRecord {
                    version: 2,
                    description: String::new(),
                    revision: "a1".to_owned(),
                    policy: None,
                },
            )]
            .into(),
        }
    }

    async fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn what_is_put_is_read_back_whole() {
        let (_folder, store) = store().await;
        let record = example();
        assert!(store.put(&record, None, record.modified).await.unwrap());
        assert_eq!(store.get(AccountId::DEFAULT, "greet").await.unwrap(), std::slice::from_ref(&record));
        assert_eq!(store.all().await.unwrap(), [record]);
        assert_eq!(store.get(AccountId::DEFAULT, "other").await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_write_replaces_only_the_revision_it_names() {
        let (_folder, store) = store().await;
        let first = example();
        let second = FunctionRecord { revision: "r2".to_owned(), environment: None, ..example() };
        let at = first.modified;
        assert!(!store.put(&second, Some("r1"), at).await.unwrap(), "nothing is there to replace");
        assert!(store.put(&first, None, at).await.unwrap());
        assert!(!store.put(&second, None, at).await.unwrap(), "there is one already");
        assert!(!store.put(&second, Some("r0"), at).await.unwrap(), "the revision is another one");
        assert_eq!(store.all().await.unwrap(), [first]);
        assert!(store.put(&second, Some("r1"), at).await.unwrap());
        assert_eq!(store.all().await.unwrap(), [second]);
    }

    #[tokio::test]
    async fn what_was_written_or_deleted_stands_in_the_change_log_and_nothing_else() {
        let (_folder, store) = store().await;
        let record = example();
        let at = record.modified;
        assert!(!store.delete(AccountId::DEFAULT, "greet", at).await.unwrap());
        assert!(store.put(&record, None, at).await.unwrap());
        assert!(!store.put(&record, None, at).await.unwrap());
        assert!(store.delete(AccountId::DEFAULT, "greet", at).await.unwrap());
        assert_eq!(store.get(AccountId::DEFAULT, "greet").await.unwrap(), []);
        let changes = store.since(0, 10).await.unwrap();
        let keys: Vec<_> = changes.iter().map(|change| (change.kind, change.key.as_str())).collect();
        assert_eq!(keys, [(Kind::Function, "greet"), (Kind::Function, "greet")]);
    }

    #[tokio::test]
    async fn versions_stand_beside_their_function_and_go_with_it() {
        let (_folder, store) = store().await;
        let latest = example();
        let version = |version, revision: &str| FunctionRecord {
            version,
            revision: revision.to_owned(),
            aliases: [].into(),
            ..example()
        };
        let (one, two) = (version(1, "v1"), version(2, "v2"));
        let at = latest.modified;
        assert!(store.put_all(&[(&latest, None), (&two, None), (&one, None)], at).await.unwrap());
        let all = [latest.clone(), one.clone(), two.clone()];
        assert_eq!(store.get(AccountId::DEFAULT, "greet").await.unwrap(), all);
        assert_eq!(store.all().await.unwrap(), all);
        let again = FunctionRecord { revision: "r2".to_owned(), ..latest.clone() };
        assert!(!store.put_all(&[(&again, Some("r1")), (&two, None)], at).await.unwrap());
        assert_eq!(store.all().await.unwrap(), all, "none of them is written if one cannot be");
        assert!(!store.delete_version(AccountId::DEFAULT, "greet", 0, at).await.unwrap());
        assert!(store.delete_version(AccountId::DEFAULT, "greet", 1, at).await.unwrap());
        assert!(!store.delete_version(AccountId::DEFAULT, "greet", 1, at).await.unwrap());
        assert_eq!(store.all().await.unwrap(), [latest, two]);
        assert!(store.delete(AccountId::DEFAULT, "greet", at).await.unwrap());
        assert_eq!(store.all().await.unwrap(), []);
    }
}
