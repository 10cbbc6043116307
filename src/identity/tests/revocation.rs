//! Every exchange for something newer, after a revocation and after a guest's first login.

use std::time::Duration;

use super::*;
use crate::{base::Clock, revocation::Scope};

async fn revoke(fixture: &Fixture, scope: Scope) {
    fixture.revocations.revoke(AccountId::DEFAULT, scope, false).await.unwrap();
}

#[tokio::test]
async fn an_old_login_is_no_way_back_on_any_exchange_and_a_new_one_is() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let old = fixture.logins(Some("ann"));
    let ann = fixture.identities.get_id(None, &pool.id, &old).await.unwrap();
    for scope in [
        Scope::Pool { pool_id: pool.id.clone() },
        Scope::Provider { pool_id: pool.id.clone(), provider: fixture.provider() },
        Scope::Identity { identity_id: ann.clone() },
    ] {
        let old = fixture.logins(Some("ann"));
        let with_old = fixture.identities.credentials(&ann, &old, None).await;
        assert!(with_old.is_ok(), "{scope}: {with_old:?}");
        revoke(&fixture, scope.clone()).await;
        let refused =
            |answer: Result<()>| assert!(matches!(answer, Err(IdentityError::Revoked(_))), "{scope}");
        refused(fixture.identities.get_id(None, &pool.id, &old).await.map(drop));
        refused(fixture.identities.resolve(&ann, &old).await.map(drop));
        refused(fixture.identities.credentials(&ann, &old, None).await.map(drop));
        refused(fixture.identities.open_id_token("https://gate", &ann, &old).await.map(drop));
        refused(fixture.identities.invoke_token("https://gate", &ann, &old).await.map(drop));
        fixture.clock.advance(Duration::from_secs(1));
        let new = fixture.logins(Some("ann"));
        assert_eq!(fixture.identities.get_id(None, &pool.id, &new).await.unwrap(), ann, "{scope}");
    }
}

#[tokio::test]
async fn a_revoked_provider_refuses_new_identities_of_old_logins_too() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let old = fixture.logins(Some("bob"));
    revoke(&fixture, Scope::Provider { pool_id: pool.id.clone(), provider: fixture.provider() }).await;
    let answer = fixture.identities.get_id(None, &pool.id, &old).await;
    assert!(matches!(answer, Err(IdentityError::Revoked(_))), "{answer:?}");
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let answer = fixture.identities.resolve(&guest, &old).await;
    assert!(matches!(answer, Err(IdentityError::Revoked(_))), "{answer:?}");
    assert!(fixture.resolve(&guest, None).await.is_ok(), "the guest is as it was");
}

#[tokio::test]
async fn a_first_login_and_a_merge_end_what_the_guest_had() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let (planted, other) =
        (fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap());
    let ended = |id: &str| {
        fixture.revocations.ends_identity(
            &pool.id,
            id,
            &[],
            fixture.clock.now().plus(Duration::from_secs(60)),
        )
    };
    assert!(!ended(&planted) && !ended(&other));
    fixture.resolve(&planted, Some("ann")).await.unwrap();
    assert!(ended(&planted) && !ended(&other));
    // The other guest is merged into Ann's.
    assert_eq!(fixture.resolve(&other, Some("ann")).await.unwrap().id, planted);
    assert!(ended(&other));
    assert!(!fixture.revocations.ends_identity(
        &pool.id,
        &planted,
        &[fixture.provider()],
        fixture.clock.now()
    ));
}

#[tokio::test]
async fn an_invoke_token_needs_the_pools_tag() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let refused = fixture.identities.invoke_token("https://gate", &guest, &Logins::default()).await;
    assert!(matches!(refused, Err(IdentityError::BearerOff)), "{refused:?}");
}

#[tokio::test]
async fn an_old_login_unlinks_nothing() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let old = fixture.logins(Some("ann"));
    let ann = fixture.identities.get_id(None, &pool.id, &old).await.unwrap();
    revoke(&fixture, Scope::Identity { identity_id: ann.clone() }).await;
    let providers = [fixture.provider()];
    let refused = fixture.identities.unlink(&ann, &old, &providers).await;
    assert!(matches!(refused, Err(IdentityError::Revoked(_))), "{refused:?}");
    fixture.clock.advance(Duration::from_secs(1));
    fixture.identities.unlink(&ann, &fixture.logins(Some("ann")), &providers).await.unwrap();
}
