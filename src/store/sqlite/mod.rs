//! The embedded store: one SQLite file in write-ahead mode, many readers, one writer.

mod functions;
mod iam;
mod identity;
mod limits;
mod revocation;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Row, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Change, ChangeLog, Kind, StoreError};
use crate::base::{AccountId, Timestamp};

/// An open database.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: SqlitePool,
    new_identities: identity::adding::Waiting,
}

/// How many connections read beside the one that writes.
const READERS: u32 = 4;
/// How long a statement waits for the file's lock before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many rows of the change log are kept; a node further behind loads everything anew.
const CHANGES_KEPT: i64 = 100_000;

impl SqliteStore {
    /// Opens `file`, makes it if it is not there, and brings its schema up to date.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before it is answered.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!("src/store/sqlite/migrations").run(&writer).await?;
        let readers =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self { readers, writer, new_identities: identity::adding::Waiting::default() })
    }

    /// The connections that read.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins the one transaction that may write; it waits for the one before it.
    pub async fn write(&self) -> Result<Write, StoreError> {
        Ok(Write { transaction: self.writer.begin_with("BEGIN IMMEDIATE").await? })
    }

    /// Closes every connection, so that the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction that writes. Dropped without [`Write::commit`], nothing of it remains.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Sqlite>,
}

impl Write {
    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Notes in the same transaction that this thing changed, so that memory is told of it.
    pub async fn changed(
        &mut self,
        kind: Kind,
        account: AccountId,
        key: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO changes (kind, account, key, at_ms) VALUES (?1, ?2, ?3, ?4)")
            .bind(kind.as_str())
            .bind(account.as_str())
            .bind(key)
            .bind(at.millis())
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query("DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - ?1")
            .bind(CHANGES_KEPT)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Makes it last.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

#[async_trait]
impl ChangeLog for SqliteStore {
    async fn newest(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(seq), 0) FROM changes").fetch_one(&self.readers).await?;
        Ok(row.try_get(0)?)
    }

    async fn since(&self, seq: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
        let rows =
            sqlx::query("SELECT seq, kind, account, key FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2")
                .bind(seq)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        rows.iter()
            .map(|row| {
                let seq: i64 = row.try_get(0)?;
                let unreadable =
                    |why: &str| StoreError::Unreadable { what: format!("change {seq}"), why: why.to_owned() };
                Ok(Change {
                    seq,
                    kind: Kind::parse(row.try_get::<&str, _>(1)?)
                        .ok_or_else(|| unreadable("unknown kind"))?,
                    account: row.try_get::<&str, _>(2)?.parse().map_err(|_| unreadable("no account id"))?,
                    key: row.try_get(3)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::store::{Feed, Follower};

    #[derive(Default)]
    struct Recorder(Mutex<Vec<String>>);

    #[async_trait]
    impl Follower for Recorder {
        async fn load(&self) -> Result<(), StoreError> {
            self.0.lock().unwrap().push("load".to_owned());
            Ok(())
        }

        async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
            self.0.lock().unwrap().extend(changes.iter().map(|change| change.key.clone()));
            Ok(())
        }
    }

    #[tokio::test]
    async fn followers_see_committed_changes_once_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        let at = Timestamp::from_seconds(1);
        let feed = Feed::new(Arc::new(store.clone()));
        let recorder = Arc::new(Recorder::default());
        let mut before = store.write().await.unwrap();
        before.changed(Kind::Role, AccountId::DEFAULT, "before", at).await.unwrap();
        before.commit().await.unwrap();
        feed.start(vec![recorder.clone()]).await.unwrap();

        let mut dropped = store.write().await.unwrap();
        dropped.changed(Kind::Role, AccountId::DEFAULT, "dropped", at).await.unwrap();
        drop(dropped);
        let mut kept = store.write().await.unwrap();
        kept.changed(Kind::Role, AccountId::DEFAULT, "kept", at).await.unwrap();
        kept.commit().await.unwrap();
        feed.catch_up().await.unwrap();
        feed.catch_up().await.unwrap();

        assert_eq!(*recorder.0.lock().unwrap(), ["load", "kept"]);
    }
}
