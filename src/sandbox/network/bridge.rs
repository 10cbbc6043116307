//! The uplink of a root gateway: a pair of links for each sandbox, all on one bridge whose ports do not speak to each other,
//! and a table of rules on the host as the second wall.

use std::{fs, io, net::Ipv4Addr, os::fd::BorrowedFd};

use super::{
    addresses::{Address, Range},
    expression::{Expression, TCP, UDP, Verdict, ct},
    netlink::{Family, Socket},
    nft::{Change, Hook, SetKind},
    route,
};
use crate::base::special::NOT_PUBLIC_V4;

use Expression::{
    Forbid, From, InName, InNames, Ipv4, Ipv6, Masquerade, NotOutName, OutName, OutNames, Reset, State, Then,
    To, Transport,
};

/// How bridges' names begin: a number follows, since several gateways may run on a machine.
const BRIDGES: &str = "callgate";
/// How the names of tables begin: the number of the bridge follows.
const TABLES: &str = "callgate_wall";
/// The most gateways that may have a bridge on a machine.
const GATEWAYS_MAX: u32 = 16;
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
    /// Other gateways have all there may be.
    #[error(
        "{GATEWAYS_MAX} gateways on this machine have a bridge already: give this one [sandbox] network = \"none\""
    )]
    InUse,
    /// The host does not forward.
    #[error(
        "this host does not forward IPv4: set the sysctl net.ipv4.ip_forward=1, or let the gateway do so with [sandbox] \
         network_setup = true"
    )]
    Forwarding,
    /// The range is somebody's.
    #[error(
        "this host already has or routes {address}/{bits}: set [sandbox] network_range to a network that is free"
    )]
    Taken {
        /// An address of what overlaps.
        address: Ipv4Addr,
        /// The bits of its prefix.
        bits: u8,
    },
    /// The kernel refused.
    #[error(
        "{what}: {cause} (needed of the kernel: bridge, veth, nf_tables with masquerading, 5.12 or later)"
    )]
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
    name: String,
    index: u32,
    range: Range,
    mtu: u32,
    forwarding_was_off: bool,
}

impl Bridge {
    /// Raises the wall, clears away what killed gateways left, and makes a bridge with a part of `range`. `setup` says that
    /// the host's forwarding may be switched on.
    pub fn open(range: Range, setup: bool) -> Result<Self, BridgeError> {
        let route = Socket::open(Family::Route).map_err(refused("netlink"))?;
        let (number, wall) = claim()?;
        clear_unclaimed(&route, number).map_err(refused("removing what another gateway left"))?;
        let range = range.part(number, GATEWAYS_MAX);
        check_free(&route, range)?;
        let mtu = smallest_mtu(&route).map_err(refused("listing links"))?;
        let forwarding_was_off = forward(setup)?;
        let name = format!("{BRIDGES}{number}");
        raise(&wall, &format!("{TABLES}{number}"), &name, range, forwarding_was_off)
            .map_err(refused("the host's nftables rules"))?;
        let mut bridge = Self { route, _wall: wall, name, index: 0, range, mtu, forwarding_was_off };
        route::add_bridge(&bridge.route, &bridge.name).map_err(refused("making a bridge"))?;
        let index = route::index(&bridge.route, &bridge.name).map_err(refused("listing links"))?;
        bridge.index = index.unwrap_or(0);
        route::add_address(&bridge.route, bridge.index, range.gateway(), range.bits())
            .map_err(refused("giving the bridge its address"))?;
        Ok(bridge)
    }

    /// Whether the kernel takes rules and links like ours: makes some, and takes them away.
    pub(super) fn probe() -> Result<(), BridgeError> {
        let (number, wall) = claim()?;
        let route = Socket::open(Family::Route).map_err(refused("netlink"))?;
        let name = format!("{BRIDGES}{number}");
        let range = Range::new(Ipv4Addr::new(100, 64, 0, 0), 28)
            .map_err(|error| BridgeError::Refused { what: "addresses", cause: io::Error::other(error) })?;
        raise(&wall, &format!("{TABLES}{number}"), &name, range, false)
            .map_err(refused("the host's nftables rules"))?;
        clear(&route, &name).map_err(refused("removing a bridge"))?;
        route::add_bridge(&route, &name).map_err(refused("making a bridge"))?;
        clear(&route, &name).map_err(refused("removing a bridge"))
    }

    /// The addresses of this bridge's sandboxes.
    pub fn range(&self) -> Range {
        self.range
    }

