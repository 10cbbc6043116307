//! Developer-authenticated identities.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{super::*, Fixture};
use crate::{
    base::AccountId,
    store::identity::{IdentityStore, PoolRecord},
};

const GATE: &str = "https://gate.example";
const PROVIDER: &str = "login.app";

async fn token(
    fixture: &Fixture,
    pool: &PoolRecord,
    identity_id: Option<&str>,
    logins: &[(&str, &str)],
) -> Result<OpenIdToken> {
    let request = DeveloperTokenRequest {
        pool_id: pool.id.clone(),
        identity_id: identity_id.map(str::to_owned),
        logins: given(logins),
        principal_tags: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
        lifetime: Duration::from_secs(100),
    };
    fixture.identities.developer_token(GATE, pool.account, request).await
}

fn given(logins: &[(&str, &str)]) -> Logins {
    let logins = logins.iter().map(|(name, token)| ((*name).to_owned(), (*token).to_owned()));
    logins.collect::<BTreeMap<_, _>>().into()
}

fn presented(token: &OpenIdToken) -> Logins {
    given(&[(SERVICE, &token.token)])
}

async fn start() -> (Fixture, Arc<PoolRecord>) {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    (fixture, pool)
}

#[tokio::test]
async fn a_developers_user_gets_an_identity_and_a_token_that_is_a_login() {
    let (fixture, pool) = start().await;
    let one = token(&fixture, &pool, None, &[(PROVIDER, "ann")]).await.unwrap();
    let again = token(&fixture, &pool, None, &[(PROVIDER, "ann")]).await.unwrap();
    assert_eq!(one.identity_id, again.identity_id);
    let claims = Value::Object(fixture.open_id_keys.verify(&one.token).unwrap());
    assert_eq!(claims["sub"], json!(one.identity_id));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(GATE), &json!(pool.id)));
    let user = format!("{PROVIDER}:{}:ann", pool.id);
    assert_eq!(claims["amr"], json!(["authenticated", PROVIDER, user]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 100);
    assert_eq!(claims["https://aws.amazon.com/tags"], json!({"principal_tags": {"tier": ["gold"]}}));

    let caller = fixture.identities.resolve(&one.identity_id, &presented(&one)).await.unwrap().caller();
    assert_eq!((caller.identity_id, caller.logins), (one.identity_id.clone(), vec![PROVIDER.to_owned()]));
    assert_eq!(caller.amr, ["authenticated", PROVIDER, &user]);
    assert_eq!(caller.principal_tags, BTreeMap::from([("tier".to_owned(), "gold".to_owned())]));
    let id = fixture.identities.get_id(None, &pool.id, &presented(&one)).await.unwrap();
    assert_eq!(id, one.identity_id);

    fixture.clock.advance(Duration::from_secs(100));
    let late = fixture.identities.resolve(&one.identity_id, &presented(&one)).await.unwrap_err();
    assert_eq!(late.to_string(), "Invalid login token. Token expired: 1800000100 >= 1800000100");
}

