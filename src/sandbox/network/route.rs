//! Links, addresses and routes, changed and listed over netlink (`linux/rtnetlink.h`, `linux/if_link.h`).

use std::{
    io,
    net::Ipv4Addr,
    os::fd::{AsRawFd, BorrowedFd},
    path::Path,
};

use super::netlink::{Attributes, Batch, Socket, attributes, flags};

const LINK_HEAD: usize = 16;
const ADDRESS_HEAD: usize = 8;
const AF_INET: u8 = libc::AF_INET as u8;
const UP: u32 = libc::IFF_UP as u32;

/// Attributes of links.
mod link {
    pub(super) const NAME: u16 = 3;
    pub(super) const MTU: u16 = 4;
    pub(super) const MASTER: u16 = 10;
    pub(super) const INFO: u16 = 18;
    pub(super) const INFO_KIND: u16 = 1;
    pub(super) const INFO_DATA: u16 = 2;
    pub(super) const INFO_SLAVE_KIND: u16 = 4;
    pub(super) const INFO_SLAVE_DATA: u16 = 5;
    pub(super) const NAMESPACE_FD: u16 = 28;
    pub(super) const PEER: u16 = 1;
    pub(super) const PORT_ISOLATED: u16 = 33;
    pub(super) const ADDRESSES: u16 = 26;
    pub(super) const NO_LINK_LOCAL: (u16, u16, u8) = (10, 8, 1);
}

fn link_head(index: u32, flags: u32, mask: u32) -> [u8; LINK_HEAD] {
    let mut head = [0; LINK_HEAD];
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    head[8..12].copy_from_slice(&flags.to_ne_bytes());
    head[12..16].copy_from_slice(&mask.to_ne_bytes());
    head
}

/// Gives a link no IPv6 address of its own, since nobody speaks IPv6 there, and then brings it up. A kernel without IPv6
/// must not be told.
fn bring_up(batch: &mut Batch, index: u32, name: &str) {
    let named = |message: &mut Attributes<'_>| {
        if index == 0 {
            message.text(link::NAME, name);
        }
    };
    if Path::new("/proc/net/if_inet6").exists() {
        let (family, kind, none) = link::NO_LINK_LOCAL;
        batch.request(libc::RTM_NEWLINK, 0, &link_head(index, 0, 0), |message| {
            named(message);
            message.nested(link::ADDRESSES, |families| {
                families.nested(family, |inet6| {
                    inet6.bytes(kind, &[none]);
                });
            });
        });
    }
    batch.request(libc::RTM_NEWLINK, 0, &link_head(index, UP, UP), named);
}

/// Makes a bridge and brings it up.
pub fn add_bridge(socket: &Socket, name: &str) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.request(libc::RTM_NEWLINK, flags::CREATE | flags::EXCL, &link_head(0, 0, 0), |message| {
        message.text(link::NAME, name).nested(link::INFO, |info| {
            info.text(link::INFO_KIND, "bridge");
        });
    });
    bring_up(&mut batch, 0, name);
    socket.send(&batch)
}

/// Makes a pair of links: `port`, a port of the bridge of this number that speaks to no other port, and `inside`, in the
/// namespace behind the descriptor.
pub fn add_pair(
    socket: &Socket,
    port: &str,
    bridge: u32,
    inside: &str,
    namespace: BorrowedFd<'_>,
    mtu: u32,
) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.request(libc::RTM_NEWLINK, flags::CREATE | flags::EXCL, &link_head(0, 0, 0), |message| {
        message.text(link::NAME, port).native(link::MTU, mtu).native(link::MASTER, bridge);
        message.nested(link::INFO, |info| {
            info.text(link::INFO_KIND, "veth").nested(link::INFO_DATA, |data| {
                data.headed(link::PEER, &link_head(0, 0, 0), |peer| {
                    peer.text(link::NAME, inside).native(link::MTU, mtu);
                    peer.bytes(link::NAMESPACE_FD, &namespace.as_raw_fd().to_ne_bytes());
                });
            });
        });
    });
    // Only a link that is a port already can be told how to be one.
    batch.request(libc::RTM_NEWLINK, 0, &link_head(0, 0, 0), |message| {
        message.text(link::NAME, port).nested(link::INFO, |info| {
            info.text(link::INFO_SLAVE_KIND, "bridge").nested(link::INFO_SLAVE_DATA, |data| {
                data.bytes(link::PORT_ISOLATED, &[1]);
            });
        });
    });
    bring_up(&mut batch, 0, port);
    socket.send(&batch)
}

