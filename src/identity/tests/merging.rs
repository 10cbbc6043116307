//! Merging: what becomes of a guest, what the hook may say, and what an attacker gets from a merged id.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt;
use serde_json::json;

use super::{super::*, Fixture, fixture::verified};
use crate::store::identity::{IdentityStore, PoolRecord};

/// A pool whose merge hook is asked, an identity with a login, and a guest.
async fn with_hook(fixture: &Fixture) -> (Arc<PoolRecord>, String, String) {
    let pool = fixture.pool(true).await;
    let hook = (MERGE_HOOK_TAG.to_owned(), "ask-me".to_owned());
    fixture.change(&pool, |pool| pool.settings.tags.extend([hook.clone()])).await;
    let pool = fixture.pools.find(&pool.id).unwrap();
    let user = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    (pool, user, guest)
}

#[tokio::test]
async fn a_guest_who_signs_in_as_somebody_known_becomes_that_identity() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let new = [("idp", "ann"), ("other", "new")];
    // With a new login beside the known one: it is linked in the same moment.
    fixture.speak_for(&pool, &ann, &[(&fixture.provider(), "ann"), ("idp", "ann")]).await.unwrap();
    let merged = fixture.speak_for(&pool, &guest, &new).await.unwrap();
    assert_eq!(merged.id, ann);
    assert_eq!(fixture.get_id(&pool, Some("ann")).await.unwrap(), ann);
    assert_eq!(fixture.store.identity(&ann).await.unwrap().unwrap().logins.len(), 3);
    // The old id with these logins means the identity, from any device; also with further new ones.
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
    let more = [("other", "new"), ("third", "newer")];
    assert_eq!(fixture.speak_for(&pool, &guest, &more).await.unwrap().id, ann);
}

/// Whoever holds a merged guest's id, and nothing of the identity it became, tries everything there is.
#[tokio::test]
async fn a_merged_guest_id_alone_opens_nothing() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    fixture.get_id(&pool, Some("mallory")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);

    let identities = &fixture.identities;
    for (who, refusal) in
        [(None, "forbidden"), (Some("mallory"), "don't match"), (Some("nobody"), "don't match")]
    {
        let logins = fixture.logins(who);
        for error in [
            identities.credentials(&guest, &logins, None).await.unwrap_err(),
            identities.open_id_token("https://gate.example", &guest, &logins).await.unwrap_err(),
            identities.unlink(&guest, &logins, &[fixture.provider()]).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(refusal), "{who:?}: {error}");
        }
    }
    // Nor does the back end's word for a user of its own.
    let logins = [("login.app".to_owned(), "mallory".to_owned())];
    let request = DeveloperTokenRequest {
        pool_id: pool.id.clone(),
        identity_id: Some(guest.clone()),
        logins: BTreeMap::from(logins).into(),
        principal_tags: BTreeMap::new(),
        lifetime: developer::LIFETIME,
    };
    let refused = identities.developer_token("https://gate.example", pool.account, request).await;
    assert!(matches!(refused, Err(IdentityError::LoginsDoNotMatch)), "{refused:?}");
    // And nothing that was tried left a trace.
    assert_eq!(fixture.store.identity(&ann).await.unwrap().unwrap().logins.len(), 1);
    assert_eq!(fixture.get_id(&pool, Some("ann")).await.unwrap(), ann);
    assert!(!fixture.resolve(&guest, Some("ann")).await.unwrap().caller().amr.is_empty());
}

#[tokio::test]
async fn a_merged_id_whose_identity_lost_its_last_login_is_as_dead() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    fixture.resolve(&guest, Some("ann")).await.unwrap();
    fixture.identities.unlink(&guest, &fixture.logins(Some("ann")), &[fixture.provider()]).await.unwrap();
    for id in [&ann, &guest] {
        for who in [None, Some("ann"), Some("bob")] {
            let refused = fixture.resolve(id, who).await;
            assert!(
                matches!(refused, Err(IdentityError::Forbidden(_) | IdentityError::LoginsDoNotMatch)),
                "{id} {who:?}: {refused:?}"
            );
        }
    }
    // The login is new again.
    let again = fixture.get_id(&pool, Some("ann")).await.unwrap();
    assert!(again != ann && again != guest);
    // Deleting the identity deletes what it had become of others.
    fixture.identities.delete(pool.account, &[ann]).await;
    assert!(matches!(fixture.resolve(&guest, None).await, Err(IdentityError::IdentityNotFound(_))));
}

#[tokio::test]
async fn an_identity_with_twenty_logins_takes_guests_but_no_more_logins() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let names: Vec<String> = (0..20).map(|at| format!("p{at}")).collect();
    let logins: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "ann")).collect();
    let ann = fixture.identities.find_or_make(&pool, &verified(&logins[..10])).await.unwrap();
    fixture.speak_for(&pool, &ann, &[&logins[..1], &logins[10..]].concat()).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let over = fixture.speak_for(&pool, &guest, &[logins[0], ("p20", "ann")]).await;
    assert!(matches!(over, Err(IdentityError::TooManyLogins(20))), "{over:?}");
    assert!(fixture.resolve(&guest, None).await.is_ok(), "it is a guest still");
    assert_eq!(fixture.speak_for(&pool, &guest, &logins[..1]).await.unwrap().id, ann);
}

