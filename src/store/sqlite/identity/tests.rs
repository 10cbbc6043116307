//! Pools and identities as they are kept.

use std::future::Future;

use super::*;
use crate::store::identity::{Merged, PoolRoles, PoolSettings, TagMap};

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
            developer_provider: Some("login.example".to_owned()),
            tags: [("a".to_owned(), "b".to_owned())].into(),
            ..PoolSettings::default()
        },
        roles: PoolRoles::default(),
        tag_maps: [("idp".to_owned(), TagMap { use_defaults: true, ..TagMap::default() })].into(),
        created: NOW,
        revision: 0,
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
    let foreign = PoolRecord { account: other, ..pool.clone() };
    assert_eq!(store.replace_pool(&foreign, NOW).await.unwrap(), Written::Lost);
    assert!(!store.delete_pool(other, "r:1", NOW).await.unwrap());
    assert_eq!(store.replace_pool(&pool, NOW).await.unwrap(), Written::Done);
    assert_eq!(store.replace_pool(&pool, NOW).await.unwrap(), Written::Lost, "it is another revision now");
    pool.revision += 1;
    assert_eq!(store.pools().await.unwrap(), [pool]);
    assert!(store.delete_pool(AccountId::DEFAULT, "r:1", NOW).await.unwrap());
    assert_eq!(store.pools().await.unwrap(), []);
}

