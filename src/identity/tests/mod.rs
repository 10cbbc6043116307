//! Against a real store and a real issuer.

mod developer;
mod fixture;
mod idle;
mod managing;
mod merging;
mod random;
mod random_model;
mod random_store;
mod revocation;
mod roles;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use super::*;
use crate::{
    authn::oidc::{
        Issuers, Verifier,
        test_issuer::{TestIssuer, outbound},
    },
    base::{AccountId, KeyRing, Secret, rng::SeededRng},
    store::identity::{IdentityStore, PoolRoles, PoolSettings},
};
pub(crate) use fixture::{Fixture, ISSUED_AT};

#[tokio::test]
async fn guests_are_new_each_time_and_an_id_is_region_and_uuid() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let (one, two) = (fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap());
    assert_ne!(one, two);
    for id in [&one, &pool.id] {
        let (region, uuid) = id.split_once(':').unwrap();
        assert_eq!((region, uuid.len(), &uuid[14..15]), ("eu-west-1", 36, "4"));
    }
    let guest = fixture.resolve(&one, None).await.unwrap().caller();
    assert_eq!((guest.signed_in(), &guest.amr[..]), (false, &["unauthenticated".to_owned()][..]));
    assert_eq!((guest.pool_id, guest.born), (pool.id.clone(), ISSUED_AT));
}

#[tokio::test]
async fn a_guest_who_signs_in_keeps_the_id_and_is_a_guest_no_more() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let signed_in = fixture.resolve(&guest, Some("ann")).await.unwrap();
    assert_eq!(signed_in.id, guest);
    let provider = fixture.provider();
    let amr = ["authenticated".to_owned(), provider.clone(), format!("{provider}:client:ann")];
    assert_eq!((signed_in.caller().amr, signed_in.caller().logins), (amr.to_vec(), vec![provider]));
    // From another device, by the login alone.
    assert_eq!(fixture.get_id(&pool, Some("ann")).await.unwrap(), guest);
    // The id alone opens nothing any more, nor does somebody else's login.
    assert!(matches!(fixture.resolve(&guest, None).await, Err(IdentityError::Forbidden(_))));
    assert!(matches!(fixture.resolve(&guest, Some("bob")).await, Err(IdentityError::LoginsDoNotMatch)));
    // And bob, refused, is nobody yet.
    assert_ne!(fixture.get_id(&pool, Some("bob")).await.unwrap(), guest);
}

#[tokio::test]
async fn of_two_identities_neither_opens_with_the_others_login() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    fixture.get_id(&pool, Some("bob")).await.unwrap();
    assert!(matches!(fixture.resolve(&ann, Some("bob")).await, Err(IdentityError::LoginsDoNotMatch)));
}

#[tokio::test]
async fn first_logins_of_one_subject_at_the_same_moment_give_one_identity() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ids = futures_util::future::join_all((0..8).map(|_| fixture.get_id(&pool, Some("ann")))).await;
    let first = ids[0].as_ref().unwrap();
    assert!(ids.iter().all(|id| id.as_ref().unwrap() == first), "{ids:?}");
    // So do two guests' devices: whoever is first keeps the id, the other is merged into it.
    let guests = [fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap()];
    let (one, two) =
        tokio::join!(fixture.resolve(&guests[0], Some("bob")), fixture.resolve(&guests[1], Some("bob")));
    let (one, two) = (one.unwrap().id, two.unwrap().id);
    assert!(one == two && guests.contains(&one), "{one} {two}");
    for guest in &guests {
        assert_eq!(fixture.resolve(guest, Some("bob")).await.unwrap().id, one);
        assert!(matches!(fixture.resolve(guest, None).await, Err(IdentityError::Forbidden(_))));
    }
}

#[tokio::test]
async fn a_pool_without_guests_has_none() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(false).await;
    assert!(matches!(fixture.get_id(&pool, None).await, Err(IdentityError::GuestsOff)));
    assert!(fixture.get_id(&pool, Some("ann")).await.is_ok());
}

#[tokio::test]
async fn pools_are_worlds_of_their_own() {
    let fixture = Fixture::start().await;
    let (one, two) = (fixture.pool(true).await, fixture.pool(true).await);
    let ann = fixture.get_id(&one, Some("ann")).await.unwrap();
    assert_ne!(fixture.get_id(&two, Some("ann")).await.unwrap(), ann);
    let other = "111111111111".parse().unwrap();
    let named = fixture.identities.get_id(Some(other), &one.id, &Logins::default()).await;
    assert!(matches!(named, Err(IdentityError::PoolNotFound(_))));
    assert!(matches!(fixture.pools.get(other, &one.id), Err(IdentityError::PoolNotFound(_))));

    fixture.pools.delete(AccountId::DEFAULT, &one.id).await.unwrap();
    assert!(matches!(fixture.get_id(&one, None).await, Err(IdentityError::PoolNotFound(_))));
    assert!(matches!(fixture.resolve(&ann, Some("ann")).await, Err(IdentityError::IdentityNotFound(_))));
    assert_eq!(fixture.store.identity(&ann).await.unwrap(), None, "its rows are gone too");
}

