//! Guests that nobody uses.

use std::time::Duration;

use super::{fixture::GUEST_IDLE, *};
use crate::base::Clock;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_guest_expires_within_a_day_after_the_configured_time_and_not_before() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    fixture.clock.advance(GUEST_IDLE + DAY);
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 0);
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 1);
    let answer = fixture.resolve(&guest, None).await;
    assert!(matches!(answer, Err(IdentityError::IdentityNotFound(_))), "{answer:?}");
}

#[tokio::test]
async fn a_guest_that_is_used_stays_however_it_is_used() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let (guest, none) = (fixture.get_id(&pool, None).await.unwrap(), Logins::default());
    // Uses of one day are one write; the last of them counts at least as the first.
    fixture.clock.advance(GUEST_IDLE);
    fixture.identities.credentials(&guest, &none, None).await.unwrap();
    let noted = fixture.store.identity(&guest).await.unwrap().unwrap().used;
    fixture.clock.advance(DAY - Duration::from_millis(1));
    fixture.identities.credentials(&guest, &none, None).await.unwrap();
    assert_eq!(fixture.store.identity(&guest).await.unwrap().unwrap().used, noted);
    fixture.clock.advance(GUEST_IDLE);
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 0, "used {GUEST_IDLE:?} ago");
    fixture.identities.open_id_token("https://gate", &guest, &none).await.unwrap();
    fixture.clock.advance(GUEST_IDLE);
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_ever_signed_in_or_was_merged_never_expires() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let (guest, merged) =
        (fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap());
    fixture.resolve(&guest, Some("bob")).await.unwrap();
    fixture.identities.unlink(&guest, &fixture.logins(Some("bob")), &[fixture.provider()]).await.unwrap();
    assert_eq!(fixture.resolve(&merged, Some("ann")).await.unwrap().id, ann);
    fixture.clock.advance(GUEST_IDLE * 10);
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 0);
    for id in [ann, guest, merged] {
        assert!(fixture.store.identity(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn who_comes_while_it_is_removed_is_in_time_or_told_that_it_is_gone() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    for _ in 0..50 {
        let guest = fixture.get_id(&pool, None).await.unwrap();
        fixture.clock.advance(GUEST_IDLE + DAY * 2);
        let (answer, expired) =
            tokio::join!(fixture.resolve(&guest, None), fixture.identities.expire_guests());
        match answer {
            Ok(resolved) => assert_eq!((resolved.id, expired.unwrap()), (guest, 0)),
            Err(IdentityError::IdentityNotFound(_)) => assert_eq!(expired.unwrap(), 1),
            Err(other) => panic!("{other}"),
        }
        // What is left of it is removed before the next.
        fixture.clock.advance(GUEST_IDLE + DAY * 2);
        fixture.identities.expire_guests().await.unwrap();
    }
}

#[tokio::test]
async fn more_than_one_transaction_removes_are_removed_and_no_others_are_looked_at() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let now = fixture.clock.now();
    for number in 0..2_100 {
        let born = if number % 3 == 0 { now } else { now.minus(GUEST_IDLE * 2) };
        let added = fixture.store.add_identity(&pool.id, &format!("r:{number}"), &[], born).await;
        assert_eq!(added.unwrap(), crate::store::identity::Written::Done);
    }
    assert_eq!(fixture.identities.expire_guests().await.unwrap(), 1_400);
    assert_eq!(fixture.store.identities(&pool.id, None, 5_000).await.unwrap().len(), 700);
}
