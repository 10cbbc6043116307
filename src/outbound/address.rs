//! Which addresses a request on somebody's word may reach.
//!
//! The registries are IANA's special-purpose address registries for IPv4 and IPv6: what they do not mark as globally
//! reachable is not public here, nor is anything that carries an IPv4 address inside an IPv6 one.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use crate::base::{Network, special::is_public_v4};

/// Whether an address belongs to the public Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |network: [u16; 8], bits: u8| Network::new(IpAddr::from(network), bits).contains(address.into());
    // Only global unicast is handed out; of it, protocol assignments (Teredo among them), documentation and 6to4 are not.
    within([0x2000, 0, 0, 0, 0, 0, 0, 0], 3)
        && !(within([0x2001, 0, 0, 0, 0, 0, 0, 0], 23)
            || within([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32)
            || within([0x2002, 0, 0, 0, 0, 0, 0, 0], 16)
            || within([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20))
}

/// An exception to "public addresses only", as configuration lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Any host at these addresses: `10.1.2.3` or `10.1.0.0/16`.
    Network(Network),
    /// This host, wherever its name leads.
    Host(String),
}

/// An entry of `outbound.allowed` that is neither.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither an address, nor a block such as 10.1.0.0/16, nor a host's name")]
pub struct InvalidAllowed(String);

impl FromStr for Allowed {
    type Err = InvalidAllowed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAllowed(text.chars().take(256).collect());
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        match url::Host::parse(text) {
            Ok(url::Host::Domain(name)) => Ok(Self::Host(name)),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_addresses_are_not_public_whatever_they_are_dressed_as() {
        for inside in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn outside_addresses_are_public_up_to_the_edge_of_each_block() {
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::1",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn a_listed_block_is_one() {
        for block in ["10.1.0.0/16", "10.1.2.3", "fd00::/8"] {
            assert_eq!(
                block.parse::<Allowed>().unwrap(),
                Allowed::Network(block.parse().unwrap()),
                "{block}"
            );
        }
    }

    #[test]
    fn entries_that_mean_nothing_are_refused() {
        for bad in ["", "10.0.0.0/33", "10.0.0.0/x", "fd00::/129", "http://idp", "a b", "idp:443", "10.0.0/8"]
        {
            assert!(bad.parse::<Allowed>().is_err(), "{bad:?}");
        }
        assert_eq!("IdP.Example".parse::<Allowed>().unwrap(), Allowed::Host("idp.example".to_owned()));
    }
}
