//! Identities as they are changed: each a short transaction that compares what was seen and sets what is new.

use sqlx::SqliteConnection;

use crate::{
    base::Timestamp,
    store::{
        StoreError,
        identity::{IdentityRecord, Login, Written},
        sqlite::{SqliteStore, revocation::end_guest},
    },
};

/// Inserts logins; lost if one of them has an identity.
pub(super) async fn insert_logins(
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

/// Counts a change of an identity that is still as it was seen, and one that has logins from now on is no guest any more.
async fn change(
    connection: &mut SqliteConnection,
    seen: &IdentityRecord,
    signs_in: bool,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let updated = sqlx::query(
        "UPDATE identities
         SET revision = revision + 1, modified_ms = ?3,
             signed_in_ms = CASE WHEN ?4 THEN coalesce(signed_in_ms, ?3) ELSE signed_in_ms END
         WHERE id = ?1 AND revision = ?2",
    )
    .bind(&seen.id)
    .bind(seen.revision)
    .bind(now.millis())
    .bind(signs_in)
    .execute(connection)
    .await?;
    Ok(if updated.rows_affected() == 0 { Written::Lost } else { Written::Done })
}

pub(super) async fn link(
    store: &SqliteStore,
    seen: &IdentityRecord,
    logins: &[Login],
    now: Timestamp,
) -> Result<Written, StoreError> {
    let mut write = store.write().await?;
    if change(write.connection(), seen, true, now).await? == Written::Lost
        || insert_logins(write.connection(), (&seen.pool_id, &seen.id), logins, now).await? == Written::Lost
    {
        return Ok(Written::Lost);
    }
    if seen.is_guest() {
        // Whoever planted or copied a guest's id gains nothing by its owner's sign-in.
        end_guest(&mut write, (&seen.pool_id, &seen.id), now).await?;
    }
    write.commit().await?;
    Ok(Written::Done)
}

pub(super) async fn unlink(
    store: &SqliteStore,
    seen: &IdentityRecord,
    logins: &[Login],
    now: Timestamp,
) -> Result<Written, StoreError> {
    let mut write = store.write().await?;
    if change(write.connection(), seen, false, now).await? == Written::Lost {
        return Ok(Written::Lost);
    }
    for login in logins {
        sqlx::query(
            "DELETE FROM identity_logins
             WHERE pool_id = ?1 AND provider = ?2 AND subject = ?3 AND identity_id = ?4",
        )
        .bind(&seen.pool_id)
        .bind(&login.provider)
        .bind(&login.subject)
        .bind(&seen.id)
        .execute(write.connection())
        .await?;
    }
    write.commit().await?;
    Ok(Written::Done)
}

pub(super) async fn merge(
    store: &SqliteStore,
    from: &IdentityRecord,
    into: &IdentityRecord,
    new: &[Login],
    now: Timestamp,
) -> Result<Written, StoreError> {
    let mut write = store.write().await?;
    if change(write.connection(), from, false, now).await? == Written::Lost
        || change(write.connection(), into, true, now).await? == Written::Lost
    {
        return Ok(Written::Lost);
    }
    sqlx::query("UPDATE identity_logins SET identity_id = ?2 WHERE identity_id = ?1")
        .bind(&from.id)
        .bind(&into.id)
        .execute(write.connection())
        .await?;
    if insert_logins(write.connection(), (&into.pool_id, &into.id), new, now).await? == Written::Lost {
        return Ok(Written::Lost);
    }
    sqlx::query("UPDATE identities SET merged_into = ?2, merged_ms = ?3 WHERE id = ?1")
        .bind(&from.id)
        .bind(&into.id)
        .bind(now.millis())
        .execute(write.connection())
        .await?;
    for guest in [from, into] {
        if guest.is_guest() {
            end_guest(&mut write, (&guest.pool_id, &guest.id), now).await?;
        }
    }
    write.commit().await?;
    Ok(Written::Done)
}
