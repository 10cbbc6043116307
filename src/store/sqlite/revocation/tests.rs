use super::*;
use crate::store::identity::{IdentityStore, Login, PoolRecord, PoolRoles, PoolSettings, Written};

const NOW: Timestamp = Timestamp::from_seconds(1000);
const LATER: Timestamp = Timestamp::from_seconds(2000);

async fn store() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    let pool = PoolRecord {
        id: "r:p".to_owned(),
        account: AccountId::DEFAULT,
        name: "app".to_owned(),
        settings: PoolSettings::default(),
        roles: PoolRoles::default(),
        tag_maps: std::collections::BTreeMap::default(),
        revision: 0,
        created: NOW,
    };
    store.add_pool(&pool).await.unwrap();
    (folder, store)
}

async fn add(store: &SqliteStore, id: &str, logins: &[Login]) {
    assert_eq!(store.add_identity("r:p", id, logins, NOW).await.unwrap(), Written::Done);
}

fn login() -> Login {
    Login { provider: "idp".to_owned(), subject: "ann".to_owned() }
}

fn record(scope: &str, not_before: Timestamp) -> RevocationRecord {
    RevocationRecord {
        scope: scope.to_owned(),
        account: AccountId::DEFAULT,
        pool_id: Some("r:p".to_owned()),
        not_before,
        ends: Some(not_before.plus(SESSION_MAX)),
    }
}

#[tokio::test]
async fn a_scopes_moment_moves_forward_alone() {
    let (_folder, store) = store().await;
    store.revoke(&[record("pool/r:p", LATER)], None).await.unwrap();
    store.revoke(&[record("pool/r:p", NOW)], None).await.unwrap();
    assert_eq!(store.revocations().await.unwrap(), [record("pool/r:p", LATER)]);
}

#[tokio::test]
async fn a_revoked_guest_is_disabled_until_restored_and_others_are_not() {
    let (_folder, store) = store().await;
    add(&store, "r:guest", &[]).await;
    add(&store, "r:user", &[login()]).await;
    for id in ["r:guest", "r:user"] {
        store.revoke(&[record(&format!("identity/{id}"), NOW)], Some(id)).await.unwrap();
    }
    let hold = async |id: &str| store.hold(id).await.unwrap();
    let user = IdentityHold { not_before: Some(NOW), ..IdentityHold::default() };
    assert_eq!(hold("r:guest").await, Some(IdentityHold { disabled: Some(NOW), ..user }));
    assert_eq!(hold("r:user").await, Some(user));
    let other = "111111111111".parse().unwrap();
    assert!(!store.restore(other, "r:guest", LATER).await.unwrap());
    assert!(store.restore(AccountId::DEFAULT, "r:guest", LATER).await.unwrap());
    assert!(!store.restore(AccountId::DEFAULT, "r:nobody", LATER).await.unwrap());
    assert_eq!(hold("r:guest").await, Some(IdentityHold { restored: Some(LATER), ..user }));
    assert_eq!(store.held(10).await.unwrap(), ["r:guest", "r:user"]);
}

#[tokio::test]
async fn a_first_login_ends_the_guest_in_its_own_transaction_and_a_second_does_not() {
    let (_folder, store) = store().await;
    add(&store, "r:guest", &[]).await;
    let guest = store.identity("r:guest").await.unwrap().unwrap();
    let taken = Login { subject: "bob".to_owned(), ..login() };
    add(&store, "r:bob", std::slice::from_ref(&taken)).await;
    // A login that has an identity by now: the write is lost, and the guest's sessions with it are not ended.
    assert_eq!(store.link(&guest, &[taken], LATER).await.unwrap(), Written::Lost);
    assert_eq!(store.revocations().await.unwrap(), []);
    assert_eq!(store.link(&guest, &[login()], LATER).await.unwrap(), Written::Done);
    assert_eq!(store.revocations().await.unwrap(), [record("guest/r:guest", LATER)]);
    let user = store.identity("r:guest").await.unwrap().unwrap();
    let second = Login { subject: "eve".to_owned(), ..login() };
    assert_eq!(store.link(&user, &[second], Timestamp::from_seconds(3000)).await.unwrap(), Written::Done);
    assert_eq!(store.revocations().await.unwrap(), [record("guest/r:guest", LATER)]);
}

#[tokio::test]
async fn former_guests_beyond_the_bound_are_put_together_by_pool() {
    let (_folder, store) = store().await;
    let at = |second: i64| Timestamp::from_seconds(second);
    for (id, second) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        store.revoke(&[record(&guest_scope(id), at(second))], None).await.unwrap();
    }
    store.revoke(&[record("identity/a", at(9))], None).await.unwrap();
    assert_eq!(store.fold_guests(2, LATER).await.unwrap(), 2);
    let mut left: Vec<_> = store.revocations().await.unwrap();
    left.sort_by_key(|record| record.not_before);
    let expected = [
        record("guests/r:p", at(2)),
        record("guest/c", at(3)),
        record("guest/d", at(4)),
        record("identity/a", at(9)),
    ];
    assert_eq!(left, expected);
    assert_eq!(store.fold_guests(2, LATER).await.unwrap(), 0);
}

#[tokio::test]
async fn what_has_ended_or_lost_its_pool_is_pruned_in_portions() {
    let (_folder, store) = store().await;
    for at in 0..3 {
        store.revoke(&[record(&format!("identity/{at}"), NOW)], None).await.unwrap();
    }
    let endless = RevocationRecord { ends: None, ..record("pool/r:p", NOW) };
    store.revoke(std::slice::from_ref(&endless), None).await.unwrap();
    let end = NOW.plus(SESSION_MAX);
    assert_eq!(store.prune(end.minus(std::time::Duration::from_millis(1)), 2).await.unwrap(), 0);
    assert_eq!(store.prune(end, 2).await.unwrap(), 2);
    assert_eq!(store.prune(end, 2).await.unwrap(), 1);
    assert_eq!(store.revocations().await.unwrap(), [endless]);
    let provider = RevocationRecord { ends: None, ..record("provider/r:p/idp", NOW) };
    store.revoke(&[provider], None).await.unwrap();
    store.delete_pool(AccountId::DEFAULT, "r:p", LATER).await.unwrap();
    // All of it has ended, for as long as sessions of it could run.
    let end = LATER.plus(SESSION_MAX);
    let ended = RevocationRecord { pool_id: None, ends: Some(end), ..record("pool/r:p", end) };
    assert_eq!(store.revocations().await.unwrap(), [ended]);
    assert_eq!(store.prune(end.minus(std::time::Duration::from_millis(1)), 2).await.unwrap(), 0);
    assert_eq!(store.prune(end, 2).await.unwrap(), 1);
}