#[tokio::test]
async fn only_a_developers_token_for_this_very_pool_and_identity_is_a_login() {
    let (fixture, pool) = start().await;
    let other_pool = fixture.pool(true).await;
    fixture.roles.trust(&pool.id);
    let ann = token(&fixture, &pool, None, &[(PROVIDER, "ann")]).await.unwrap();
    let bob = token(&fixture, &pool, None, &[(PROVIDER, "bob")]).await.unwrap();
    let resolve = async |id: &str, logins: &Logins| fixture.identities.resolve(id, logins).await;
    // Another's token, and another pool's.
    let crossed = resolve(&ann.identity_id, &presented(&bob)).await;
    assert!(matches!(crossed, Err(IdentityError::LoginsDoNotMatch)), "{crossed:?}");
    let elsewhere = fixture.identities.get_id(None, &other_pool.id, &presented(&ann)).await;
    assert!(elsewhere.unwrap_err().to_string().contains("audience"));
    // A token that any identity gets to show to others opens nothing, also one got with a developer's.
    for logins in [presented(&ann), fixture.logins(Some("carl"))] {
        let id = fixture.identities.get_id(None, &pool.id, &logins).await.unwrap();
        let shown = fixture.identities.open_id_token(GATE, &id, &logins).await.unwrap();
        let refused = resolve(&id, &presented(&shown)).await;
        assert!(matches!(refused, Err(IdentityError::UnsupportedProvider)), "{refused:?}");
    }
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let shown = fixture.identities.open_id_token(GATE, &guest, &Logins::default()).await.unwrap();
    assert!(matches!(resolve(&guest, &presented(&shown)).await, Err(IdentityError::UnsupportedProvider)));
    // Nor one that somebody else signed, or changed.
    let foreign = given(&[(SERVICE, &fixture.token("ann"))]);
    assert!(matches!(resolve(&ann.identity_id, &foreign).await, Err(IdentityError::Token(_))));
    // In the middle of its signature: the last characters of one do not count whole.
    let (before, rest) = ann.token.split_at(ann.token.len() - 100);
    let other = if rest.starts_with('A') { 'B' } else { 'A' };
    let changed = given(&[(SERVICE, &format!("{before}{other}{}", &rest[1..]))]);
    assert!(matches!(resolve(&ann.identity_id, &changed).await, Err(IdentityError::Token(_))));
}

#[tokio::test]
async fn the_table_of_logins_holds_for_a_developers_users_too() {
    let (fixture, pool) = start().await;
    let provider = fixture.provider();
    // A guest who signs in, with a public login beside.
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let public = fixture.token("ann");
    let both = [(PROVIDER, "ann"), (provider.as_str(), public.as_str())];
    let ann = token(&fixture, &pool, Some(&guest), &both).await.unwrap();
    assert_eq!(ann.identity_id, guest);
    assert_eq!(fixture.get_id(&pool, Some("ann")).await.unwrap(), guest);
    // Another guest who is ann is merged.
    let second = fixture.get_id(&pool, None).await.unwrap();
    let merged = token(&fixture, &pool, Some(&second), &[(PROVIDER, "ann")]).await.unwrap();
    assert_eq!(merged.identity_id, guest);
    // Knowing an id opens nothing, also through a back end that passes on what its app says.
    let bob = token(&fixture, &pool, None, &[(PROVIDER, "bob")]).await.unwrap();
    let registered = token(&fixture, &pool, Some(&guest), &[(PROVIDER, "bob")]).await;
    assert!(matches!(registered, Err(IdentityError::DeveloperUserRegistered)), "{registered:?}");
    let new = token(&fixture, &pool, Some(&guest), &[(PROVIDER, "mallory")]).await;
    assert!(matches!(new, Err(IdentityError::LoginsDoNotMatch)), "{new:?}");
    let mixed = token(&fixture, &pool, None, &[(PROVIDER, "bob"), both[1]]).await;
    assert!(matches!(mixed, Err(IdentityError::SeveralIdentities)), "{mixed:?}");
    assert_eq!(
        token(&fixture, &pool, None, &[(PROVIDER, "bob")]).await.unwrap().identity_id,
        bob.identity_id
    );
    // What is missing.
    let without = token(&fixture, &pool, None, &both[1..]).await;
    assert!(matches!(without, Err(IdentityError::NoDeveloperLogin)));
    let other = fixture.pool(true).await;
    let foreign = token(&fixture, &other, Some(&guest), &[(PROVIDER, "ann")]).await;
    assert!(matches!(foreign, Err(IdentityError::IdentityNotFound(_))), "{foreign:?}");
}