/// Gives a link its address, brings it up and sends everything through it to `gateway`.
pub fn configure(socket: &Socket, name: &str, address: Ipv4Addr, gateway: Ipv4Addr) -> io::Result<()> {
    let index = index(socket, name)?.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
    let mut batch = Batch::default();
    address_request(&mut batch, index, address, 32);
    bring_up(&mut batch, index, name);
    // The gateway is a neighbour whatever the address's prefix says.
    const ON_LINK: u32 = 4;
    let mut head = [0; 12];
    // Family; table main, by hand, everywhere, unicast.
    head[0] = AF_INET;
    head[4..8].copy_from_slice(&[254, 4, 0, 1]);
    head[8..12].copy_from_slice(&ON_LINK.to_ne_bytes());
    batch.request(libc::RTM_NEWROUTE, flags::CREATE | flags::EXCL, &head, |message| {
        message.native(libc::RTA_OIF, index).bytes(libc::RTA_GATEWAY, &gateway.octets());
    });
    socket.send(&batch)
}

/// Gives a link another address.
pub fn add_address(socket: &Socket, index: u32, address: Ipv4Addr, bits: u8) -> io::Result<()> {
    let mut batch = Batch::default();
    address_request(&mut batch, index, address, bits);
    socket.send(&batch)
}

fn address_request(batch: &mut Batch, index: u32, address: Ipv4Addr, bits: u8) {
    let mut head = [0; ADDRESS_HEAD];
    head[0] = AF_INET;
    head[1] = bits;
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    batch.request(libc::RTM_NEWADDR, flags::CREATE | flags::EXCL, &head, |message| {
        message.bytes(libc::IFA_LOCAL, &address.octets()).bytes(libc::IFA_ADDRESS, &address.octets());
    });
}

/// Takes a link away; one that is not there is as good.
pub fn remove(socket: &Socket, name: &str) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.request(libc::RTM_DELLINK, 0, &link_head(0, 0, 0), |message| {
        message.text(link::NAME, name);
    });
    match socket.send(&batch) {
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        other => other,
    }
}

/// Takes a link down.
pub fn take_down(socket: &Socket, name: &str) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.request(libc::RTM_NEWLINK, 0, &link_head(0, 0, UP), |message| {
        message.text(link::NAME, name);
    });
    socket.send(&batch)
}

/// Every link: its number, its name, and the number of the bridge that it is a port of.
pub fn links(socket: &Socket) -> io::Result<Vec<Link>> {
    let mut batch = Batch::default();
    batch.silent(libc::RTM_GETLINK, flags::DUMP, &link_head(0, 0, 0));
    let mut found = Vec::new();
    socket.dump(&batch, |kind, body| {
        if kind == libc::RTM_NEWLINK {
            found.extend(read_link(body));
        }
    })?;
    Ok(found)
}

/// A link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The number of the link that it is a port of.
    pub master: Option<u32>,
    /// The largest packet it takes, in bytes.
    pub mtu: u32,
    /// Whether it is up and no loopback.
    pub carries: bool,
}

