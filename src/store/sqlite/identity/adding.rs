//! New identities. Those that are asked for while a commit waits for the disk share the next one.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use super::linking::insert_logins;
use crate::{
    base::Timestamp,
    store::{
        StoreError,
        identity::{Login, Written},
        sqlite::SqliteStore,
    },
};

/// So many share a commit at most.
const TOGETHER_MAX: usize = 256;

/// An identity to be.
#[derive(Clone, Debug)]
struct New {
    pool_id: String,
    id: String,
    logins: Vec<Login>,
    born: Timestamp,
}

#[derive(Debug)]
struct Job {
    new: New,
    written: oneshot::Sender<Result<Written, StoreError>>,
}

/// The identities that wait for the next commit: one for each request that is being answered, so the edge bounds them.
#[derive(Clone, Debug, Default)]
pub(in crate::store::sqlite) struct Waiting(Arc<Mutex<Vec<Job>>>);

impl Waiting {
    /// Adds one; true if it is the first, and somebody has to see to the commit.
    fn join(&self, job: Job) -> bool {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(job);
        jobs.len() == 1
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes those that the next commit is for, and says whether others are left.
    fn take(&self) -> (Vec<Job>, bool) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = jobs.len().min(TOGETHER_MAX);
        (jobs.drain(..count).collect(), !jobs.is_empty())
    }
}

#[cfg(test)]
impl SqliteStore {
    /// Waits until nothing is under way that somebody asked for, also if whoever it was has left.
    pub(crate) async fn settled(&self) {
        while self.new_identities.len() > 0 {
            tokio::task::yield_now().await;
        }
        // Whoever writes is done, or its transaction is rolled back, before the next one begins.
        drop(self.write().await);
    }
}

/// Adds an identity, together with others that are waiting.
pub(super) async fn add(
    store: &SqliteStore,
    pool_id: &str,
    id: &str,
    logins: &[Login],
    born: Timestamp,
) -> Result<Written, StoreError> {
    let new = New { pool_id: pool_id.to_owned(), id: id.to_owned(), logins: logins.to_vec(), born };
    let (sender, written) = oneshot::channel();
    if store.new_identities.join(Job { new, written: sender }) {
        // A task of its own: whoever asked first may leave, the others still wait.
        tokio::spawn(commit_waiting(store.clone()));
    }
    // Nobody answers only if the transaction that all shared has failed.
    written.await.unwrap_or(Err(StoreError::Database(sqlx::Error::WorkerCrashed)))
}

async fn commit_waiting(store: SqliteStore) {
    loop {
        let write = store.write().await;
        let (jobs, others_wait) = store.new_identities.take();
        match write {
            Ok(mut write) => {
                let mut answers = Vec::with_capacity(jobs.len());
                for job in jobs {
                    let written = insert(write.connection(), &job.new).await;
                    answers.push((job.written, written));
                }
                if let Err(cause) = write.commit().await {
                    tracing::error!(%cause, "new identities could not be written");
                } else {
                    for (sender, written) in answers {
                        // Whoever has left does not need to know.
                        let _ = sender.send(written);
                    }
                }
            }
            Err(cause) => tracing::error!(%cause, "new identities could not be written"),
        }
        if !others_wait {
            return;
        }
    }
}

/// Inserts one, or nothing of it.
async fn insert(connection: &mut SqliteConnection, new: &New) -> Result<Written, StoreError> {
    let mut savepoint = connection.begin().await?;
    let inserted = sqlx::query(
        "INSERT INTO identities (id, pool_id, born_ms, modified_ms, used_ms, signed_in_ms, revision)
         SELECT ?1, id, ?3, ?3, ?3, ?4, 0 FROM identity_pools WHERE id = ?2",
    )
    .bind(&new.id)
    .bind(&new.pool_id)
    .bind(new.born.millis())
    .bind((!new.logins.is_empty()).then_some(new.born.millis()))
    .execute(&mut *savepoint)
    .await?;
    if inserted.rows_affected() == 0
        || insert_logins(&mut savepoint, (&new.pool_id, &new.id), &new.logins, new.born).await?
            == Written::Lost
    {
        savepoint.rollback().await?;
        return Ok(Written::Lost);
    }
    savepoint.commit().await?;
    Ok(Written::Done)
}
