//! What is known of a request the moment it arrives, before anything is asked of anyone.

use std::{net::IpAddr, time::Duration};

use http::HeaderMap;

use super::{gate::Gate, proxy, server::Peer};
use crate::base::{RequestId, Timestamp};

/// A request's arrival.
#[derive(Debug)]
pub struct Arrival {
    /// Its id, which every answer carries.
    pub id: RequestId,
    /// When it came.
    pub at: Timestamp,
    /// When it came, on the clock that never runs backwards.
    pub began: Duration,
    /// The client's address: the connection's, or what a trusted proxy says it is.
    pub source: IpAddr,
    /// Whether the client's connection is encrypted, to us or to a trusted proxy.
    pub secure: bool,
}

impl Arrival {
    /// Notes the arrival.
    pub fn note(gate: &Gate, peer: Peer, headers: &HeaderMap) -> Self {
        let client = proxy::source(peer.address.ip(), peer.tls, headers, &gate.trusted_proxies);
        Self {
            id: RequestId::draw(&*gate.rng),
            at: gate.clock.now(),
            began: gate.clock.monotonic(),
            source: client.address,
            secure: client.secure,
        }
    }
}
