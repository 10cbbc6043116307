//! The uplink of a root gateway: a pair of links for each sandbox, all on one bridge whose ports do not speak to each other,
//! and a table of rules on the host as the second wall.

use std::{fs, io, net::Ipv4Addr, os::fd::BorrowedFd};

use super::{
    addresses::{Address, Range},
    netlink::{Family, Socket},
    nft::{Change, Expression, Hook, SetKind, TCP, UDP, Verdict, ct},
    route,
};
use crate::base::special::NOT_PUBLIC_V4;

use Expression::{Forbid, From, InName, Ipv4, Ipv6, Masquerade, NotOutName, OutName, Reset, State, Then, To, Transport};

/// The bridge's name.
pub const BRIDGE: &str = "callgate0";
/// The table of rules on the host.
pub const TABLE: &str = "callgate_wall";
/// The link's name inside.
pub(super) const INSIDE: &str = "eth0";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
/// What links take if no other link of the host takes less, in bytes.
const MTU_MAX: u32 = 1500;
/// What every IPv6 link must take and every IPv4 link does, in bytes.
const MTU_MIN: u32 = 1280;

/// Why there is no bridge. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Another gateway has it.
    #[error("another gateway on this machine has the bridge {BRIDGE}: stop it, or give one of the two [sandbox] network = \"none\"")]
    InUse,
    /// The host does not forward.
    #[error(
        "this host does not forward IPv4: set the sysctl net.ipv4.ip_forward=1, or let the gateway do so with [sandbox] \
         network_setup = true"
    )]
    Forwarding,
    /// The range is somebody's.
    #[error("this host already has or routes {address}/{bits}: set [sandbox] network_range to a network that is free")]
    Taken {
        /// An address of what overlaps.
        address: Ipv4Addr,
        /// The bits of its prefix.
        bits: u8,
    },
    /// The kernel refused.
    #[error("{what}: {cause} (needed of the kernel: bridge, veth, nf_tables with masquerading, 5.12 or later)")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// Why not.
        cause: io::Error,
    },
}

fn refused(what: &'static str) -> impl FnOnce(io::Error) -> BridgeError {
    move |cause| BridgeError::Refused { what, cause }
}

/// The bridge and the wall; both go when it is dropped.
#[derive(Debug)]
pub struct Bridge {
    route: Socket,
    /// Owns the table: it goes with the process, however that ends, and no reload of a firewall takes it away before.
    _wall: Socket,
    index: u32,
    range: Range,
    mtu: u32,
    forwarding_was_off: bool,
}