#[tokio::test]
async fn a_login_has_one_identity_and_a_lost_write_leaves_nothing() {
    let (_folder, store) = store().await;
    store.add_pool(&pool("r:1")).await.unwrap();
    let add = async |id: &str, logins: &[Login]| store.add_identity("r:1", id, logins, NOW).await.unwrap();
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
async fn there_is_one_first_key() {
    let (_folder, store) = store().await;
    let key = |id: &str| OpenIdKeyRecord { id: id.to_owned(), sealed: vec![1], created: NOW };
    assert_eq!(store.add_open_id_key(&key("a"), None).await.unwrap(), Written::Done);
    assert_eq!(store.add_open_id_key(&key("b"), None).await.unwrap(), Written::Lost);
    assert_eq!(store.open_id_keys().await.unwrap(), [key("a")]);
}

/// Identities of a pool by their ids, each with its whole record.
async fn state(store: &SqliteStore) -> Vec<IdentityRecord> {
    store.identities("r:1", None, 100).await.unwrap()
}

/// A guest G and an identity U with two logins.
async fn guest_and_user(store: &SqliteStore) -> (IdentityRecord, IdentityRecord) {
    store.add_pool(&pool("r:1")).await.unwrap();
    let _ = store.add_identity("r:1", "r:g", &[], NOW).await.unwrap();
    let _ = store.add_identity("r:1", "r:u", &[login("1"), login("2")], NOW).await.unwrap();
    (store.identity("r:g").await.unwrap().unwrap(), store.identity("r:u").await.unwrap().unwrap())
}

const LATER: Timestamp = Timestamp::from_seconds(2000);

#[tokio::test]
async fn a_merge_leaves_one_identity_with_everything_and_a_name_for_it() {
    let (_folder, store) = store().await;
    let (guest, user) = guest_and_user(&store).await;
    assert_eq!(store.merge(&guest, &user, &[login("3")], LATER).await.unwrap(), Written::Done);
    let merged = store.identity("r:g").await.unwrap().unwrap();
    assert_eq!(merged.merged, Some(Merged { into: "r:u".to_owned(), at: LATER }));
    assert!(merged.is_disabled() && !merged.is_guest() && merged.signed_in.is_none());
    let user_now = store.identity("r:u").await.unwrap().unwrap();
    assert_eq!(user_now.logins, [login("1"), login("2"), login("3")]);
    assert_eq!(store.merged_into("r:u", NOW, 10).await.unwrap(), ["r:g"]);
    assert_eq!(store.merged_into("r:u", Timestamp::from_seconds(2001), 10).await.unwrap(), [""; 0]);
    // Both have changed since they were seen.
    assert_eq!(store.merge(&guest, &user_now, &[], LATER).await.unwrap(), Written::Lost);
    assert_eq!(store.link(&user, &[login("4")], LATER).await.unwrap(), Written::Lost);
    // Whoever merges an identity with logins hands them on.
    let _ = store.add_identity("r:1", "r:v", &[login("5")], NOW).await.unwrap();
    let other = store.identity("r:v").await.unwrap().unwrap();
    assert_eq!(store.merge(&user_now, &other, &[], LATER).await.unwrap(), Written::Done);
    let owners = store.owners("r:1", &[login("1"), login("5")]).await.unwrap();
    assert_eq!(owners, [Some("r:v".to_owned()), Some("r:v".to_owned())]);
}

#[tokio::test]
async fn a_merge_with_a_login_that_got_an_identity_meanwhile_changes_nothing() {
    let (_folder, store) = store().await;
    let (guest, user) = guest_and_user(&store).await;
    let _ = store.add_identity("r:1", "r:v", &[login("3")], NOW).await.unwrap();
    let before = state(&store).await;
    assert_eq!(store.merge(&guest, &user, &[login("3")], LATER).await.unwrap(), Written::Lost);
    assert_eq!(state(&store).await, before);
}

#[tokio::test]
async fn an_unlinked_login_is_new_and_the_last_one_leaves_nothing_that_opens() {
    let (_folder, store) = store().await;
    let (_, user) = guest_and_user(&store).await;
    assert_eq!(store.unlink(&user, &[login("1")], LATER).await.unwrap(), Written::Done);
    assert_eq!(store.unlink(&user, &[login("2")], LATER).await.unwrap(), Written::Lost);
    let left = store.identity("r:u").await.unwrap().unwrap();
    assert_eq!((&left.logins[..], left.is_disabled()), (&[login("2")][..], false));
    assert_eq!(store.unlink(&left, &[login("2")], LATER).await.unwrap(), Written::Done);
    let dead = store.identity("r:u").await.unwrap().unwrap();
    assert!(dead.is_disabled() && dead.signed_in.is_some() && dead.modified == LATER);
    assert_eq!(store.add_identity("r:1", "r:n", &[login("1")], LATER).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn whoever_is_deleted_takes_along_what_was_merged_into_it() {
    let (_folder, store) = store().await;
    let (guest, user) = guest_and_user(&store).await;
    let _ = store.merge(&guest, &user, &[], NOW).await.unwrap();
    let _ = store.add_identity("r:1", "r:v", &[login("5")], NOW).await.unwrap();
    let (user, other) =
        (store.identity("r:u").await.unwrap().unwrap(), store.identity("r:v").await.unwrap().unwrap());
    let _ = store.merge(&user, &other, &[], NOW).await.unwrap();
    assert_eq!(state(&store).await.len(), 3);
    assert!(store.delete_identity("r:v").await.unwrap());
    assert_eq!(state(&store).await, []);
    assert_eq!(store.owners("r:1", &[login("1")]).await.unwrap(), [None]);
    assert!(!store.delete_identity("r:v").await.unwrap());
    // What an end in between left is swept.
    let _ = store.add_identity("r:1", "r:g", &[], NOW).await.unwrap();
    let mut write = store.write().await.unwrap();
    sqlx::query("UPDATE identities SET merged_into = 'r:gone', merged_ms = 1")
        .execute(write.connection())
        .await
        .unwrap();
    write.commit().await.unwrap();
    assert_eq!(store.sweep_merged(10).await.unwrap(), 1);
    assert_eq!(state(&store).await, []);
}

#[tokio::test]
async fn pages_of_identities_are_in_order_with_all_their_logins() {
    let (_folder, store) = store().await;
    guest_and_user(&store).await;
    let _ = store.add_identity("r:1", "r:z", &[login("9")], NOW).await.unwrap();
    let ids = async |after: Option<&str>, limit: u32| {
        let page = store.identities("r:1", after, limit).await.unwrap();
        page.into_iter().map(|identity| (identity.id, identity.logins.len())).collect::<Vec<_>>()
    };
    let all = [("r:g".to_owned(), 0), ("r:u".to_owned(), 2), ("r:z".to_owned(), 1)];
    assert_eq!(ids(None, 10).await, all);
    assert_eq!(ids(None, 2).await, all[..2]);
    assert_eq!(ids(Some("r:h"), 10).await, all[1..], "what it begins after need not exist");
    assert_eq!(store.identities("r:2", None, 10).await.unwrap(), []);
}

/// Every change that takes more than one statement, on the guest and the user as they are seen.
async fn change(
    store: &SqliteStore,
    name: &str,
    (guest, user): (&IdentityRecord, &IdentityRecord),
) -> Result<(), StoreError> {
    let new = [login("3"), login("4")];
    let done = match name {
        "add" => store.add_identity("r:1", "r:n", &new, LATER).await?,
        "link" => store.link(user, &new, LATER).await?,
        "sign in" => store.link(guest, &new, LATER).await?,
        "unlink" => store.unlink(user, &[login("1"), login("2")], LATER).await?,
        "merge" => store.merge(guest, user, &new, LATER).await?,
        "merge of two" => store.merge(user, guest, &new, LATER).await?,
        "delete" => {
            store.delete_identity("r:u").await?;
            Written::Done
        }
        other => panic!("{other}"),
    };
    assert_eq!(done, Written::Done);
    Ok(())
}

const CHANGES: [&str; 7] = ["add", "link", "sign in", "unlink", "merge", "merge of two", "delete"];

const STATEMENTS: [&str; 6] = [
    "UPDATE ON identities",
    "INSERT ON identities",
    "DELETE ON identities",
    "INSERT ON identity_logins",
    "UPDATE ON identity_logins",
    "DELETE ON identity_logins",
];

/// Every row that a change touches fails in turn: what came before it must leave nothing.
#[tokio::test]
async fn a_failure_at_any_row_of_any_statement_leaves_the_old_state() {
    for name in CHANGES {
        let (_folder, store) = store().await;
        let (guest, user) = guest_and_user(&store).await;
        let before = state(&store).await;
        execute(&store, &counting()).await;
        // Whole once, to see which rows it touches.
        change(&store, name, (&guest, &user)).await.unwrap();
        assert_ne!(state(&store).await, before, "{name}");
        let touched: Vec<(String, i64)> =
            sqlx::query_as("SELECT statement, count(*) FROM touched GROUP BY statement ORDER BY statement")
                .fetch_all(store.readers())
                .await
                .unwrap();
        assert!(!touched.is_empty(), "{name} touches nothing");
        restore(&store, &before).await;
        for (statement, rows) in touched {
            for passing in 0..rows {
                let fails = format!(
                    "DELETE FROM touched; DELETE FROM fails; INSERT INTO fails VALUES ('{statement}', {passing})"
                );
                execute(&store, &fails).await;
                let ended = change(&store, name, (&guest, &user)).await;
                let at = format!("{name}: {statement}, row {passing}");
                assert!(ended.is_err(), "{at}");
                assert_eq!(state(&store).await, before, "{at}");
            }
        }
    }
}

/// Counts the rows that each statement touches, and has one fail once `fails` names it.
fn counting() -> String {
    let mut sql =
        "CREATE TABLE touched (statement TEXT); CREATE TABLE fails (statement TEXT, passing INTEGER);"
            .to_owned();
    for (at, statement) in STATEMENTS.iter().enumerate() {
        sql.push_str(&format!(
            "CREATE TRIGGER counting{at} AFTER {statement} BEGIN
                 SELECT RAISE(ABORT, 'broken') FROM fails WHERE statement = '{statement}'
                 AND (SELECT count(*) FROM touched WHERE statement = '{statement}') >= passing;
                 INSERT INTO touched VALUES ('{statement}');
             END;"
        ));
    }
    sql
}

async fn execute(store: &SqliteStore, sql: &str) {
    let mut write = store.write().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
}

/// Puts these identities in place of all others, revisions and all.
async fn restore(store: &SqliteStore, identities: &[IdentityRecord]) {
    execute(store, "DELETE FROM identities").await;
    for identity in identities {
        let _ = store.add_identity("r:1", &identity.id, &identity.logins, identity.born).await.unwrap();
    }
    assert_eq!(state(store).await, identities);
}

/// Whoever asked is gone after so many polls: what the next one finds is the old state or the new.
#[tokio::test]
async fn an_end_at_any_moment_leaves_the_old_state_or_the_new_one() {
    for name in CHANGES {
        let (folder, store) = store().await;
        let (guest, user) = guest_and_user(&store).await;
        let before = state(&store).await;
        change(&store, name, (&guest, &user)).await.unwrap();
        let after = state(&store).await;
        assert_ne!(after, before, "{name}");
        restore(&store, &before).await;
        let mut olds = 0;
        for polls in 0..POLLS_MAX {
            let ended = polled(change(&store, name, (&guest, &user)), polls).await;
            store.settled().await;
            let found = state(&store).await;
            if found == before {
                assert!(!ended, "{name} was done");
                olds += 1;
                continue;
            }
            assert_eq!(found, after, "{name} after {polls} polls");
            // So a process that begins anew finds it.
            let file = folder.path().join("callgate.db");
            assert_eq!(state(&SqliteStore::open(&file).await.unwrap()).await, after);
            if ended {
                break;
            }
            restore(&store, &before).await;
        }
        assert!(olds > 0, "{name} was never broken off");
        assert_eq!(state(&store).await, after, "{name} never came to its end");
    }
}

/// More polls than any change takes.
const POLLS_MAX: u32 = 1000;

/// Polls a future so often, and drops it; whether it came to its end.
async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> bool {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn new_identities_share_a_commit_and_one_that_is_lost_takes_no_other_along() {
    let (_folder, store) = store().await;
    store.add_pool(&pool("r:1")).await.unwrap();
    // Nobody can commit until all wait.
    let held = store.write().await.unwrap();
    let logins = [login("same")];
    let adding = (0..40).map(|number| {
        let (store, logins) = (store.clone(), &logins);
        async move {
            let logins = if number % 10 == 0 { &logins[..] } else { &[] };
            store.add_identity("r:1", &format!("r:{number}"), logins, NOW).await.unwrap()
        }
    });
    let release = async {
        while store.new_identities.len() < 40 {
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    let before = commits(&store).await;
    let (written, ()) = tokio::join!(futures_util::future::join_all(adding), release);
    assert_eq!(commits(&store).await, before + 1);
    let lost: Vec<_> = (0..40).filter(|number| written[*number] == Written::Lost).collect();
    assert_eq!(lost, [10, 20, 30], "the login was the first one's");
    assert_eq!(store.identities("r:1", None, 100).await.unwrap().len(), 37);
}

/// How often the database file was changed, as its header counts it.
async fn commits(store: &SqliteStore) -> i64 {
    // A connection of its own sees whether others have written.
    sqlx::query("PRAGMA data_version").fetch_one(store.readers()).await.unwrap().get(0)
}
