//! Names to addresses, with the addresses that may not be reached left out.
//!
//! The check is made on the very addresses that are then connected to, so that a name which answers differently the second
//! time it is asked gains nothing.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Allowed, is_public};

/// Which addresses a client may connect to.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// Public ones and those that configuration lists.
    Public(Arc<[Allowed]>),
    /// This machine's own.
    Loopback,
}

impl Rule {
    /// Whether `host`, known to be at `address`, may be connected to.
    pub(super) fn admits(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Loopback => address.to_canonical().is_loopback(),
            Self::Public(allowed) => {
                is_public(address)
                    || allowed.iter().any(|entry| match entry {
                        Allowed::Network(network) => network.contains(address),
                        Allowed::Host(name) => name.eq_ignore_ascii_case(host),
                    })
            }
        }
    }
}

/// None of a host's addresses may be reached.
#[derive(Debug, thiserror::Error)]
#[error("{host} has no address that may be reached")]
pub(super) struct Forbidden {
    host: String,
}

/// The system's resolver under a rule.
#[derive(Clone, Debug)]
pub(super) struct Filter(pub(super) Rule);

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            // The port is put in by the connector.
            let found = tokio::net::lookup_host((host, 0)).await?;
            let admitted: Vec<SocketAddr> = found.filter(|address| rule.admits(host, address.ip())).collect();
            if admitted.is_empty() {
                return Err(Forbidden { host: host.to_owned() }.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}
