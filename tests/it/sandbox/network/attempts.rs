//! Attempts to connect, by every way that function code has.

use super::{
    in_a_world,
    jailed::{Gateway, Jailed},
    world::{HOST, HOST_PORT, HOST_PUBLIC, INSIDE, OTHER, PORT, PUBLIC, SECOND_PORT},
};

/// Ways to force a packet out, past routes.
const TCP_WAYS: [&str; 3] = ["plain", "device", "unicast"];
const UDP_WAYS: [&str; 4] = ["plain", "device", "unicast", "pktinfo"];

/// What an attempt that the filter refuses comes to: refused (TCP), not permitted (UDP), or no way at all.
fn is_refused(said: &str) -> bool {
    let refusals = [
        libc::ECONNREFUSED,
        libc::EPERM,
        libc::EACCES,
        libc::ENETUNREACH,
        libc::EHOSTUNREACH,
        libc::EADDRNOTAVAIL,
        libc::EINVAL,
        // Without an uplink there is no such interface.
        libc::ENODEV,
    ];
    refusals.iter().any(|errno| said == format!("E{errno}"))
}

async fn reaches(jailed: &mut Jailed, address: &str, port: u16) {
    for way in TCP_WAYS {
        assert_eq!(
            jailed.tries(&format!("tcp {address} {port} {way}")).await,
            "ok",
            "tcp {address}:{port} {way}"
        );
    }
    for way in UDP_WAYS {
        assert_eq!(
            jailed.tries(&format!("udp {address} {port} {way}")).await,
            "ok",
            "udp {address}:{port} {way}"
        );
    }
}

async fn is_kept_from(jailed: &mut Jailed, address: &str, port: u16) {
    for (transport, ways) in [("tcp", &TCP_WAYS[..]), ("udp", &UDP_WAYS[..])] {
        for way in ways {
            let said = jailed.tries(&format!("{transport} {address} {port} {way}")).await;
            assert!(is_refused(&said), "{transport} {address}:{port} {way}: {said}");
        }
    }
}

/// The public Internet, and nothing else.
pub async fn internet_is_public_addresses(gateway: Gateway) {
    let mut jailed = gateway.sandbox(1, "internet").await;
    for address in [PUBLIC, OTHER] {
        reaches(&mut jailed, address, PORT).await;
    }
    for address in INSIDE {
        is_kept_from(&mut jailed, address, PORT).await;
        is_kept_from(&mut jailed, &format!("::ffff:{address}"), PORT).await;
    }
    // The host by each of its addresses: on the cable, another, the bridge's, slirp4netns's ways to its loopback and names.
    for address in [HOST, HOST_PUBLIC, "100.64.0.1", "10.0.2.2", "10.0.2.3"] {
        is_kept_from(&mut jailed, address, HOST_PORT).await;
    }
    // These are the sandbox's own loopback, where nobody listens.
    for address in ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1"] {
        for transport in ["tcp", "udp"] {
            let said = jailed.tries(&format!("{transport} {address} {HOST_PORT}")).await;
            assert!(is_refused(&said), "{transport} {address}: {said}");
        }
    }
    is_kept_from(&mut jailed, "255.255.255.255", PORT).await;
    is_kept_from(&mut jailed, "224.0.0.1", PORT).await;
    for ipv6 in ["2606:4700::1111", "fd12::9", "fe80::1", "ff02::1", "64:ff9b::a09:909"] {
        is_kept_from(&mut jailed, ipv6, PORT).await;
    }
}

/// Nothing.
pub async fn none_is_nothing(gateway: Gateway) {
    let mut jailed = gateway.sandbox(2, "none").await;
    for address in [PUBLIC, INSIDE[0], HOST, HOST_PUBLIC] {
        is_kept_from(&mut jailed, address, PORT).await;
        is_kept_from(&mut jailed, address, HOST_PORT).await;
    }
}