    /// Plugs a sandbox in: `namespace` is its network's, `inside` a socket there.
    pub(super) fn plug(
        &self,
        address: &Address,
        namespace: BorrowedFd<'_>,
        inside: &Socket,
    ) -> io::Result<()> {
        // Its name is its address's: where a sandbox that had the address is not quite gone, this fails.
        let port = format!("{}.{}", self.name, address.offset());
        // A socket of this thread's own: many sandboxes are plugged in at once.
        let socket = Socket::open(Family::Route)?;
        route::add_pair(&socket, &port, self.index, INSIDE, namespace, self.mtu)?;
        route::configure(inside, INSIDE, address.get(), self.range.gateway())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Err(error) = clear(&self.route, &self.name) {
            tracing::warn!(%error, bridge = self.name, "a bridge could not be removed; the next start will");
        }
        let others = route::links(&self.route).unwrap_or_default();
        if self.forwarding_was_off
            && !others.iter().any(|link| number_of(&link.name).is_some())
            && let Err(error) = fs::write(FORWARDING, "0")
        {
            tracing::warn!(%error, "IPv4 forwarding could not be switched off again");
        }
    }
}

/// The number of a bridge of ours.
fn number_of(name: &str) -> Option<u32> {
    let number = name.strip_prefix(BRIDGES)?.parse().ok()?;
    (number < GATEWAYS_MAX).then_some(number)
}

/// Makes the table of this number, empty, if nobody has it: the kernel gives it to one socket alone.
fn claim_one(number: u32) -> io::Result<Option<Socket>> {
    let socket = Socket::open(Family::Netfilter)?;
    match Change::of(&format!("{TABLES}{number}")).own().commit(&socket) {
        Ok(()) => Ok(Some(socket)),
        // EPERM is for somebody else's table; who may not change tables at all fails before, with the same.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::EPERM)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn claim() -> Result<(u32, Socket), BridgeError> {
    for number in 0..GATEWAYS_MAX {
        if let Some(socket) = claim_one(number).map_err(refused("the host's nftables rules"))? {
            return Ok((number, socket));
        }
    }
    Err(BridgeError::InUse)
}

/// Removes the bridges that nobody has any more, and what is left of the one that is ours now.
fn clear_unclaimed(socket: &Socket, ours: u32) -> io::Result<()> {
    for link in route::links(socket)? {
        let Some(number) = number_of(&link.name) else { continue };
        // Held until the bridge is gone.
        let claimed = if number == ours { None } else { claim_one(number)? };
        if number == ours || claimed.is_some() {
            clear(socket, &link.name)?;
        }
    }
    Ok(())
}

/// Removes a bridge and its ports.
fn clear(socket: &Socket, name: &str) -> io::Result<()> {
    let links = route::links(socket)?;
    let Some(bridge) = links.iter().find(|link| link.name == name) else { return Ok(()) };
    for port in links.iter().filter(|link| link.master == Some(bridge.index)) {
        route::remove(socket, &port.name)?;
    }
    route::remove(socket, name)
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

/// The second wall. What it says of packets that are no sandbox's is nothing; unless the host did not forward before
/// (`alone`): then it goes on not to, but for sandboxes.
fn raise(socket: &Socket, table: &str, bridge: &str, range: Range, alone: bool) -> io::Result<()> {
    const CLOSED: &str = "closed";
    const FROM: &str = "from_sandbox";
    const REFUSE: &str = "refuse";
    let (refuse, accept, drop) = (Then(Verdict::Goto(REFUSE)), Then(Verdict::Accept), Then(Verdict::Drop));
    let sandboxes = From(range.first(), range.bits());
    let others = if alone { Verdict::Drop } else { Verdict::Accept };
    let mut change = Change::of(table);
    change
        .set(CLOSED, 1, SetKind::Networks)
        .add_networks(CLOSED, &NOT_PUBLIC_V4)
        .chain(REFUSE)
        .rule(REFUSE, &[Transport(TCP), Reset])
        .rule(REFUSE, &[Forbid])
        .chain(FROM)
        .rule(FROM, &[OutName(bridge), drop])
        .rule(FROM, &[Ipv6, refuse])
        .rule(FROM, &[Ipv4, To(CLOSED), refuse])
        .rule(FROM, &[Ipv4, sandboxes, Transport(TCP), accept])
        .rule(FROM, &[Ipv4, sandboxes, Transport(UDP), accept])
        .rule(FROM, &[refuse])
        .base_chain("forward", Hook::Forward, others)
        .rule("forward", &[InName(bridge), Then(Verdict::Goto(FROM))])
        .rule("forward", &[OutName(bridge), State(ct::ESTABLISHED | ct::RELATED), accept])
        .rule("forward", &[OutName(bridge), drop])
        // Other gateways' sandboxes, whose own walls decide.
        .rule("forward", &[InNames(BRIDGES), accept])
        .rule("forward", &[OutNames(BRIDGES), accept])
        // Every address of this host, public ones too.
        .base_chain("input", Hook::Input, Verdict::Accept)
        .rule("input", &[InName(bridge), refuse])
        .base_chain("postrouting", Hook::Postrouting, Verdict::Accept)
        .rule("postrouting", &[Ipv4, sandboxes, NotOutName(bridge), Masquerade]);
    change.commit(socket)
}
