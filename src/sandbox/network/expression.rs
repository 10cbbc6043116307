//! nftables' expressions, which rules are made of, written as netlink messages (`linux/netfilter/nf_tables.h`).

use std::net::Ipv4Addr;

use super::netlink::Attributes;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// It is gone.
    Drop,
    /// It passes this chain.
    Accept,
    /// Another chain decides.
    Goto(&'a str),
}

impl Verdict<'_> {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Drop => 0,
            Self::Accept => 1,
            // NFT_GOTO, minus four.
            Self::Goto(_) => (-4_i32).cast_unsigned(),
        }
    }
}

/// States of conntrack, as bits in the order of the machine.
pub mod ct {
    /// A packet of a connection that has seen both ways.
    pub const ESTABLISHED: u32 = 2;
    /// An error about such a connection.
    pub const RELATED: u32 = 4;
}

/// TCP's number.
pub const TCP: u8 = 6;
/// UDP's.
pub const UDP: u8 = 17;

/// A part of a rule. Where a comparison fails the rule does not apply.
#[derive(Clone, Copy, Debug)]
pub enum Expression<'a> {
    /// It came in by the interface of this number.
    InIndex(u32),
    /// It goes out by the interface of this number.
    OutIndex(u32),
    /// It came in by the interface of this name.
    InName(&'a str),
    /// It goes out by the interface of this name.
    OutName(&'a str),
    /// It came in by an interface whose name begins so.
    InNames(&'a str),
    /// It goes out by one.
    OutNames(&'a str),
    /// It goes out by another.
    NotOutName(&'a str),
    /// It is IPv4.
    Ipv4,
    /// It is IPv6.
    Ipv6,
    /// Its transport has this number.
    Transport(u8),
    /// Its destination, IPv4, is in this set.
    To(&'a str),
    /// Its source, IPv4, is in this network, whose bits beyond the prefix are zero.
    From(Ipv4Addr, u8),
    /// Destination, transport and destination port are in this timed set.
    ToTuple(&'a str),
    /// Its connection is in one of these states.
    State(u32),
    /// It is told off by a TCP reset.
    Reset,
    /// It is told off by ICMP: forbidden by the administrator.
    Forbid,
    /// It leaves with the address of the interface that it leaves by.
    Masquerade,
    /// This becomes of it.
    Then(Verdict<'a>),
}

/// `NFT_REG_1` and the 4-byte registers that follow one another from its start.
const REGISTER: u32 = 1;
const PART: [u32; 3] = [8, 9, 10];
const EQUAL: u32 = 0;
const UNEQUAL: u32 = 1;
/// Keys of `meta`.
mod meta {
    pub(super) const IIF: u32 = 4;
    pub(super) const OIF: u32 = 5;
    pub(super) const IIFNAME: u32 = 6;
    pub(super) const OIFNAME: u32 = 7;
    pub(super) const NFPROTO: u32 = 15;
    pub(super) const L4PROTO: u32 = 16;
}
/// Where in a packet a payload lies.
mod base {
    pub(super) const NETWORK: u32 = 1;
    pub(super) const TRANSPORT: u32 = 2;
}
const IPV4_SOURCE: u32 = 12;
const IPV4_DESTINATION: u32 = 16;
const DESTINATION_PORT: u32 = 2;

impl Expression<'_> {
    pub(super) fn write(&self, list: &mut Attributes<'_>) {
        match *self {
            Self::InIndex(index) => is(list, meta::IIF, EQUAL, &index.to_ne_bytes()),
            Self::OutIndex(index) => is(list, meta::OIF, EQUAL, &index.to_ne_bytes()),
            Self::InName(name) => is(list, meta::IIFNAME, EQUAL, &interface(name)),
            Self::OutName(name) => is(list, meta::OIFNAME, EQUAL, &interface(name)),
            Self::InNames(start) => is(list, meta::IIFNAME, EQUAL, start.as_bytes()),
            Self::OutNames(start) => is(list, meta::OIFNAME, EQUAL, start.as_bytes()),
            Self::NotOutName(name) => is(list, meta::OIFNAME, UNEQUAL, &interface(name)),
            Self::Ipv4 => is(list, meta::NFPROTO, EQUAL, &[2]),
            Self::Ipv6 => is(list, meta::NFPROTO, EQUAL, &[10]),
            Self::Transport(number) => is(list, meta::L4PROTO, EQUAL, &[number]),
            Self::To(set) => {
                payload(list, REGISTER, base::NETWORK, IPV4_DESTINATION, 4);
                lookup(list, set, REGISTER);
            }
            Self::From(first, bits) => {
                payload(list, REGISTER, base::NETWORK, IPV4_SOURCE, 4);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                masked(list, mask.to_be_bytes());
                compare(list, EQUAL, &first.octets());
            }
            Self::ToTuple(set) => {
                payload(list, PART[0], base::NETWORK, IPV4_DESTINATION, 4);
                load(list, meta::L4PROTO, PART[1]);
                payload(list, PART[2], base::TRANSPORT, DESTINATION_PORT, 2);
                lookup(list, set, PART[0]);
            }
            Self::State(states) => {
                const STATE: u32 = 0;
                expression(list, "ct", |data| {
                    data.network(1, REGISTER).network(2, STATE);
                });
                masked(list, states.to_ne_bytes());
                compare(list, UNEQUAL, &[0; 4]);
            }
            Self::Reset => expression(list, "reject", |data| {
                data.network(1, 1);
            }),
            Self::Forbid => expression(list, "reject", |data| {
                data.network(1, 2).bytes(2, &[3]);
            }),
            Self::Masquerade => expression(list, "masq", |_| {}),
            Self::Then(verdict) => expression(list, "immediate", |data| {
                data.network(1, 0).nested(2, |value| {
                    value.nested(2, |code| {
                        code.network(1, verdict.code());
                        if let Verdict::Goto(chain) = verdict {
                            code.text(2, chain);
                        }
                    });
                });
            }),
        }
    }
}

/// An interface's name as rules compare it: all of its sixteen bytes.
fn interface(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    let length = name.len().min(15);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    bytes
}

fn expression(list: &mut Attributes<'_>, name: &str, write: impl FnOnce(&mut Attributes<'_>)) {
    list.nested(1, |expression| {
        expression.text(1, name).nested(2, write);
    });
}

fn load(list: &mut Attributes<'_>, key: u32, register: u32) {
    expression(list, "meta", |data| {
        data.network(1, register).network(2, key);
    });
}

fn is(list: &mut Attributes<'_>, key: u32, operation: u32, value: &[u8]) {
    load(list, key, REGISTER);
    compare(list, operation, value);
}

fn compare(list: &mut Attributes<'_>, operation: u32, value: &[u8]) {
    expression(list, "cmp", |data| {
        data.network(1, REGISTER).network(2, operation).nested(3, |wanted| {
            wanted.bytes(1, value);
        });
    });
}

fn masked(list: &mut Attributes<'_>, mask: [u8; 4]) {
    expression(list, "bitwise", |data| {
        data.network(1, REGISTER)
            .network(2, REGISTER)
            .network(3, 4)
            .nested(4, |value| {
                value.bytes(1, &mask);
            })
            .nested(5, |value| {
                value.bytes(1, &[0; 4]);
            });
    });
}

fn payload(list: &mut Attributes<'_>, register: u32, base: u32, offset: u32, length: u32) {
    expression(list, "payload", |data| {
        data.network(1, register).network(2, base).network(3, offset).network(4, length);
    });
}

fn lookup(list: &mut Attributes<'_>, set: &str, register: u32) {
    expression(list, "lookup", |data| {
        data.text(1, set).network(2, register);
    });
}