impl Bridge {
    /// Raises the wall, clears away what a killed gateway left, and makes the bridge. `setup` says that the host's
    /// forwarding may be switched on.
    pub fn open(range: Range, setup: bool) -> Result<Self, BridgeError> {
        let route = Socket::open(Family::Route).map_err(refused("netlink"))?;
        let wall = Socket::open(Family::Netfilter).map_err(refused("netlink"))?;
        match raise(&wall, range) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::EPERM)) && is_root() => {
                return Err(BridgeError::InUse);
            }
            raised => raised.map_err(refused("the host's nftables rules"))?,
        }
        clear(&route).map_err(refused("removing what another gateway left"))?;
        check_free(&route, range)?;
        let mtu = smallest_mtu(&route).map_err(refused("listing links"))?;
        let forwarding_was_off = forward(setup)?;
        let mut bridge = Self { route, _wall: wall, index: 0, range, mtu, forwarding_was_off };
        route::add_bridge(&bridge.route, BRIDGE).map_err(refused("making a bridge"))?;
        let index = route::index(&bridge.route, BRIDGE).map_err(refused("listing links"))?;
        bridge.index = index.unwrap_or(0);
        route::add_address(&bridge.route, bridge.index, range.gateway(), range.bits())
            .map_err(refused("giving the bridge its address"))?;
        Ok(bridge)
    }

    /// Plugs a sandbox in: `namespace` is its network's, `inside` a socket there.
    pub(super) fn plug(
        &self,
        address: &Address,
        namespace: BorrowedFd<'_>,
        inside: &Socket,
    ) -> io::Result<()> {
        // Its name is its address's: where a sandbox that had the address is not quite gone, this fails.
        let port = format!("cg{}", address.offset());
        // A socket of this thread's own: many sandboxes are plugged in at once.
        let socket = Socket::open(Family::Route)?;
        route::add_pair(&socket, &port, self.index, INSIDE, namespace, self.mtu)?;
        route::configure(inside, INSIDE, address.get(), self.range.gateway())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Err(error) = clear(&self.route) {
            tracing::warn!(%error, "the bridge {BRIDGE} could not be removed; the next start will");
        }
        if self.forwarding_was_off
            && let Err(error) = fs::write(FORWARDING, "0")
        {
            tracing::warn!(%error, "IPv4 forwarding could not be switched off again");
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Removes the bridge and its ports.
fn clear(socket: &Socket) -> io::Result<()> {
    let links = route::links(socket)?;
    let Some(bridge) = links.iter().find(|link| link.name == BRIDGE) else { return Ok(()) };
    for port in links.iter().filter(|link| link.master == Some(bridge.index)) {
        route::remove(socket, &port.name)?;
    }
    route::remove(socket, BRIDGE)
}

fn check_free(socket: &Socket, range: Range) -> Result<(), BridgeError> {
    let own = route::own_addresses(socket).map_err(refused("listing addresses"))?;
    let routes = route::destinations(socket).map_err(refused("listing routes"))?;
    let networks = own.iter().map(|own| (own.address, own.bits)).chain(routes);
    match networks.into_iter().find(|(address, bits)| range.overlaps(*address, *bits)) {
        Some((address, bits)) => Err(BridgeError::Taken { address, bits }),
        None => Ok(()),
    }
}

fn smallest_mtu(socket: &Socket) -> io::Result<u32> {
    let links = route::links(socket)?;
    let smallest = links.iter().filter(|link| link.carries).map(|link| link.mtu).min();
    Ok(smallest.unwrap_or(MTU_MAX).clamp(MTU_MIN, MTU_MAX))
}

/// Sees to it that the host forwards; says whether it did not.
fn forward(setup: bool) -> Result<bool, BridgeError> {
    let now = fs::read_to_string(FORWARDING).map_err(refused(FORWARDING))?;
    if now.trim() != "0" {
        return Ok(false);
    }
    if !setup {
        return Err(BridgeError::Forwarding);
    }
    fs::write(FORWARDING, "1").map_err(refused(FORWARDING))?;
    Ok(true)
}

/// The second wall. What it says of packets that are no sandbox's is nothing.
fn raise(socket: &Socket, range: Range) -> io::Result<()> {
    const CLOSED: &str = "closed";
    const FROM: &str = "from_sandbox";
    const REFUSE: &str = "refuse";
    let (refuse, accept, drop) = (Then(Verdict::Goto(REFUSE)), Then(Verdict::Accept), Then(Verdict::Drop));
    let sandboxes = From(range.first(), range.bits());
    let mut change = Change::of(TABLE);
    change
        .own()
        .set(CLOSED, 1, SetKind::Networks)
        .add_networks(CLOSED, &NOT_PUBLIC_V4)
        .chain(REFUSE)
        .rule(REFUSE, &[Transport(TCP), Reset])
        .rule(REFUSE, &[Forbid])
        .chain(FROM)
        .rule(FROM, &[OutName(BRIDGE), drop])
        .rule(FROM, &[Ipv6, refuse])
        .rule(FROM, &[Ipv4, To(CLOSED), refuse])
        .rule(FROM, &[Ipv4, sandboxes, Transport(TCP), accept])
        .rule(FROM, &[Ipv4, sandboxes, Transport(UDP), accept])
        .rule(FROM, &[refuse])
        .base_chain("forward", Hook::Forward, Verdict::Accept)
        .rule("forward", &[InName(BRIDGE), Then(Verdict::Goto(FROM))])
        .rule("forward", &[OutName(BRIDGE), State(ct::ESTABLISHED | ct::RELATED), accept])
        .rule("forward", &[OutName(BRIDGE), drop])
        // Every address of this host, public ones too.
        .base_chain("input", Hook::Input, Verdict::Accept)
        .rule("input", &[InName(BRIDGE), refuse])
        .base_chain("postrouting", Hook::Postrouting, Verdict::Accept)
        .rule("postrouting", &[Ipv4, sandboxes, NotOutName(BRIDGE), Masquerade]);
    change.commit(socket)
}
