//! Who is behind a proxy: the source address and scheme that trusted proxies vouch for, and nobody else.
//!
//! A proxy appends the address it was called from, so the entries are read from the right: as long as an address belongs
//! to a trusted proxy, the entry left of it counts; the first one that does not is the source. What stands further left was
//! sent by the source itself and may say anything.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header::FORWARDED};

use crate::base::Network;

/// Where a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// The address that quotas and policies go by.
    pub address: IpAddr,
    /// Whether the client spoke TLS, to us or to a trusted proxy.
    pub secure: bool,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The source of a request that `peer` sent with these headers.
pub fn source(peer: IpAddr, tls: bool, headers: &HeaderMap, trusted: &[Network]) -> Source {
    let peer = peer.to_canonical();
    let direct = Source { address: peer, secure: tls };
    if !is_trusted(peer, trusted) {
        return direct;
    }
    match (headers.contains_key(FORWARDED), headers.contains_key(X_FORWARDED_FOR)) {
        (false, false) => Source { secure: tls || forwarded_proto(headers), ..direct },
        (true, false) => forwarded(direct, headers, trusted),
        (false, true) => x_forwarded(direct, headers, trusted),
        (true, true) => {
            // A proxy that writes one of them passes the other on as the client sent it, and which is which cannot be
            // told: where they differ nothing beyond the proxy itself is believed.
            let (one, other) = (forwarded(direct, headers, trusted), x_forwarded(direct, headers, trusted));
            if one.address == other.address {
                Source { secure: one.secure && other.secure, ..one }
            } else {
                direct
            }
        }
    }
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The lines of a header as texts, last line first; stops at one that is no text.
fn lines_from_the_last<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.into_iter().rev().map_while(|line| line.to_str().ok())
}

/// `X-Forwarded-For: client, proxy, proxy`, and `X-Forwarded-Proto`.
fn x_forwarded(direct: Source, headers: &HeaderMap, trusted: &[Network]) -> Source {
    let mut address = direct.address;
    for entry in lines_from_the_last(headers, &X_FORWARDED_FOR).flat_map(|line| line.rsplit(',')) {
        let Some(next) = node(entry.trim()) else { break };
        address = next;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    Source { address, secure: direct.secure || forwarded_proto(headers) }
}

/// What the nearest proxy says of the scheme: the last value of `X-Forwarded-Proto`.
fn forwarded_proto(headers: &HeaderMap) -> bool {
    lines_from_the_last(headers, &X_FORWARDED_PROTO)
        .next()
        .and_then(|line| line.rsplit(',').next())
        .is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

/// `Forwarded: for=client;proto=https, for=proxy` (RFC 7239).
fn forwarded(direct: Source, headers: &HeaderMap, trusted: &[Network]) -> Source {
    let mut source = direct;
    for line in lines_from_the_last(headers, &FORWARDED) {
        // A line that is not well formed may hide what a proxy appended to it, so nothing in it counts.
        let Some(elements) = elements(line) else { return source };
        for element in elements.into_iter().rev() {
            let Some(address) = element.node.as_deref().and_then(node) else { return source };
            source = Source { address, secure: element.https };
            if !is_trusted(address, trusted) {
                return source;
            }
        }
    }
    source
}

#[derive(Default)]
struct Element {
    node: Option<String>,
    https: bool,
}

/// The elements of one line; `None` if a quote does not end.
fn elements(line: &str) -> Option<Vec<Element>> {
    let mut elements = vec![Element::default()];
    let (mut name, mut value) = (String::new(), None::<String>);
    let mut characters = line.chars();
    let finish = |element: &mut Element, name: &mut String, value: &mut Option<String>| {
        let (name, value) = (std::mem::take(name), value.take().unwrap_or_default());
        if name.trim().eq_ignore_ascii_case("for") {
            element.node = Some(value.trim().to_owned());
        } else if name.trim().eq_ignore_ascii_case("proto") {
            element.https = value.trim().eq_ignore_ascii_case("https");
        }
    };
    while let Some(character) = characters.next() {
        match (character, &mut value) {
            ('"', Some(value)) => loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => value.push(characters.next()?),
                    inside => value.push(inside),
                }
            },
            ('"', None) => return None,
            (';' | ',', _) => {
                if let Some(element) = elements.last_mut() {
                    finish(element, &mut name, &mut value);
                }
                if character == ',' {
                    elements.push(Element::default());
                }
            }
            ('=', value @ None) => *value = Some(String::new()),
            (other, Some(value)) => value.push(other),
            (other, None) => name.push(other),
        }
    }
    if let Some(element) = elements.last_mut() {
        finish(element, &mut name, &mut value);
    }
    Some(elements)
}

