//! What each role is answered, for every operation there is.

use std::collections::BTreeSet;

use http::StatusCode;

use super::{
    requests::{Asked, FUNCTION, all, making, unmaking},
    stand::{Answer, Guest, Stand},
};
use crate::{
    api::{Access, Door, Protocol, Service, lambda::invoke},
    base::AccountId,
};

/// The protocol's own form of an error's name.
fn named(service: Service, name: &str) -> String {
    match service.protocol() {
        Protocol::Query => name.to_owned(),
        Protocol::RestJson | Protocol::Json => format!("{name}Exception"),
    }
}

/// Makes what the requests are about, as root; each request has to succeed.
async fn make(stand: &Stand, requests: &[Asked]) {
    for asked in requests.iter().filter(|asked| !asked.refuses_root()) {
        stand.root(asked).await;
        // A change that is on its way refuses the next.
        stand.gateway.gate.functions.settle(AccountId::DEFAULT, "greet").await.unwrap();
    }
}

#[tokio::test]
async fn root_may_do_everything_there_is() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    make(&stand, &all(&guest)).await;
    let asked: BTreeSet<_> =
        all(&guest).iter().map(|asked| (asked.spec.service.scope(), asked.spec.name)).collect();
    let entries = stand.gateway.gate.routes.entries();
    let mut there: BTreeSet<_> =
        entries.map(|entry| (entry.spec().service.scope(), entry.spec().name)).collect();
    there.insert((Service::Lambda.scope(), invoke::MEMBERS.operation));
    assert_eq!(asked, there, "these tests ask for every operation of the route table");
}

#[tokio::test]
async fn who_does_not_sign_is_served_what_is_public_and_nothing_else() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    make(&stand, &making(&guest)).await;
    let before = stand.changes().await;
    for asked in all(&guest) {
        let answer = stand.ask(None, &asked).await;
        if asked.spec.access == Access::Public {
            assert_eq!(answer.status, StatusCode::OK, "{}: {answer:?}", asked.spec.name);
        } else {
            let code = named(asked.spec.service, "MissingAuthenticationToken");
            assert!(answer.status.is_client_error(), "{}: {answer:?}", asked.spec.name);
            assert_eq!(answer.code, code, "{}", asked.spec.name);
        }
    }
    assert_eq!(stand.changes().await, before, "nothing was written");
}

#[tokio::test]
async fn a_key_that_is_not_known_opens_nothing_that_is_signed() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    let mut forged = stand.root.clone();
    forged.access_key_id = "AKIANOBODYKNOWSTHIS0".to_owned();
    for asked in all(&guest).iter().filter(|asked| asked.spec.access != Access::Public) {
        let answer = stand.ask(Some(&forged), asked).await;
        let code = match asked.spec.service.protocol() {
            Protocol::Query => "InvalidClientTokenId",
            Protocol::RestJson | Protocol::Json => "UnrecognizedClientException",
        };
        assert_eq!(answer.code, code, "{}: {answer:?}", asked.spec.name);
    }
}

/// What a guest is answered for each operation that needs a permission.
async fn refusals(stand: &Stand, guest: &Guest) -> Vec<(&'static str, Answer)> {
    let mut refusals = Vec::new();
    for asked in all(guest) {
        let mut answer = stand.ask(Some(&guest.credentials), &asked).await;
        if asked.refuses_sessions() {
            assert_eq!(answer.code, "AccessDenied", "{}: {answer:?}", asked.spec.name);
            continue;
        }
        let Access::Permitted { action } = asked.spec.access else {
            assert_eq!(answer.status, StatusCode::OK, "{}: {answer:?}", asked.spec.name);
            continue;
        };
        let status = match asked.spec.service.protocol() {
            Protocol::Json => StatusCode::BAD_REQUEST,
            Protocol::RestJson | Protocol::Query => StatusCode::FORBIDDEN,
        };
        assert_eq!(answer.status, status, "{}: {answer:?}", asked.spec.name);
        assert_eq!(answer.code, named(asked.spec.service, "AccessDenied"), "{}", asked.spec.name);
        assert!(answer.body.contains(action), "{}: {answer:?}", asked.spec.name);
        if let Some((before, _)) = answer.body.split_once("<RequestId>") {
            answer.body = before.to_owned();
        }
        refusals.push((asked.spec.name, answer));
    }
    refusals
}

#[tokio::test]
async fn a_guest_is_refused_all_management_and_learns_nothing_of_what_exists() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    let before = stand.changes().await;
    let nothing_there = refusals(&stand, &guest).await;
    assert_eq!(stand.changes().await, before, "nothing was written");
    make(&stand, &making(&guest)).await;
    let before = stand.changes().await;
    let all_there = refusals(&stand, &guest).await;
    assert_eq!(stand.changes().await, before, "nothing was written");
    assert_eq!(nothing_there, all_there);
}

#[tokio::test]
async fn a_guest_may_call_what_is_tagged_for_guests() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    make(&stand, &making(&guest)).await;
    let tags = serde_json::json!({"Resource": FUNCTION, "Tags": {"callgate:allow": "guests"}});
    stand.root(&Asked::lambda("TagResource", tags)).await;
    let requests = making(&guest);
    let invoke = requests.iter().find(|asked| asked.spec.name == "Invoke").unwrap();
    assert_eq!(stand.ask(Some(&guest.credentials), invoke).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn another_accounts_root_reaches_nothing_of_this_one() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    make(&stand, &making(&guest)).await;
    let stranger = stand.stranger("111111111111").await;
    let before = stand.changes().await;
    for asked in all(&guest) {
        if !matches!(asked.spec.access, Access::Permitted { .. }) && !asked.refuses_root() {
            continue;
        }
        if asked.creates() && asked.spec.service != Service::Lambda {
            // It makes something of its own, which is no business of this test's.
            continue;
        }
        let answer = stand.ask(Some(&stranger), &asked).await;
        if asked.lists() {
            assert_eq!(answer.status, StatusCode::OK, "{}: {answer:?}", asked.spec.name);
            for ours in ["greet", "guests", "idp.example", &guest.pool] {
                assert!(!answer.body.contains(ours), "{}: {answer:?}", asked.spec.name);
            }
        } else {
            assert!(answer.status.is_client_error(), "{}: {answer:?}", asked.spec.name);
        }
    }
    assert_eq!(stand.changes().await, before, "nothing was written");
    // All of it is still there.
    make(&stand, &unmaking(&guest)).await;
}

#[tokio::test]
async fn the_data_door_serves_no_management_to_anyone() {
    let stand = Stand::new().await;
    let guest = stand.guest().await;
    make(&stand, &making(&guest)).await;
    let before = stand.changes().await;
    for asked in all(&guest) {
        for who in [None, Some(&stand.root)] {
            let answer = stand.ask_data_door(who, &asked).await;
            match asked.spec.door {
                Door::Management => {
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}: {answer:?}", asked.spec.name);
                    assert_eq!(answer.code, "UnknownOperationException", "{}", asked.spec.name);
                }
                Door::Data if who.is_some() && asked.refuses_root() => {
                    assert_eq!(
                        Some(&*answer.code),
                        asked.refusal_of_root(),
                        "{}: {answer:?}",
                        asked.spec.name
                    );
                }
                Door::Data if who.is_some() || asked.spec.access == Access::Public => {
                    assert!(answer.status.is_success(), "{}: {answer:?}", asked.spec.name);
                }
                Door::Data => assert!(answer.status.is_client_error(), "{}: {answer:?}", asked.spec.name),
            }
        }
    }
    assert_eq!(stand.changes().await, before, "nothing was written");
}
