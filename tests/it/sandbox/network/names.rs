//! The resolver, asked from inside.

use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::{
    in_a_world,
    jailed::{Gateway, addresses},
    world::{OTHER, PORT, PUBLIC, SECOND_PORT},
};

/// Names of the Internet are found; those that lead inside are not.
pub async fn names_lead_to_public_addresses(gateway: Gateway) {
    let mut jailed = gateway.sandbox(10, "internet").await;
    let found = jailed.looks_up("public.example.com.", RecordType::A).await.unwrap();
    assert_eq!((found.metadata.id, addresses(&found)), (4711, vec![PUBLIC.to_owned()]));
    for name in ["rebind.example.com.", "mixed.example.com."] {
        let found = jailed.looks_up(name, RecordType::A).await.unwrap();
        assert_eq!(found.metadata.response_code, ResponseCode::Refused, "{name}");
        assert!(found.answers.is_empty(), "{name}");
    }
    let ipv6 = jailed.looks_up("public.example.com.", RecordType::AAAA).await.unwrap();
    assert_eq!((ipv6.metadata.response_code, ipv6.answers.len()), (ResponseCode::NoError, 0));
    // Too long for a packet, with the host's resolver and with us.
    let many = jailed.looks_up("many.example.com.", RecordType::A).await.unwrap();
    assert!(many.metadata.truncation && many.answers.is_empty());
    let many = jailed.looks_up_by_tcp("many.example.com.", RecordType::A).await.unwrap();
    assert_eq!(addresses(&many).len(), 150);
    // A question that says it is longer than any may be.
    assert_eq!(jailed.tries(&format!("dnstcp {} 1", "00".repeat(600))).await, "closed");
}

/// An allow-list's names alone are found, and what they stand for is open from then on.
pub async fn an_allow_list_opens_what_its_names_stand_for(gateway: Gateway) {
    let mut jailed = gateway.sandbox(11, &format!("other.example.com:{PORT}")).await;
    let refused = format!("E{}", libc::ECONNREFUSED);
    assert_eq!(jailed.tries(&format!("tcp {OTHER} {PORT}")).await, refused);
    let unknown = jailed.looks_up("public.example.com.", RecordType::A).await.unwrap();
    assert_eq!(unknown.metadata.response_code, ResponseCode::Refused);
    let found = jailed.looks_up("Other.Example.com.", RecordType::A).await.unwrap();
    assert_eq!(addresses(&found), [OTHER]);
    assert_eq!(jailed.tries(&format!("tcp {OTHER} {PORT}")).await, "ok");
    for closed in [format!("tcp {OTHER} {SECOND_PORT}"), format!("tcp {PUBLIC} {PORT}")] {
        assert_eq!(jailed.tries(&closed).await, refused, "{closed}");
    }
    assert_eq!(jailed.tries(&format!("udp {OTHER} {PORT}")).await, format!("E{}", libc::EPERM));
}

/// Without a network there are no names.
pub async fn none_has_no_names(gateway: Gateway) {
    let mut jailed = gateway.sandbox(12, "none").await;
    let found = jailed.looks_up("public.example.com.", RecordType::A).await.unwrap();
    assert_eq!(found.metadata.response_code, ResponseCode::Refused);
}

/// Garbage does not hurt, a flood is bounded, and after both the resolver answers.
pub async fn the_resolver_bears_garbage_and_floods(gateway: Gateway) {
    let mut jailed = gateway.sandbox(13, "internet").await;
    for garbage in ["00", "ffff", &"00".repeat(11), &"ff".repeat(600)] {
        // No question: no answer.
        assert_eq!(jailed.tries(&format!("dns {garbage} 0")).await, "timeout", "{garbage}");
    }
    for garbage in [
        "12340100000100000000000003777777",
        "1234010000010000000000000c00010001c00c",
        &"1234010000ff".repeat(100),
    ] {
        let said = jailed.tries(&format!("dns {garbage} 1")).await;
        assert!(said.starts_with("1234") && said.ends_with("0000000000000000"), "{garbage}: {said}");
    }
    let question =
        "0001010000010000000000000670 75626c6963076578616d706c6503636f6d0000010001".replace(' ', "");
    let answers: u32 = jailed.tries(&format!("dns {question} 5000")).await.parse().unwrap();
    assert!((1..2_500).contains(&answers), "{answers}");
    // While the answers were counted, tokens have come back, and every question that was open has ended.
    let again = jailed.looks_up("public.example.com.", RecordType::A).await.unwrap();
    assert_eq!(addresses(&again), [PUBLIC]);
}

#[test]
fn by_the_bridge_names_lead_to_public_addresses() {
    in_a_world(names_lead_to_public_addresses);
}

#[test]
fn by_the_bridge_an_allow_list_opens_what_its_names_stand_for() {
    in_a_world(an_allow_list_opens_what_its_names_stand_for);
}

#[test]
fn by_the_bridge_none_has_no_names() {
    in_a_world(none_has_no_names);
}

#[test]
fn by_the_bridge_the_resolver_bears_garbage_and_floods() {
    in_a_world(the_resolver_bears_garbage_and_floods);
}
