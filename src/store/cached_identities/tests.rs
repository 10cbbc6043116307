use std::sync::Mutex;

use super::*;
use crate::{
    base::{Clock, clock::MockClock},
    store::{
        identity::{PoolRoles, PoolSettings},
        sqlite::SqliteStore,
    },
};

const NOW: Timestamp = Timestamp::from_seconds(1000);

async fn stage(bytes_max: u64) -> (tempfile::TempDir, SqliteStore, CachedIdentities) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    let pool = PoolRecord {
        id: "r:1".to_owned(),
        account: AccountId::DEFAULT,
        name: "app".to_owned(),
        settings: PoolSettings::default(),
        roles: PoolRoles::default(),
        tag_maps: std::collections::BTreeMap::default(),
        revision: 0,
        created: MockClock::at(NOW).now(),
    };
    store.add_pool(&pool).await.unwrap();
    let cached = CachedIdentities::new(Arc::new(store.clone()), bytes_max);
    (folder, store, cached)
}

fn login(subject: &str) -> Login {
    Login { provider: "idp".to_owned(), subject: subject.to_owned() }
}

fn done(written: Result<Written, StoreError>) {
    assert_eq!(written.unwrap(), Written::Done);
}

async fn read(store: &CachedIdentities, id: &str) -> Option<IdentityRecord> {
    store.identity(id).await.unwrap()
}

/// Behind the cache's back, which nobody does in earnest: it shows what comes from memory.
async fn change_unseen(store: &SqliteStore) {
    let mut write = store.write().await.unwrap();
    sqlx::query("UPDATE identities SET born_ms = 77").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn an_identity_is_read_once_until_it_changes() {
    let (_folder, store, cached) = stage(1 << 20).await;
    for id in ["r:a", "r:b"] {
        done(cached.add_identity("r:1", id, &[], NOW).await);
    }
    let (a, b) = (read(&cached, "r:a").await.unwrap(), read(&cached, "r:b").await.unwrap());
    change_unseen(&store).await;
    assert_eq!(read(&cached, "r:a").await.unwrap().born, NOW);
    assert_eq!(cached.link(&a, &[login("1")], NOW).await.unwrap(), Written::Done);
    let linked = read(&cached, "r:a").await.unwrap();
    assert_eq!((linked.born.millis(), linked.logins.len()), (77, 1));
    assert_eq!(cached.unlink(&linked, &[login("1")], NOW).await.unwrap(), Written::Done);
    let unlinked = read(&cached, "r:a").await.unwrap();
    assert_eq!(unlinked.logins, []);
    // A write that is lost has shown that what is known is old.
    assert_eq!(cached.link(&a, &[login("2")], NOW).await.unwrap(), Written::Lost);
    done(cached.link(&unlinked, &[login("2")], NOW).await);
    let user = read(&cached, "r:a").await.unwrap();
    assert_eq!(cached.merge(&b, &user, &[], NOW).await.unwrap(), Written::Done);
    assert_eq!(read(&cached, "r:b").await.unwrap().merged.unwrap().into, "r:a");
    assert!(cached.delete_identity("r:a").await.unwrap());
    assert_eq!(read(&cached, "r:a").await, None);
    assert_eq!(read(&cached, "r:b").await, None);
}

#[tokio::test]
async fn a_read_that_began_before_a_write_is_not_remembered() {
    let (_folder, _store, cached) = stage(1 << 20).await;
    done(cached.add_identity("r:1", "r:a", &[], NOW).await);
    let old = cached.store.identity("r:a").await.unwrap().unwrap();
    let writes_before = cached.writes.load(SeqCst);
    done(cached.link(&old, &[login("1")], NOW).await);
    cached.remember(&Arc::new(old), writes_before);
    assert_eq!(read(&cached, "r:a").await.unwrap().logins, [login("1")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_is_missed_however_reads_and_writes_meet() {
    let (_folder, _store, cached) = stage(1 << 20).await;
    done(cached.add_identity("r:1", "r:a", &[], NOW).await);
    let (cached, newest) = (Arc::new(cached), Arc::new(Mutex::new(0)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (cached, newest) = (cached.clone(), newest.clone());
            tokio::spawn(async move {
                loop {
                    let at_least = *newest.lock().unwrap();
                    let revision = read(&cached, "r:a").await.unwrap().revision;
                    assert!(revision >= at_least, "{revision} after {at_least}");
                    if revision >= 60 {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 0..60 {
        let seen = read(&cached, "r:a").await.unwrap();
        let logins = [login("1")];
        let written = match number % 2 {
            0 => cached.link(&seen, &logins, NOW).await,
            _ => cached.unlink(&seen, &logins, NOW).await,
        };
        assert_eq!(written.unwrap(), Written::Done);
        *newest.lock().unwrap() = seen.revision + 1;
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_kept_is_bounded() {
    let (_folder, _store, cached) = stage(10_000).await;
    for number in 0..100 {
        let id = format!("r:{number}");
        done(cached.add_identity("r:1", &id, &[login(&id)], NOW).await);
        read(&cached, &id).await.unwrap();
    }
    cached.known.run_pending_tasks();
    assert!((1_000..=10_000).contains(&cached.bytes()), "{}", cached.bytes());
}
