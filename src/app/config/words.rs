//! Types that only the configuration has: networks, URLs, origins and words.

use std::{fmt, net::IpAddr, str::FromStr};

use super::field::{Field, Given, Item, quote};
use crate::base::Region;

/// An IP address or a network of them (RFC 4632), such as `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
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
        let width = if address.is_ipv4() { 32 } else { 128 };
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

impl Field for Network {
    const KIND: &'static str = "an IP address or a network such as 10.0.0.0/8";

    fn read(given: &Given<'_>) -> Option<Self> {
        given.text()?.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Item for Network {
    const LIST: &'static str = "a list of IP addresses and networks such as 10.0.0.0/8";
}

/// The base of links: `https://host` or `http://host:port`, without a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| Self(url.origin().ascii_serialization()))
    }
}

impl Field for BaseUrl {
    const KIND: &'static str =
        "an http or https URL of a host without a path, such as https://gate.example.com";

    fn read(given: &Given<'_>) -> Option<Self> {
        Self::parse(given.text()?)
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.0))
    }
}

/// A web origin that browsers may call from, or `*` for any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Every origin.
    Any,
    /// This one, as browsers send it.
    Exactly(String),
}

impl Field for Origin {
    const KIND: &'static str = "an origin such as https://app.example.com, or *";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given.text()? {
            "*" => Some(Self::Any),
            text => BaseUrl::parse(text).map(|BaseUrl(origin)| Self::Exactly(origin)),
        }
    }

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::Any => quote("*"),
            Self::Exactly(origin) => quote(origin),
        })
    }
}

impl Item for Origin {
    const LIST: &'static str = "a list of origins such as https://app.example.com, or *";
}

impl Field for Region {
    const KIND: &'static str = "a region's name such as us-east-1";

    fn read(given: &Given<'_>) -> Option<Self> {
        let text = given.text()?;
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        fits.then(|| Self::new(text))
    }

    fn show(&self) -> Option<String> {
        Some(quote(self.as_str()))
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

    #[test]
    fn a_base_url_has_a_host_and_nothing_after_it() {
        let read = |text| BaseUrl::read(&Given::Text(text)).map(|url| url.as_str().to_owned());
        assert_eq!(read("https://Gate.Example.com:443/").as_deref(), Some("https://gate.example.com"));
        assert_eq!(read("http://127.0.0.1:7070").as_deref(), Some("http://127.0.0.1:7070"));
        for bad in
            ["gate.example.com", "ftp://a", "https://a/b", "https://u:p@a", "https://a?b", "https://a#b", ""]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_network_contains_the_addresses_that_share_its_prefix(
            base in any::<u32>(), other in any::<u32>(), bits in 0_u8..=32,
        ) {
            let network = Network { address: IpAddr::V4(base.into()), prefix_bits: bits };
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), base & mask == other & mask);
        }
    }
}
