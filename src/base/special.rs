//! Which IPv4 addresses do not belong to the public Internet.
//!
//! IANA's special-purpose address registry for IPv4: what it does not mark as globally reachable is not public.

use std::net::{IpAddr, Ipv4Addr};

use super::Network;

/// Networks of addresses that are not public, each as its first address and the bits of its prefix; ascending, and none
/// touches the next.
pub const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Whether an IPv4 address belongs to the public Internet.
pub fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4
        .iter()
        .any(|(first, bits)| Network::new(IpAddr::V4(*first), *bits).contains(address.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_ascend_and_do_not_touch() {
        let last = |(first, bits): &(Ipv4Addr, u8)| {
            u64::from(first.to_bits()) + (1_u64 << (32 - u32::from(*bits))) - 1
        };
        for pair in NOT_PUBLIC_V4.windows(2) {
            assert!(last(&pair[0]) + 1 < u64::from(pair[1].0.to_bits()), "{pair:?}");
        }
    }
}