fn read_link(body: &[u8]) -> Option<Link> {
    let index = u32::from_ne_bytes(body.get(4..8)?.try_into().ok()?);
    let state = u32::from_ne_bytes(body.get(8..12)?.try_into().ok()?);
    let mut link = Link {
        index,
        name: String::new(),
        master: None,
        mtu: 0,
        carries: state & UP != 0 && state & libc::IFF_LOOPBACK as u32 == 0,
    };
    for (kind, value) in attributes(body, LINK_HEAD) {
        let number = value.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes));
        match kind {
            link::NAME => link.name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned(),
            link::MASTER => link.master = number,
            link::MTU => link.mtu = number.unwrap_or(0),
            _ => {}
        }
    }
    Some(link)
}

/// The number of the link of this name.
pub fn index(socket: &Socket, name: &str) -> io::Result<Option<u32>> {
    Ok(links(socket)?.into_iter().find(|link| link.name == name).map(|link| link.index))
}

/// An IPv4 address of this machine, and the link that has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Own {
    /// The address.
    pub address: Ipv4Addr,
    /// The bits of its network's prefix.
    pub bits: u8,
    /// The link's number.
    pub link: u32,
}

/// Every IPv4 address of the socket's namespace, ascending.
pub fn own_addresses(socket: &Socket) -> io::Result<Vec<Own>> {
    let mut head = [0; ADDRESS_HEAD];
    head[0] = AF_INET;
    let mut batch = Batch::default();
    batch.silent(libc::RTM_GETADDR, flags::DUMP, &head);
    let mut found = Vec::new();
    socket.dump(&batch, |kind, body| {
        if kind == libc::RTM_NEWADDR {
            found.extend(read_address(body));
        }
    })?;
    found.sort_unstable();
    Ok(found)
}

fn read_address(body: &[u8]) -> Option<Own> {
    let link = u32::from_ne_bytes(body.get(4..8)?.try_into().ok()?);
    let bits = *body.get(1)?;
    let (mut local, mut peer) = (None, None);
    for (kind, value) in attributes(body, ADDRESS_HEAD) {
        let address = value.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets));
        match kind {
            libc::IFA_LOCAL => local = address,
            libc::IFA_ADDRESS => peer = address,
            _ => {}
        }
    }
    // Where the two differ, the second is the other end's.
    Some(Own { address: local.or(peer)?, bits, link })
}

/// Where routes of any table lead: first addresses and the bits of their prefixes, those to everywhere left out.
pub fn destinations(socket: &Socket) -> io::Result<Vec<(Ipv4Addr, u8)>> {
    const HEAD: usize = 12;
    let mut head = [0; HEAD];
    head[0] = AF_INET;
    let mut batch = Batch::default();
    batch.silent(libc::RTM_GETROUTE, flags::DUMP, &head);
    let mut found = Vec::new();
    socket.dump(&batch, |kind, body| {
        if let (libc::RTM_NEWROUTE, Some(bits)) = (kind, body.get(1)) {
            let to = attributes(body, HEAD).find(|(kind, _)| *kind == libc::RTA_DST);
            let to = to.and_then(|(_, value)| value.first_chunk::<4>());
            found.extend(to.map(|octets| (Ipv4Addr::from(*octets), *bits)));
        }
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::network::netlink::Family;

    #[test]
    fn this_machine_has_its_loopback() {
        let socket = Socket::open(Family::Route).unwrap();
        let own = own_addresses(&socket).unwrap();
        let loopback = own.iter().find(|own| own.address == Ipv4Addr::LOCALHOST).unwrap();
        assert_eq!(loopback.bits, 8);
        assert_eq!(index(&socket, "lo").unwrap(), Some(loopback.link));
        assert_eq!(index(&socket, "no-such-link").unwrap(), None);
    }

    #[test]
    fn what_is_cut_short_is_no_link_and_no_address() {
        assert_eq!(read_link(&[0; 7]), None);
        assert_eq!(read_address(&[0; ADDRESS_HEAD]), None);
        assert_eq!(read_address(&[]), None);
    }
}