#[tokio::test]
async fn developers_users_are_looked_up_merged_and_unlinked() {
    let (fixture, pool) = start().await;
    let account = AccountId::DEFAULT;
    let identities = &fixture.identities;
    let provider = fixture.provider();
    let public = fixture.token("ann");
    let ann = token(&fixture, &pool, None, &[(PROVIDER, "ann"), (&provider, &public)]).await.unwrap();
    let bob = token(&fixture, &pool, None, &[(PROVIDER, "bob")]).await.unwrap();
    let (ann_id, bob_id) = (ann.identity_id.as_str(), bob.identity_id.as_str());
    let lookup = async |id: Option<&str>, user: Option<&str>, after: Option<&str>, limit: usize| {
        identities.lookup_developer_identity(account, &pool.id, (id, user), after, limit).await
    };
    let found = lookup(None, Some("bob"), None, 60).await.unwrap();
    assert_eq!((found.identity_id.as_str(), &found.users[..]), (bob_id, &["bob".to_owned()][..]));
    assert_eq!(lookup(Some(ann_id), None, None, 60).await.unwrap().users, ["ann"]);
    assert!(lookup(Some(ann_id), Some("ann"), None, 60).await.is_ok());
    let mismatch = lookup(Some(ann_id), Some("bob"), None, 60).await;
    assert!(matches!(mismatch, Err(IdentityError::DeveloperUserMismatch)));
    assert!(matches!(lookup(None, None, None, 60).await, Err(IdentityError::NeitherIdentityNorUser)));
    assert!(matches!(lookup(None, Some("x"), None, 60).await, Err(IdentityError::DeveloperUserNotFound(_))));

    let merge = async |from: &str, into: &str| {
        identities.merge_developer_identities(account, &pool.id, PROVIDER, (from, into)).await
    };
    assert_eq!(merge("bob", "ann").await.unwrap(), ann_id);
    assert_eq!(merge("bob", "ann").await.unwrap(), ann_id, "once more is no harm");
    let page = lookup(Some(ann_id), None, None, 1).await.unwrap();
    assert_eq!((&page.users[..], page.next.as_deref()), (&["ann".to_owned()][..], Some("ann")));
    let page = lookup(Some(ann_id), None, page.next.as_deref(), 1).await.unwrap();
    assert_eq!((&page.users[..], page.next), (&["bob".to_owned()][..], None));
    // A token made for the identity that was merged is one of the other's.
    assert_eq!(identities.resolve(bob_id, &presented(&bob)).await.unwrap().id, ann_id);
    assert!(matches!(identities.resolve(bob_id, &Logins::default()).await, Err(IdentityError::Forbidden(_))));
    // Two users of one public provider are two people.
    let carls = fixture.token("carl");
    token(&fixture, &pool, None, &[(PROVIDER, "carl"), (&provider, &carls)]).await.unwrap();
    assert!(matches!(merge("carl", "ann").await, Err(IdentityError::DifferentUsers(_))));

    let unlink = async |id: &str, user: &str| {
        identities.unlink_developer_identity(account, &pool.id, id, (PROVIDER, user)).await
    };
    assert!(matches!(unlink(ann_id, "carl").await, Err(IdentityError::DeveloperUserNotFound(_))));
    unlink(ann_id, "bob").await.unwrap();
    // A token that was made before opens nothing now, and does not link the user again.
    let stale = identities.resolve(ann_id, &presented(&bob)).await;
    assert!(matches!(stale, Err(IdentityError::LoginsDoNotMatch)), "{stale:?}");
    let stale = identities.get_id(None, &pool.id, &presented(&bob)).await;
    assert!(matches!(stale, Err(IdentityError::LoginsDoNotMatch)), "{stale:?}");
    let new = token(&fixture, &pool, None, &[(PROVIDER, "bob")]).await.unwrap();
    assert!(new.identity_id != bob.identity_id && new.identity_id != ann.identity_id);
    // An app does not unlink what is the developer's.
    let refused = identities.unlink(ann_id, &fixture.logins(Some("ann")), &[PROVIDER.to_owned()]).await;
    assert!(matches!(refused, Err(IdentityError::UnlinkByDeveloper(_))));
    unlink(ann_id, "ann").await.unwrap();
    assert!(
        !fixture.store.identity(ann_id).await.unwrap().unwrap().is_disabled(),
        "the public login is left"
    );
}
