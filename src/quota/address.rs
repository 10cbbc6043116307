//! What counts as one source address.

use std::net::IpAddr;

/// An IPv4 address, or the first 64 bits of an IPv6 one: a home or a phone has a whole /64 to itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Prefix {
    /// The address.
    V4([u8; 4]),
    /// Its first 64 bits.
    V6([u8; 8]),
}

impl Prefix {
    /// IPv4 addresses that come in the form of IPv6 ones (`::ffff:a.b.c.d`) are IPv4 addresses.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_by_what_their_holder_cannot_choose() {
        let of = |text: &str| Prefix::of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
