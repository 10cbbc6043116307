//! Identities described, listed, deleted and unlinked.

use std::time::Duration;

use super::{super::*, Fixture, ISSUED_AT};
use crate::{
    base::AccountId,
    store::{Follower, identity::IdentityStore},
};

const ACCOUNT: AccountId = AccountId::DEFAULT;

#[tokio::test]
async fn a_description_names_who_became_whom_for_thirty_days() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    // The caller's log line has both ids.
    let merged_id = async |id: &str| fixture.resolve(id, Some("ann")).await.unwrap().caller().merged_id;
    assert_eq!(merged_id(&guest).await.as_ref(), Some(&guest));
    assert_eq!(merged_id(&guest).await.as_ref(), Some(&guest));
    assert_eq!(merged_id(&ann).await, None);
    let describe = async |id: &str| fixture.identities.describe(ACCOUNT, id).await.unwrap();
    assert_eq!(describe(&ann).await.aliases, std::slice::from_ref(&guest));
    assert_eq!(describe(&guest).await.identity.merged.unwrap().into, ann);
    fixture.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(describe(&ann).await.aliases, std::slice::from_ref(&guest));
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(describe(&ann).await.aliases, [""; 0]);
    assert_eq!(describe(&guest).await.identity.merged, None);
    assert_eq!(merged_id(&guest).await, None);
    // What it opens is the same for ever.
    assert!(matches!(fixture.resolve(&guest, None).await, Err(IdentityError::Forbidden(_))));
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
}

#[tokio::test]
async fn a_list_may_hide_what_nothing_opens() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let mut all = Vec::new();
    for who in ["ann", "bob", "carl"] {
        all.push(fixture.get_id(&pool, Some(who)).await.unwrap());
        all.push(fixture.get_id(&pool, None).await.unwrap());
    }
    fixture.resolve(&all[1], Some("ann")).await.unwrap();
    fixture.identities.unlink(&all[2], &fixture.logins(Some("bob")), &[fixture.provider()]).await.unwrap();
    let mut open = vec![all[0].clone(), all[3].clone(), all[4].clone(), all[5].clone()];
    all.sort();
    open.sort();
    for (hide, expected) in [(false, &all), (true, &open)] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = fixture.identities.list(ACCOUNT, &pool.id, after.as_deref(), 2, hide).await.unwrap();
            assert!(page.identities.len() <= 2);
            seen.extend(page.identities.into_iter().map(|identity| identity.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, *expected, "{hide}");
    }
    let other = "111111111111".parse().unwrap();
    let foreign = fixture.identities.list(other, &pool.id, None, 2, false).await;
    assert!(matches!(foreign, Err(IdentityError::PoolNotFound(_))));
}

#[tokio::test]
async fn only_an_accounts_own_identities_are_described_or_deleted() {
    let fixture = Fixture::start().await;
    let (pool, gone) = (fixture.pool(true).await, fixture.pool(true).await);
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let dead = fixture.get_id(&gone, None).await.unwrap();
    fixture.store.delete_pool(ACCOUNT, &gone.id, ISSUED_AT).await.unwrap();
    Follower::load(&*fixture.pools).await.unwrap();
    let other: AccountId = "111111111111".parse().unwrap();
    let missing = "r:0".to_owned();
    let not_found =
        |described: Result<Described>| matches!(described, Err(IdentityError::IdentityNotFound(_)));
    assert!(not_found(fixture.identities.describe(other, &ann).await));
    assert!(not_found(fixture.identities.describe(ACCOUNT, &missing).await));
    assert!(
        not_found(fixture.identities.describe(ACCOUNT, &dead).await),
        "its pool is gone, its row is not yet"
    );
    assert!(fixture.store.identity(&dead).await.unwrap().is_some());
    assert!(matches!(fixture.resolve(&dead, None).await, Err(IdentityError::IdentityNotFound(_))));

    let left = fixture.identities.delete(other, std::slice::from_ref(&ann)).await;
    assert_eq!(left, [(ann.clone(), NotDeleted::NotTheirs)]);
    let ids = [ann.clone(), missing.clone(), dead.clone()];
    let left = fixture.identities.delete(ACCOUNT, &ids).await;
    assert_eq!(left, [(missing, NotDeleted::NotTheirs), (dead, NotDeleted::NotTheirs)]);
    assert!(not_found(fixture.identities.describe(ACCOUNT, &ann).await));
    assert_ne!(fixture.get_id(&pool, Some("ann")).await.unwrap(), ann, "the login is new again");
}

#[tokio::test]
async fn a_login_is_unlinked_by_whoever_has_one_of_the_identitys() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let provider = fixture.provider();
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    fixture.speak_for(&pool, &ann, &[(&provider, "ann"), ("second", "ann")]).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    fixture.get_id(&pool, Some("bob")).await.unwrap();
    let unlink = async |id: &str, who: Option<&str>, provider: &str| {
        fixture.identities.unlink(id, &fixture.logins(who), &[provider.to_owned()]).await
    };
    for (id, who) in
        [(&ann, None), (&ann, Some("bob")), (&ann, Some("new")), (&guest, None), (&guest, Some("new"))]
    {
        assert!(unlink(id, who, &provider).await.is_err(), "{who:?}");
    }
    assert!(unlink(&guest, Some("ann"), &provider).await.is_err(), "and nothing is merged in passing");
    assert!(fixture.resolve(&guest, None).await.is_ok());
    unlink(&ann, Some("ann"), "none-of-its").await.unwrap();
    assert_eq!(fixture.store.identity(&ann).await.unwrap().unwrap().logins.len(), 2);
    unlink(&ann, Some("ann"), "second").await.unwrap();
    assert_eq!(fixture.store.identity(&ann).await.unwrap().unwrap().logins.len(), 1);
    unlink(&ann, Some("ann"), &provider).await.unwrap();
    assert!(fixture.resolve(&ann, Some("ann")).await.is_err());
    assert_ne!(fixture.get_id(&pool, Some("ann")).await.unwrap(), ann);
}