/// An address, with or without a port or brackets; `None` for `unknown`, obfuscated names and nonsense.
fn node(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| bracketed().map(IpAddr::from))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn told(peer: &str, headers: &[(&str, &str)]) -> (String, bool) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let source = source(peer.parse().unwrap(), false, &headers, &trusted);
        (source.address.to_string(), source.secure)
    }

    #[test]
    fn only_a_listed_proxy_is_believed() {
        let headers = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
        assert_eq!(told("203.0.113.9", &headers), ("203.0.113.9".to_owned(), false));
        assert_eq!(told(PROXY, &headers), ("192.0.2.7".to_owned(), true));
        assert_eq!(told("::ffff:10.0.0.1", &headers), ("192.0.2.7".to_owned(), true));
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_source() {
        for (header, value, expected) in [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
            ("x-forwarded-for", "192.0.2.7:4711", "192.0.2.7"),
            ("x-forwarded-for", "[2001:db8::1]:4711", "2001:db8::1"),
            ("x-forwarded-for", "[2001:db8::1]", "2001:db8::1"),
            ("x-forwarded-for", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("x-forwarded-for", "192.0.2.7, unknown", PROXY),
            ("x-forwarded-for", "192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
            ("x-forwarded-for", "", PROXY),
            ("forwarded", "for=6.6.6.6, for=192.0.2.7", "192.0.2.7"),
            ("forwarded", "For=\"[2001:db8::1]:4711\";by=10.0.0.2", "2001:db8::1"),
            ("forwarded", "for=192.0.2.7, for=\"[fd00::1]\"", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7, for=_hidden", PROXY),
            ("forwarded", "for=6.6.6.6;x=\"unended, for=192.0.2.7", PROXY),
        ] {
            assert_eq!(told(PROXY, &[(header, value)]).0, expected, "{header}: {value}");
        }
    }

    #[test]
    fn later_lines_are_nearer() {
        let headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7, 10.0.0.2")];
        assert_eq!(told(PROXY, &headers).0, "192.0.2.7");
    }

    #[test]
    fn the_scheme_is_that_of_the_sources_own_connection() {
        assert!(told(PROXY, &[("forwarded", "for=192.0.2.7;proto=https, for=10.0.0.2;proto=http")]).1);
        assert!(!told(PROXY, &[("forwarded", "for=6.6.6.6;proto=https, for=192.0.2.7;proto=http")]).1);
        assert!(!told(PROXY, &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https, http")]).1);
        assert!(told(PROXY, &[("x-forwarded-proto", "HTTPS")]).1);
    }

    #[test]
    fn two_headers_that_differ_are_not_believed() {
        let headers = [("forwarded", "for=6.6.6.6;proto=https"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(told(PROXY, &headers), (PROXY.to_owned(), false));
        let headers = [("forwarded", "for=192.0.2.7"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(told(PROXY, &headers).0, "192.0.2.7");
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_makes_it_another(sent in "[ -~]{0,60}", client in any::<[u8; 4]>()) {
            let client = IpAddr::from(client);
            prop_assume!(client.is_ipv4() && !client.to_string().starts_with("10."));
            let appended = format!("{sent}, {client}");
            prop_assert_eq!(told(PROXY, &[("x-forwarded-for", &appended)]).0, client.to_string());
            let appended = format!("{sent}, for={client}");
            let believed = told(PROXY, &[("forwarded", &appended)]).0;
            prop_assert!(believed == client.to_string() || believed == PROXY, "{}", believed);
        }
    }
}
