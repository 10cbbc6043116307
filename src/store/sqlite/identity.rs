//! Identity pools, identities and signing keys in SQLite.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, revocation::end_guest};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        Kind, StoreError,
        identity::{IdentityRecord, IdentityStore, Login, OpenIdKeyRecord, PoolRecord, PoolRoles, Written},
    },
};

fn read_pool(row: &SqliteRow) -> Result<PoolRecord, StoreError> {
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
        created: Timestamp::from_millis(row.try_get(5)?),
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

/// Inserts logins; lost if one of them has an identity.
async fn insert_logins(
    connection: &mut SqliteConnection,
    (pool_id, identity_id): (&str, &str),
    logins: &[Login],
    now: Timestamp,
) -> Result<Written, StoreError> {
    for login in logins {
        let inserted = sqlx::query(
            "INSERT INTO identity_logins (pool_id, provider, subject, identity_id, linked_ms)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )
        .bind(pool_id)
        .bind(&login.provider)
        .bind(&login.subject)
        .bind(identity_id)
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(Written::Lost);
        }
    }
    Ok(Written::Done)
}

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn pools(&self) -> Result<Vec<PoolRecord>, StoreError> {
        let rows = sqlx::query("SELECT id, account, name, settings, roles, created_ms FROM identity_pools")
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(read_pool).collect()
    }

    async fn pool(&self, id: &str) -> Result<Option<PoolRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT id, account, name, settings, roles, created_ms FROM identity_pools WHERE id = ?1",
        )
        .bind(id)
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(read_pool).transpose()
    }

    async fn add_pool(&self, pool: &PoolRecord) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO identity_pools (id, account, name, settings, roles, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&pool.id)
        .bind(pool.account.as_str())
        .bind(&pool.name)
        .bind(json(&pool.settings)?)
        .bind(json(&pool.roles)?)
        .bind(pool.created.millis())
        .execute(write.connection())
        .await?;
        write.changed(Kind::Pool, pool.account, &pool.id, pool.created).await?;
        write.commit().await
    }

    async fn set_pool_roles(
        &self,
        account: AccountId,
        id: &str,
        roles: &PoolRoles,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let updated = sqlx::query("UPDATE identity_pools SET roles = ?3 WHERE id = ?1 AND account = ?2")
            .bind(id)
            .bind(account.as_str())
            .bind(json(roles)?)
            .execute(write.connection())
            .await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Pool, account, id, now).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn delete_pool(&self, account: AccountId, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let deleted = sqlx::query("DELETE FROM identity_pools WHERE id = ?1 AND account = ?2")
            .bind(id)
            .bind(account.as_str())
            .execute(write.connection())
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        write.changed(Kind::Pool, account, id, now).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
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

    async fn identity(&self, id: &str) -> Result<Option<IdentityRecord>, StoreError> {
        // One statement, so that the logins are those of this very revision.
        let rows = sqlx::query(
            "SELECT i.pool_id, i.born_ms, i.signed_in_ms, i.revision, l.provider, l.subject
             FROM identities i LEFT JOIN identity_logins l ON l.identity_id = i.id WHERE i.id = ?1",
        )
        .bind(id)
        .fetch_all(self.readers())
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut identity = IdentityRecord {
            id: id.to_owned(),
            pool_id: first.try_get(0)?,
            born: Timestamp::from_millis(first.try_get(1)?),
            signed_in: first.try_get::<Option<i64>, _>(2)?.map(Timestamp::from_millis),
            revision: first.try_get(3)?,
            logins: Vec::new(),
        };
        for row in &rows {
            if let (Some(provider), Some(subject)) = (row.try_get(4)?, row.try_get(5)?) {
                identity.logins.push(Login { provider, subject });
            }
        }
        Ok(Some(identity))
    }

    async fn owners(&self, pool_id: &str, logins: &[Login]) -> Result<Vec<Option<String>>, StoreError> {
        let mut owners = Vec::with_capacity(logins.len());
        for login in logins {
            let owner: Option<(String,)> = sqlx::query_as(
                "SELECT identity_id FROM identity_logins WHERE pool_id = ?1 AND provider = ?2 AND subject = ?3",
            )
            .bind(pool_id)
            .bind(&login.provider)
            .bind(&login.subject)
            .fetch_optional(self.readers())
            .await?;
            owners.push(owner.map(|(id,)| id));
        }
        Ok(owners)
    }

    async fn add_identity(
        &self,
        pool_id: &str,
        id: &str,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let mut write = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO identities (id, pool_id, born_ms, modified_ms, signed_in_ms, revision)
             SELECT ?1, id, ?3, ?3, ?4, 0 FROM identity_pools WHERE id = ?2",
        )
        .bind(id)
        .bind(pool_id)
        .bind(now.millis())
        .bind((!logins.is_empty()).then_some(now.millis()))
        .execute(write.connection())
        .await?;
        if inserted.rows_affected() == 0
            || insert_logins(write.connection(), (pool_id, id), logins, now).await? == Written::Lost
        {
            return Ok(Written::Lost);
        }
        write.commit().await?;
        Ok(Written::Done)
    }

    async fn link(
        &self,
        seen: &IdentityRecord,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let mut write = self.write().await?;
        let updated = sqlx::query(
            "UPDATE identities
             SET revision = revision + 1, modified_ms = ?3, signed_in_ms = coalesce(signed_in_ms, ?3)
             WHERE id = ?1 AND revision = ?2",
        )
        .bind(&seen.id)
        .bind(seen.revision)
        .bind(now.millis())
        .execute(write.connection())
        .await?;
        if updated.rows_affected() == 0
            || insert_logins(write.connection(), (&seen.pool_id, &seen.id), logins, now).await?
                == Written::Lost
        {
            return Ok(Written::Lost);
        }
        if seen.signed_in.is_none() {
            // Whoever planted or copied a guest's id gains nothing by its owner's sign-in.
            end_guest(&mut write, (&seen.pool_id, &seen.id), now).await?;
        }
        write.commit().await?;
        Ok(Written::Done)
    }

    async fn open_id_keys(&self) -> Result<Vec<OpenIdKeyRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT id, sealed, created_ms FROM open_id_keys ORDER BY created_ms DESC, id")
                .fetch_all(self.readers())
                .await?;
        rows.iter()
            .map(|row| {
                Ok(OpenIdKeyRecord {
                    id: row.try_get(0)?,
                    sealed: row.try_get(1)?,
                    created: Timestamp::from_millis(row.try_get(2)?),
                })
            })
            .collect()
    }

    async fn add_open_id_key(
        &self,
        key: &OpenIdKeyRecord,
        newest: Option<&str>,
    ) -> Result<Written, StoreError> {
        let mut write = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO open_id_keys (id, sealed, created_ms)
             SELECT ?1, ?2, ?3
             WHERE (SELECT id FROM open_id_keys ORDER BY created_ms DESC, id LIMIT 1) IS ?4",
        )
        .bind(&key.id)
        .bind(&key.sealed)
        .bind(key.created.millis())
        .bind(newest)
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(if inserted.rows_affected() == 0 { Written::Lost } else { Written::Done })
    }

    async fn remove_open_id_key(&self, id: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM open_id_keys WHERE id = ?1").bind(id).execute(write.connection()).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity::PoolSettings;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    async fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        (folder, store)
    }

    fn pool(id: &str) -> PoolRecord {
        PoolRecord {
            id: id.to_owned(),
            account: AccountId::DEFAULT,
            name: "app".to_owned(),
            settings: PoolSettings {
                allow_guests: true,
                allow_classic_flow: Some(false),
                oidc_providers: vec!["arn:aws:iam::000000000000:oidc-provider/idp".to_owned()],
                tags: [("a".to_owned(), "b".to_owned())].into(),
            },
            roles: PoolRoles::default(),
            created: NOW,
        }
    }

    fn login(subject: &str) -> Login {
        Login { provider: "idp".to_owned(), subject: subject.to_owned() }
    }

    #[tokio::test]
    async fn a_pool_is_kept_changed_and_deleted_by_its_account_alone() {
        let (_folder, store) = store().await;
        let mut pool = pool("r:1");
        store.add_pool(&pool).await.unwrap();
        assert_eq!(store.pool("r:1").await.unwrap().as_ref(), Some(&pool));
        pool.roles.authenticated = Some("arn".to_owned());
        let other = "111111111111".parse().unwrap();
        assert!(!store.set_pool_roles(other, "r:1", &pool.roles, NOW).await.unwrap());
        assert!(!store.delete_pool(other, "r:1", NOW).await.unwrap());
        assert!(store.set_pool_roles(AccountId::DEFAULT, "r:1", &pool.roles, NOW).await.unwrap());
        assert_eq!(store.pools().await.unwrap(), [pool]);
        assert!(store.delete_pool(AccountId::DEFAULT, "r:1", NOW).await.unwrap());
        assert_eq!(store.pools().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_login_has_one_identity_and_a_lost_write_leaves_nothing() {
        let (_folder, store) = store().await;
        store.add_pool(&pool("r:1")).await.unwrap();
        let add =
            async |id: &str, logins: &[Login]| store.add_identity("r:1", id, logins, NOW).await.unwrap();
        assert_eq!(add("r:a", &[login("1")]).await, Written::Done);
        assert_eq!(add("r:b", &[login("2"), login("1")]).await, Written::Lost);
        assert_eq!(store.identity("r:b").await.unwrap(), None);
        let owners = store.owners("r:1", &[login("2"), login("1")]).await.unwrap();
        assert_eq!(owners, [None, Some("r:a".to_owned())]);
        // Pools are worlds of their own.
        assert_eq!(store.owners("r:2", &[login("1")]).await.unwrap(), [None]);
        assert_eq!(store.add_identity("r:2", "r:c", &[], NOW).await.unwrap(), Written::Lost);
    }

    #[tokio::test]
    async fn a_link_needs_the_identity_as_it_was_seen() {
        let (_folder, store) = store().await;
        store.add_pool(&pool("r:1")).await.unwrap();
        assert_eq!(store.add_identity("r:1", "r:g", &[], NOW).await.unwrap(), Written::Done);
        let guest = store.identity("r:g").await.unwrap().unwrap();
        assert_eq!((guest.signed_in, &guest.logins[..]), (None, &[][..]));
        let later = Timestamp::from_seconds(2000);
        assert_eq!(store.link(&guest, &[login("1")], later).await.unwrap(), Written::Done);
        assert_eq!(store.link(&guest, &[login("2")], later).await.unwrap(), Written::Lost);
        let signed_in = store.identity("r:g").await.unwrap().unwrap();
        assert_eq!((signed_in.signed_in, &signed_in.logins[..]), (Some(later), &[login("1")][..]));
    }

    #[tokio::test]
    async fn identities_of_deleted_pools_are_swept_in_portions_with_their_logins() {
        let (_folder, store) = store().await;
        for id in ["r:1", "r:2"] {
            store.add_pool(&pool(id)).await.unwrap();
            for at in 0..3 {
                let identity = format!("{id}-{at}");
                let logins = [login(&at.to_string())];
                let _ = store.add_identity(id, &identity, &logins, NOW).await.unwrap();
            }
        }
        assert_eq!(store.sweep(2).await.unwrap(), 0);
        store.delete_pool(AccountId::DEFAULT, "r:1", NOW).await.unwrap();
        let mut portions = Vec::new();
        while let swept @ 1.. = store.sweep(2).await.unwrap() {
            portions.push(swept);
        }
        assert_eq!(portions, [2, 1]);
        assert_eq!(store.owners("r:1", &[login("0")]).await.unwrap(), [None]);
        assert!(store.identity("r:2-2").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_key_follows_the_one_that_its_maker_saw() {
        let (_folder, store) = store().await;
        let key = |id: &str, seconds| OpenIdKeyRecord {
            id: id.to_owned(),
            sealed: vec![1],
            created: Timestamp::from_seconds(seconds),
        };
        let add = async |key: &OpenIdKeyRecord, newest| store.add_open_id_key(key, newest).await.unwrap();
        assert_eq!(add(&key("a", 1), None).await, Written::Done);
        assert_eq!(add(&key("b", 2), None).await, Written::Lost);
        assert_eq!(add(&key("c", 2), Some("a")).await, Written::Done);
        assert_eq!(add(&key("d", 3), Some("a")).await, Written::Lost);
        assert_eq!(store.open_id_keys().await.unwrap(), [key("c", 2), key("a", 1)]);
        store.remove_open_id_key("a").await.unwrap();
        assert_eq!(store.open_id_keys().await.unwrap(), [key("c", 2)]);
    }
}
