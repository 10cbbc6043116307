//! Where a function may connect to.

use std::{fmt, net::Ipv4Addr, str::FromStr, sync::Arc};

use super::special::is_public_v4;

/// The tag that says it of one function.
pub const EGRESS_TAG: &str = "callgate:network";

/// Where a function may connect to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Egress {
    /// To public IPv4 addresses, and to nothing else.
    #[default]
    Internet,
    /// To nothing.
    Nothing,
    /// To these places alone.
    Places(Arc<[Place]>),
}

/// A place of an allow-list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// How it is spoken to.
    pub transport: Transport,
}

/// A host of an allow-list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Host {
    /// A public address.
    Address(Ipv4Addr),
    /// A name of at least two labels, in lower case, without the dot at its end.
    Name(Arc<str>),
}

/// What carries the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// TCP: what is meant where nothing is said.
    Tcp,
    /// UDP, written `host:port/udp`.
    Udp,
}

/// The most places that a list may have. A tag of 256 characters has room for fewer.
pub const PLACES_MAX: usize = 64;

/// A text that says no egress. The message says what was wrong, and what there is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidEgress {
    /// Nothing is said.
    #[error("must be internet, none, or a list such as api.example.com:443 db.example.com:5432")]
    Empty,
    /// More places than can be held.
    #[error("names more than {PLACES_MAX} places")]
    TooMany,
    /// One entry has no port.
    #[error("{0:?} must be a host and a port, such as api.example.com:443")]
    NoPort(String),
    /// One entry's port is none.
    #[error("{0:?} must end in a port from 1 to 65535, with /udp behind it if UDP is meant")]
    Port(String),
    /// One entry's host is neither a name nor an address.
    #[error("{0:?} must begin with a host's full name or an IPv4 address")]
    Host(String),
    /// One entry's host is an address that no function may reach.
    #[error("{0:?} is not a public address: functions reach public addresses only")]
    Private(String),
}

impl FromStr for Egress {
    type Err = InvalidEgress;

    /// Reads `internet`, `none`, or places that commas or spaces part. (AWS's tags have no commas.)
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "internet" => return Ok(Self::Internet),
            "none" => return Ok(Self::Nothing),
            _ => {}
        }
        let mut places = Vec::new();
        for entry in text.split([',', ' ']).filter(|entry| !entry.is_empty()) {
            if places.len() == PLACES_MAX {
                return Err(InvalidEgress::TooMany);
            }
            let place: Place = entry.parse()?;
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() { Err(InvalidEgress::Empty) } else { Ok(Self::Places(places.into())) }
    }
}

impl FromStr for Place {
    type Err = InvalidEgress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || text.chars().take(80).collect::<String>();
        let (host, rest) = text.rsplit_once(':').ok_or_else(|| InvalidEgress::NoPort(shown()))?;
        let (port, transport) = match rest.split_once('/') {
            None | Some((_, "tcp")) => (rest.trim_end_matches("/tcp"), Transport::Tcp),
            Some((port, "udp")) => (port, Transport::Udp),
            Some(_) => return Err(InvalidEgress::Port(shown())),
        };
        // `parse` alone would take `+80`.
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|port| is_number && *port != 0);
        let port = port.ok_or_else(|| InvalidEgress::Port(shown()))?;
        let host = match host.parse::<Ipv4Addr>() {
            Ok(address) if is_public_v4(address) => Host::Address(address),
            Ok(_) => return Err(InvalidEgress::Private(shown())),
            Err(_) => Host::Name(name(host).ok_or_else(|| InvalidEgress::Host(shown()))?),
        };
        Ok(Self { host, port, transport })
    }
}

/// A host's full name as DNS has it (RFC 1123), in lower case and without the dot at its end; `None` for what is none.
fn name(text: &str) -> Option<Arc<str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = text.split('.').collect();
    let is_name = text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        // An address that was mistyped is no name: the last label of a name is never a number.
        && !labels.last()?.bytes().all(|byte| byte.is_ascii_digit());
    is_name.then(|| text.to_ascii_lowercase().into())
}

impl fmt::Display for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet => f.write_str("internet"),
            Self::Nothing => f.write_str("none"),
            Self::Places(places) => {
                for (at, place) in places.iter().enumerate() {
                    write!(f, "{}{place}", if at == 0 { "" } else { " " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(address) => write!(f, "{address}:{}", self.port)?,
            Host::Name(name) => write!(f, "{name}:{}", self.port)?,
        }
        f.write_str(if self.transport == Transport::Udp { "/udp" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_said_is_read_and_shown_again() {
        for (text, shown) in [
            ("internet", "internet"),
            ("none", "none"),
            ("api.example.com:443", "api.example.com:443"),
            ("API.example.com.:443/tcp,8.8.8.8:53/udp", "api.example.com:443 8.8.8.8:53/udp"),
            (" a.b:1  a.b:1, a.b:2 ", "a.b:1 a.b:2"),
            ("_db._x.example.org:65535", "_db._x.example.org:65535"),
        ] {
            let egress: Egress = text.parse().unwrap();
            assert_eq!(egress.to_string(), shown, "{text}");
            assert_eq!(shown.parse::<Egress>().unwrap(), egress, "{text}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused_with_the_reason() {
        let error = |text: &str| text.parse::<Egress>().unwrap_err();
        assert_eq!(error(""), InvalidEgress::Empty);
        assert_eq!(error(" , "), InvalidEgress::Empty);
        for text in ["all", "Internet!", "example.com", "a.b:1 none"] {
            assert!(matches!(error(text), InvalidEgress::NoPort(_)), "{text}");
        }
        for text in
            ["a.b:0", "a.b:65536", "a.b:+80", "a.b:", "a.b:80/sctp", "a.b:80/udp/udp", "a.b:80/tcp/tcp"]
        {
            assert!(matches!(error(text), InvalidEgress::Port(_)), "{text}");
        }
        for text in
            ["localhost:80", "a..b:80", ".b:80", "-a.b:80", "http://a.b:80", "*.b:80", "1.2.3:80", "[::1]:80"]
        {
            assert!(matches!(error(text), InvalidEgress::Host(_)), "{text}");
        }
        for text in
            ["10.0.0.1:80", "127.0.0.1:80", "169.254.169.254:80", "100.64.0.1:80", "255.255.255.255:9"]
        {
            assert!(matches!(error(text), InvalidEgress::Private(_)), "{text}");
        }
        let many: String = (1..=PLACES_MAX + 1).map(|port| format!("a.b:{port} ")).collect();
        assert_eq!(error(&many), InvalidEgress::TooMany);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_says_the_same_again(text in "[a-z0-9.:/, -]{0,60}") {
            if let Ok(egress) = text.parse::<Egress>() {
                prop_assert_eq!(egress.to_string().parse::<Egress>().unwrap(), egress);
            }
        }
    }
}
