//! The addresses of sandboxes, from a range of this machine's own.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::base::special::is_public_v4;

/// A network of addresses for sandboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    first: u32,
    bits: u8,
}

/// Why a network cannot be one for sandboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRange {
    /// It has too few addresses, or too many.
    #[error("must be a network of IPv4 addresses with a prefix of 10 to 28 bits")]
    Size,
    /// Its prefix does not end where its address does.
    #[error("must begin at its first address: beyond the prefix all bits are zero")]
    NotFirst,
    /// It belongs to the Internet, which functions reach.
    #[error(
        "must not be public addresses: take some of 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 or 192.168.0.0/16"
    )]
    Public,
}

impl Range {
    /// The network of this first address and prefix.
    pub fn new(first: Ipv4Addr, bits: u8) -> Result<Self, InvalidRange> {
        if !(10..=28).contains(&bits) {
            return Err(InvalidRange::Size);
        }
        let range = Self { first: first.to_bits(), bits };
        if range.first & (range.size() - 1) != 0 {
            return Err(InvalidRange::NotFirst);
        }
        let last = Ipv4Addr::from_bits(range.first + (range.size() - 1));
        // Networks that are not public are aligned and larger or as large: both ends in one is all in it.
        if is_public_v4(first) || is_public_v4(last) { Err(InvalidRange::Public) } else { Ok(range) }
    }

    fn size(self) -> u32 {
        1 << (32 - u32::from(self.bits))
    }

    /// Its part of this number, of so many (a power of two) of the same size; all of it, if they would be too small.
    pub fn part(self, number: u32, count: u32) -> Self {
        let bits = self.bits + u8::try_from(count.ilog2()).unwrap_or(u8::MAX);
        if bits > 24 {
            return self;
        }
        let size = self.size() / count;
        Self { first: self.first + number % count * size, bits }
    }

    /// Its first address.
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first)
    }

    /// The bits of its prefix.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The host's address in it, through which sandboxes send.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first + 1)
    }

    /// Whether it shares an address with the network that has this one and this prefix.
    pub fn overlaps(self, address: Ipv4Addr, bits: u8) -> bool {
        let shift = 32 - u32::from(self.bits.min(bits.min(32)));
        let prefix = |address: u32| u64::from(address) >> shift;
        prefix(self.first) == prefix(address.to_bits())
    }
}

/// Gives addresses of a range out, each to one at a time.
#[derive(Debug)]
pub struct Addresses {
    range: Range,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    offsets: HashSet<u32>,
    next: u32,
}

/// An address in use; free again when dropped.
#[derive(Debug)]
pub struct Address {
    offset: u32,
    among: Arc<Addresses>,
}

impl Addresses {
    /// All of this range but its first two (its name and the host's own) and its last (broadcast).
    pub fn new(range: Range) -> Arc<Self> {
        Arc::new(Self { range, taken: Mutex::default() })
    }

    /// The range.
    pub fn range(&self) -> Range {
        self.range
    }

    /// Takes the address that was free for longest; `None` if all are in use.
    pub fn take(self: &Arc<Self>) -> Option<Address> {
        let usable = self.range.size() - 3;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..usable {
            let offset = 2 + taken.next;
            taken.next = (taken.next + 1) % usable;
            if taken.offsets.insert(offset) {
                return Some(Address { offset, among: self.clone() });
            }
        }
        None
    }
}

impl Address {
    /// The address.
    pub fn get(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.among.range.first + self.offset)
    }

    /// Its place in the range: a number that no other address in use has.
    pub fn offset(&self) -> u32 {
        self.offset
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.among.taken.lock().unwrap_or_else(PoisonError::into_inner).offsets.remove(&self.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Result<Range, InvalidRange> {
        let (first, bits) = text.split_once('/').unwrap();
        Range::new(first.parse().unwrap(), bits.parse().unwrap())
    }

    #[test]
    fn a_range_is_private_aligned_and_of_a_size() {
        for good in ["100.64.0.0/16", "100.64.0.0/10", "10.0.0.0/28", "192.168.4.0/24"] {
            assert!(range(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("100.64.0.0/9", InvalidRange::Size),
            ("100.64.0.0/29", InvalidRange::Size),
            ("100.64.0.1/16", InvalidRange::NotFirst),
            ("8.8.0.0/16", InvalidRange::Public),
            ("192.128.0.0/10", InvalidRange::Public),
        ] {
            assert_eq!(range(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn parts_of_a_range_are_apart() {
        let whole = range("100.64.0.0/16").unwrap();
        assert_eq!(whole.part(0, 16), range("100.64.0.0/20").unwrap());
        assert_eq!(whole.part(15, 16), range("100.64.240.0/20").unwrap());
        let small = range("10.0.0.0/24").unwrap();
        assert_eq!(small.part(3, 16), small);
    }

    #[test]
    fn networks_overlap_where_the_shorter_prefix_is_shared() {
        let ours = range("100.64.0.0/16").unwrap();
        for (address, bits, overlaps) in [
            ("100.64.7.1", 32, true),
            ("100.64.7.1", 24, true),
            ("100.96.0.0", 10, true),
            ("100.65.0.0", 16, false),
            ("0.0.0.0", 0, true),
            ("10.0.0.0", 8, false),
        ] {
            assert_eq!(ours.overlaps(address.parse().unwrap(), bits), overlaps, "{address}/{bits}");
        }
    }

    #[test]
    fn no_two_hold_the_same_address() {
        let addresses = Addresses::new(range("10.0.0.0/28").unwrap());
        let held: Vec<Address> = std::iter::from_fn(|| addresses.take()).collect();
        let shown: Vec<String> = held.iter().map(|address| address.get().to_string()).collect();
        assert_eq!((shown.len(), &*shown[0], &*shown[12]), (13, "10.0.0.2", "10.0.0.14"));
        drop(held);
        drop(addresses.take().unwrap());
        assert_eq!(addresses.take().unwrap().get(), Ipv4Addr::new(10, 0, 0, 3));
    }
}
