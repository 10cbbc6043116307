//! nftables' objects, written as netlink messages (`linux/netfilter/nf_tables.h`). Names are nftables' own.
//!
//! Every crate that was looked at either is GPL, needs C libraries, or starts the program `nft`, which costs ten times what
//! the kernel takes for the change itself.

use std::{io, net::Ipv4Addr};

use super::{
    expression::{Expression, Verdict},
    netlink::{Attributes, Batch, Socket, flags},
};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const INET: u8 = 1;

/// Kinds of messages, within nftables.
mod kind {
    pub(super) const NEW_TABLE: u16 = 0;
    pub(super) const DEL_TABLE: u16 = 2;
    pub(super) const NEW_CHAIN: u16 = 3;
    pub(super) const NEW_RULE: u16 = 6;
    pub(super) const NEW_SET: u16 = 9;
    pub(super) const NEW_ELEMENT: u16 = 12;
    pub(super) const DEL_ELEMENT: u16 = 14;
}

/// Where a chain sees packets: the numbers of `NF_INET_…`.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// Those for this host.
    Input = 1,
    /// Those on their way through.
    Forward = 2,
    /// Those from this host.
    Output = 3,
    /// Those that leave.
    Postrouting = 4,
}

/// A set's kind.
#[derive(Clone, Copy, Debug)]
pub enum SetKind {
    /// Networks of IPv4 addresses.
    Networks,
    /// IPv4 addresses.
    Addresses,
    /// Address, transport and port, each for a time; at most so many.
    Timed {
        /// The most elements.
        max: u32,
    },
}

/// A change of one table, done whole or not at all.
#[derive(Debug)]
pub struct Change<'a> {
    table: &'a str,
    batch: Batch,
}

impl<'a> Change<'a> {
    /// A change of this table of the family `inet`.
    pub fn of(table: &'a str) -> Self {
        Self { table, batch: begun() }
    }

    /// Does it, and begins another.
    ///
    /// # Errors
    /// The kernel's; then nothing was done.
    pub fn commit(&mut self, socket: &Socket) -> io::Result<()> {
        let mut batch = std::mem::replace(&mut self.batch, begun());
        batch.silent(BATCH_END, 0, &head(0, SUBSYSTEM));
        socket.send(&batch)
    }

    fn request(&mut self, kind: u16, flags: u16, write: impl FnOnce(&mut Attributes<'_>)) -> &mut Self {
        self.batch.request((SUBSYSTEM << 8) | kind, flags, &head(INET, 0), write);
        self
    }

    /// Makes the table, empty; one of that name goes.
    pub fn anew(&mut self) -> &mut Self {
        let table = self.table;
        let named = |message: &mut Attributes<'_>| {
            message.text(1, table);
        };
        // Made first, so that there is one to go.
        self.request(kind::NEW_TABLE, flags::CREATE, named);
        self.request(kind::DEL_TABLE, 0, named);
        self.request(kind::NEW_TABLE, flags::CREATE, named)
    }

    /// Makes the table as the socket's own: nobody else changes it, and it goes when the socket closes.
    pub fn own(&mut self) -> &mut Self {
        const OWNER: u32 = 2;
        let table = self.table;
        self.request(kind::NEW_TABLE, flags::CREATE | flags::EXCL, |message| {
            message.text(1, table).network(2, OWNER);
        })
    }

    /// Makes a chain that rules send packets to.
    pub fn chain(&mut self, name: &str) -> &mut Self {
        let table = self.table;
        self.request(kind::NEW_CHAIN, flags::CREATE, |message| {
            message.text(1, table).text(3, name);
        })
    }

    /// Makes a chain that the kernel sends packets to, and what becomes of those that no rule decides.
    pub fn base_chain(&mut self, name: &str, hook: Hook, policy: Verdict<'_>) -> &mut Self {
        let table = self.table;
        let (sort, priority) = match hook {
            Hook::Postrouting => ("nat", 100),
            _ => ("filter", 0),
        };
        self.request(kind::NEW_CHAIN, flags::CREATE, |message| {
            message
                .text(1, table)
                .text(3, name)
                .nested(4, |hooked| {
                    hooked.network(1, hook as u32).network(2, priority);
                })
                .network(5, policy.code())
                .text(7, sort);
        })
    }