/// Exactly the places of an allow-list.
pub async fn an_allow_list_is_its_places(gateway: Gateway) {
    let mut jailed = gateway.sandbox(3, &format!("{PUBLIC}:{PORT} {OTHER}:{SECOND_PORT}/udp")).await;
    for way in TCP_WAYS {
        assert_eq!(jailed.tries(&format!("tcp {PUBLIC} {PORT} {way}")).await, "ok", "{way}");
    }
    for way in UDP_WAYS {
        assert_eq!(jailed.tries(&format!("udp {OTHER} {SECOND_PORT} {way}")).await, "ok", "{way}");
    }
    is_kept_from(&mut jailed, PUBLIC, SECOND_PORT).await;
    is_kept_from(&mut jailed, OTHER, PORT).await;
    for (transport, address, port) in [("udp", PUBLIC, PORT), ("tcp", OTHER, SECOND_PORT)] {
        let said = jailed.tries(&format!("{transport} {address} {port}")).await;
        assert!(is_refused(&said), "{transport} {address}:{port}: {said}");
    }
    for address in INSIDE.iter().chain(&[HOST, HOST_PUBLIC]) {
        is_kept_from(&mut jailed, address, PORT).await;
    }
}

/// Not each other.
pub async fn siblings_are_strangers(gateway: Gateway) {
    let mut one = gateway.sandbox(4, "internet").await;
    let other = gateway.sandbox(5, "internet").await;
    let sibling = other.attached.as_ref().unwrap().source().to_string();
    for port in [PORT, 53, callgate::sandbox::network::API_PORT] {
        is_kept_from(&mut one, &sibling, port).await;
    }
    reaches(&mut one, PUBLIC, PORT).await;
    drop(other);
}

/// Rules and links are out of function code's hands.
pub async fn walls_cannot_be_moved(gateway: Gateway) {
    let mut jailed = gateway.sandbox(6, "internet").await;
    let denied = format!("E{}", libc::EPERM);
    for attempt in ["raw", "packet", "flush", "down"] {
        let said = jailed.tries(attempt).await;
        // Some kernels have no packet sockets at all.
        assert!(said == denied || said == format!("E{}", libc::EAFNOSUPPORT), "{attempt}: {said}");
    }
    // The resolver's port, on another address of loopback.
    assert_eq!(jailed.tries("port53").await, format!("E{}", libc::EACCES));
    is_kept_from(&mut jailed, INSIDE[0], PORT).await;
}

/// The API is there in every mode, and knows who calls.
pub async fn the_api_knows_its_callers(mut gateway: Gateway) {
    for (number, egress) in [(7, "internet"), (8, "none"), (9, "a.example.com:443")] {
        let mut jailed = gateway.sandbox(number, egress).await;
        let source = jailed.attached.as_ref().unwrap().source();
        let served = async {
            let connection = gateway.connections.recv().await.unwrap();
            assert_eq!(connection.source.ip(), source);
            connection.stream.writable().await.unwrap();
            assert_eq!(connection.stream.try_write(b"!").unwrap(), 1);
        };
        let (said, ()) = tokio::join!(jailed.tries("tcp 127.0.0.1 9001"), served);
        assert_eq!(said, "ok", "{egress}");
    }
}

#[test]
fn by_the_bridge_internet_is_public_addresses() {
    in_a_world(internet_is_public_addresses);
}

#[test]
fn by_the_bridge_none_is_nothing() {
    in_a_world(none_is_nothing);
}

#[test]
fn by_the_bridge_an_allow_list_is_its_places() {
    in_a_world(an_allow_list_is_its_places);
}

#[test]
fn by_the_bridge_siblings_are_strangers() {
    in_a_world(siblings_are_strangers);
}

#[test]
fn by_the_bridge_walls_cannot_be_moved() {
    in_a_world(walls_cannot_be_moved);
}

#[test]
fn by_the_bridge_the_api_knows_its_callers() {
    in_a_world(the_api_knows_its_callers);
}
