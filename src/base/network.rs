//! IP networks, as configuration names proxies and addresses.

use std::{fmt, net::IpAddr, str::FromStr};

/// An IP address or a network of them (RFC 4632), such as `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// The network of the addresses that begin with the first `prefix_bits` of this one. A prefix longer than the address is
    /// all of it.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Self {
        Self { address, prefix_bits: prefix_bits.min(width(address)) }
    }

    /// The address that it was named by.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The bits of its prefix.
    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// Whether `address` lies in it. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let shared = |ours: u128, theirs: u128, width: u8| {
            // Shifting out all 128 bits would overflow; a prefix of no bits contains everything.
            u32::from(width - self.prefix_bits) == 128 || {
                let dropped = width - self.prefix_bits;
                (ours >> dropped) == (theirs >> dropped)
            }
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                shared(u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => shared(ours.to_bits(), theirs.to_bits(), 128),
            _ => false,
        }
    }
}

/// An address's length in bits.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A text that is no address and no network.
#[derive(Debug, thiserror::Error)]
#[error("not an IP address or network")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let width = width(address);
        let prefix_bits = match prefix {
            None => width,
            Some(prefix) => prefix.parse().ok().filter(|bits| *bits <= width).ok_or(InvalidNetwork)?,
        };
        Ok(Self { address, prefix_bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("10.1.0.0/16", "::ffff:10.1.0.1", "10.2.0.0"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:128.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_network_contains_the_addresses_that_share_its_prefix(
            base in any::<u32>(), other in any::<u32>(), bits in 0_u8..=32,
        ) {
            let network = Network::new(IpAddr::V4(base.into()), bits);
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), base & mask == other & mask);
        }
    }
}