    /// Appends a rule.
    pub fn rule(&mut self, chain: &str, expressions: &[Expression<'_>]) -> &mut Self {
        let table = self.table;
        self.request(kind::NEW_RULE, flags::CREATE | flags::APPEND, |message| {
            message.text(1, table).text(2, chain).nested(4, |list| {
                for expression in expressions {
                    expression.write(list);
                }
            });
        })
    }

    /// Makes a set. `id` tells it from others of this change.
    pub fn set(&mut self, name: &str, id: u32, sort: SetKind) -> &mut Self {
        const INTERVAL: u32 = 4;
        const TIMEOUT: u32 = 16;
        // Kinds of keys as the program `nft` numbers them, for whoever looks at the rules with it.
        const ADDRESS: u32 = 7;
        const TUPLE: u32 = (ADDRESS << 12) | (12 << 6) | 13;
        let table = self.table;
        let (set_flags, key, length) = match sort {
            SetKind::Networks => (INTERVAL, ADDRESS, 4),
            SetKind::Addresses => (0, ADDRESS, 4),
            SetKind::Timed { .. } => (TIMEOUT, TUPLE, 12),
        };
        self.request(kind::NEW_SET, flags::CREATE, |message| {
            message.text(1, table).text(2, name).network(3, set_flags).network(4, key).network(5, length);
            if let SetKind::Timed { max } = sort {
                message.nested(9, |description| {
                    description.network(1, max);
                });
            }
            message.network(10, id);
        })
    }

    /// Puts networks into a set: each as its first address and the bits of its prefix, ascending and apart.
    pub fn add_networks(&mut self, set: &str, networks: &[(Ipv4Addr, u8)]) -> &mut Self {
        const INTERVAL_END: u32 = 1;
        let table = self.table;
        self.request(kind::NEW_ELEMENT, flags::CREATE, |message| {
            message.text(1, table).text(2, set).nested(3, |list| {
                for (first, bits) in networks {
                    element(list, &first.octets(), |_| {});
                    let behind = u64::from(first.to_bits()) + (1_u64 << (32 - u32::from(*bits)));
                    // The last network may reach up to the end of all addresses.
                    if let Ok(behind) = u32::try_from(behind) {
                        element(list, &behind.to_be_bytes(), |element| {
                            element.network(3, INTERVAL_END);
                        });
                    }
                }
            });
        })
    }

    /// Puts addresses into a set.
    pub fn add_addresses(&mut self, set: &str, addresses: &[Ipv4Addr]) -> &mut Self {
        self.addresses(kind::NEW_ELEMENT, flags::CREATE, set, addresses)
    }

    /// Takes addresses, all of which are in it, out of a set.
    pub fn remove_addresses(&mut self, set: &str, addresses: &[Ipv4Addr]) -> &mut Self {
        self.addresses(kind::DEL_ELEMENT, 0, set, addresses)
    }

    fn addresses(&mut self, kind: u16, flags: u16, set: &str, addresses: &[Ipv4Addr]) -> &mut Self {
        if addresses.is_empty() {
            return self;
        }
        let table = self.table;
        self.request(kind, flags, |message| {
            message.text(1, table).text(2, set).nested(3, |list| {
                for address in addresses {
                    element(list, &address.octets(), |_| {});
                }
            });
        })
    }

    /// Puts tuples into a timed set for so long, or for ever; those that are in it stay from now on for so long.
    pub fn add_tuples(&mut self, set: &str, tuples: &[Tuple], time_ms: Option<u64>) -> &mut Self {
        // A plain second addition does not prolong. What is put in first is there to be taken out.
        for (kind, flags, time) in [
            (kind::NEW_ELEMENT, flags::CREATE, None),
            (kind::DEL_ELEMENT, 0, None),
            (kind::NEW_ELEMENT, flags::CREATE, time_ms),
        ] {
            let table = self.table;
            self.request(kind, flags, |message| {
                message.text(1, table).text(2, set).nested(3, |list| {
                    for tuple in tuples {
                        element(list, &tuple.key(), |element| {
                            if let Some(time) = time {
                                element.bytes(4, &time.to_be_bytes());
                            }
                        });
                    }
                });
            });
        }
        self
    }
}

fn begun() -> Batch {
    let mut batch = Batch::default();
    batch.silent(BATCH_BEGIN, 0, &head(0, SUBSYSTEM));
    batch
}

fn head(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

fn element(list: &mut Attributes<'_>, key: &[u8], more: impl FnOnce(&mut Attributes<'_>)) {
    list.nested(1, |element| {
        element.nested(1, |data| {
            data.bytes(1, key);
        });
        more(element);
    });
}

/// An element of a timed set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tuple {
    /// The address.
    pub address: Ipv4Addr,
    /// The transport's number.
    pub transport: u8,
    /// The port.
    pub port: u16,
}

impl Tuple {
    /// Each part fills up four bytes.
    fn key(&self) -> [u8; 12] {
        let mut key = [0; 12];
        key[..4].copy_from_slice(&self.address.octets());
        key[4] = self.transport;
        key[8..10].copy_from_slice(&self.port.to_be_bytes());
        key
    }
}