#[tokio::test]
async fn only_the_pools_own_providers_and_good_tokens_count() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let get_id = async |provider: &str, token: String| {
        let logins = BTreeMap::from([(provider.to_owned(), token)]).into();
        fixture.identities.get_id(None, &pool.id, &logins).await
    };
    let good = fixture.token("ann");
    for stranger in ["accounts.example.com", "", &fixture.issuer.url] {
        let refused = get_id(stranger, good.clone()).await;
        assert!(matches!(refused, Err(IdentityError::UnsupportedProvider)), "{stranger}");
    }
    let settings = PoolSettings { allow_guests: true, ..PoolSettings::default() };
    let new = NewPool { account: AccountId::DEFAULT, name: "closed".to_owned(), settings };
    let closed = fixture.pools.create(new).await.unwrap();
    // The account knows the provider, but this pool does not take it.
    assert!(matches!(fixture.get_id(&closed, Some("ann")).await, Err(IdentityError::UnsupportedProvider)));
    fixture.clock.advance(Duration::from_secs(630));
    let expired = get_id(&fixture.provider(), good).await.unwrap_err().to_string();
    assert_eq!(expired, "Invalid login token. Token expired: 1800000630 >= 1800000600");
}

#[tokio::test]
async fn an_identity_has_at_most_twenty_logins() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let login =
        |at: usize| crate::store::identity::Login { provider: format!("p{at}"), subject: "ann".to_owned() };
    for at in 1..identities::LOGINS_AN_IDENTITY_MAX {
        let seen = fixture.store.identity(&ann).await.unwrap().unwrap();
        let _ = fixture.store.link(&seen, &[login(at)], ISSUED_AT).await.unwrap();
    }
    let seen = fixture.store.identity(&ann).await.unwrap().unwrap();
    assert_eq!(seen.logins.len(), 20);
    assert!(fixture.resolve(&ann, Some("ann")).await.is_ok(), "those it has go on working");
    let refused = fixture.identities.link(&seen, &[login(20)]).await;
    assert!(matches!(refused, Err(IdentityError::TooManyLogins(20))));
}

#[tokio::test]
async fn credentials_are_those_of_the_pools_role_and_carry_the_identity() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    for (subject, role) in [(None, "guest"), (Some("ann"), "user")] {
        let given = fixture.identities.credentials(&guest, &fixture.logins(subject), None).await.unwrap();
        assert_eq!(given.credentials.expires.since(ISSUED_AT), Duration::from_secs(3600));
        let credentials = &given.credentials;
        let session = fixture.sessions.open(&credentials.session_token, &credentials.access_key_id).unwrap();
        assert_eq!(
            session.caller.principal.arn(AccountId::DEFAULT),
            format!("arn:aws:sts::000000000000:assumed-role/{role}/CognitoIdentityCredentials")
        );
        let identity = session.caller.identity.as_ref().unwrap();
        assert_eq!((&identity.identity_id, identity.signed_in()), (&guest, subject.is_some()));
        assert_eq!(session.claims.origin.identity_id.as_ref(), Some(&guest));
    }
}

#[tokio::test]
async fn without_a_role_that_trusts_it_an_identity_gets_nothing() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let credentials = async || fixture.identities.credentials(&guest, &Logins::default(), None).await;
    let role = |account: &str, name: &str| Some(format!("arn:aws:iam::{account}:role/{name}"));
    for unauthenticated in [
        None,
        role("000000000000", "missing"),
        // It trusts those who signed in, and this is a guest.
        role("000000000000", "user"),
        // It would trust the guest, but is not the pool's account's to give.
        role("111111111111", "guest"),
    ] {
        let roles = PoolRoles { unauthenticated, ..pool.roles.clone() };
        fixture.pools.set_roles(AccountId::DEFAULT, &pool.id, &roles).await.unwrap();
        assert!(matches!(credentials().await, Err(IdentityError::Configuration)), "{roles:?}");
    }
    fixture.pools.set_roles(AccountId::DEFAULT, &pool.id, &pool.roles).await.unwrap();
    assert!(credentials().await.is_ok());
    fixture.roles.trust("eu-west-1:another");
    assert!(matches!(credentials().await, Err(IdentityError::Configuration)));
}

#[tokio::test]
async fn an_open_id_token_says_who_where_and_how_and_verifies_with_the_published_key() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    // Its own publisher: an issuer that serves this gateway's keys.
    let gateway = TestIssuer::start(fixture.open_id_keys.jwks()).await;
    let given = fixture.identities.open_id_token(&gateway.url, &guest, &Logins::default()).await.unwrap();
    let verifier = Verifier::new(Issuers::new(outbound(), fixture.clock.clone()), fixture.clock.clone());
    let audience = [pool.id.clone()];
    let verified = verifier.verify(&given.token, &gateway.url, &audience).await.unwrap();
    assert_eq!(verified.subject, guest);
    assert_eq!(verified.expires.since(verified.issued), Duration::from_secs(600));
    assert_eq!(verified.claims["amr"], json!(["unauthenticated"]));
    assert!(!format!("{given:?}").contains(&given.token));
}

#[tokio::test]
async fn the_gateways_key_is_the_same_after_a_restart() {
    let fixture = Fixture::start().await;
    let load = async |ring: u8| {
        OpenIdKeys::load(OpenIdKeysParts {
            store: Arc::new(fixture.store.clone()),
            ring: Arc::new(KeyRing::new([(1, Secret::new(vec![ring; 32]))]).unwrap()),
            period: Duration::from_secs(90 * 86_400),
            clock: fixture.clock.clone(),
            rng: Arc::new(SeededRng::new(2)),
        })
        .await
    };
    assert_eq!(load(1).await.unwrap().jwks(), fixture.open_id_keys.jwks());
    assert!(load(2).await.is_err(), "never a new one in silence");
}