#[tokio::test]
async fn the_hook_is_told_who_meets_whom_and_decides() {
    let fixture = Fixture::start().await;
    let (pool, ann, guest) = with_hook(&fixture).await;
    fixture.hook.answers(Ok(json!({"decision": "refuse"})));
    let refused = fixture.resolve(&guest, Some("ann")).await;
    assert!(matches!(refused, Err(IdentityError::MergeRefused)), "{refused:?}");
    assert!(fixture.resolve(&guest, None).await.is_ok());
    let mut asked = fixture.hook.asked.lock().unwrap().pop().unwrap();
    let claims = asked.as_object_mut().unwrap().remove("claims").unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("ann"), &json!("client")));
    assert_eq!(
        asked,
        json!({
            "version": 1, "event": "IdentityMerge", "identityPoolId": pool.id, "from": guest, "into": ann,
            "login": fixture.provider(),
        })
    );

    fixture.hook.answers(Ok(json!({"decision": "keep"})));
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
    assert_eq!(fixture.resolve(&guest, None).await.unwrap().id, guest, "a guest of its own");

    fixture.hook.answers(Ok(json!({"decision": "merge", "and": "more"})));
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
    assert!(matches!(fixture.resolve(&guest, None).await, Err(IdentityError::Forbidden(_))));
    let asked = fixture.hook.asked.lock().unwrap().len();
    fixture.resolve(&guest, Some("ann")).await.unwrap();
    // What is merged is not asked about again, nor a guest who signs in as somebody new.
    let another = fixture.get_id(&pool, None).await.unwrap();
    fixture.resolve(&another, Some("bob")).await.unwrap();
    assert_eq!(fixture.hook.asked.lock().unwrap().len(), asked);
}

#[tokio::test]
async fn a_hook_that_fails_or_talks_nonsense_changes_nothing() {
    let fixture = Fixture::start().await;
    let (pool, ann, guest) = with_hook(&fixture).await;
    let before = fixture.store.identities(&pool.id, None, 10).await.unwrap();
    for answer in [
        json!(null),
        json!("merge"),
        json!({}),
        json!({"decision": "MERGE"}),
        json!({"decision": ["merge"]}),
        json!([{"decision": "merge"}]),
    ] {
        fixture.hook.answers(Ok(answer.clone()));
        let failed = fixture.resolve(&guest, Some("ann")).await;
        assert!(matches!(failed, Err(IdentityError::MergeHookFailed)), "{answer}: {failed:?}");
    }
    fixture.hook.answers(Err(HookError::Failed("it hangs".to_owned())));
    assert!(matches!(fixture.resolve(&guest, Some("ann")).await, Err(IdentityError::MergeHookFailed)));
    let over = crate::base::OverLimit::at_once("merge_hook_rate", 3);
    fixture.hook.answers(Err(HookError::Throttled(over.clone())));
    let throttled = fixture.resolve(&guest, Some("ann")).await;
    assert!(matches!(throttled, Err(IdentityError::HookThrottled(told)) if told == over));
    assert_eq!(fixture.store.identities(&pool.id, None, 10).await.unwrap(), before);
    assert_eq!(fixture.resolve(&ann, Some("ann")).await.unwrap().id, ann);
}

/// What the hook decided was about states that are no more: nothing is written, whatever it said.
#[tokio::test]
async fn a_change_while_the_hook_is_asked_is_a_conflict() {
    let fixture = Fixture::start().await;
    for decision in ["merge", "keep"] {
        let (pool, ann, guest) = with_hook(&fixture).await;
        fixture.hook.answers(Ok(json!({ "decision": decision })));
        let (store, user) = (fixture.store.clone(), ann.clone());
        let meanwhile = async move {
            let seen = store.identity(&user).await.unwrap().unwrap();
            let new = verified(&[("meanwhile", "ann")]).remove(0).login;
            let _ = store.link(&seen, &[new], super::ISSUED_AT).await.unwrap();
        };
        *fixture.hook.meanwhile.lock().unwrap() = Some(meanwhile.boxed());
        let lost = fixture.resolve(&guest, Some("ann")).await;
        assert!(matches!(lost, Err(IdentityError::Contended)), "{decision}: {lost:?}");
        assert!(fixture.resolve(&guest, None).await.is_ok());
        // Whoever comes again is asked about again.
        assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
        assert_eq!(fixture.hook.asked.lock().unwrap().len(), 2);
        fixture.hook.asked.lock().unwrap().clear();
        fixture.pools.delete(pool.account, &pool.id).await.unwrap();
    }
}

/// A hook that calls the gateway back, even about the very guest, waits for nobody: nothing is held while it is asked.
#[tokio::test]
async fn a_hook_may_call_back() {
    let fixture = Fixture::start().await;
    let (_, ann, guest) = with_hook(&fixture).await;
    fixture.hook.answers(Ok(json!({"decision": "merge"})));
    let (identities, id, logins) = (fixture.identities.clone(), guest.clone(), fixture.logins(Some("ann")));
    let meanwhile = async move {
        // The hook is asked about this too; it is merged when the first answer comes.
        identities.resolve(&id, &logins).await.unwrap();
    };
    *fixture.hook.meanwhile.lock().unwrap() = Some(meanwhile.boxed());
    let lost = fixture.resolve(&guest, Some("ann")).await;
    assert!(matches!(lost, Err(IdentityError::Contended)), "{lost:?}");
    assert_eq!(fixture.resolve(&guest, Some("ann")).await.unwrap().id, ann);
    assert_eq!(fixture.hook.asked.lock().unwrap().len(), 2);
}
