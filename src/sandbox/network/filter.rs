//! The filter inside a sandbox's network namespace: the wall that function code meets first.
//!
//! It lies in the namespace itself, where only the owner of its user namespace may touch it. Routes would not do: function
//! code leaves by an interface of its choice (`SO_BINDTODEVICE`, `IP_PKTINFO`), past any route that forbids.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    expression::{Expression, TCP, UDP, Verdict, ct},
    netlink::Socket,
    nft::{Change, Hook, SetKind, Tuple},
};
use crate::base::{
    egress::{Egress, Host, Place, Transport},
    special::NOT_PUBLIC_V4,
};

use Expression::{Forbid, Ipv4, Ipv6, OutIndex, Reset, State, Then, To, ToTuple};

const TABLE: &str = "callgate";
const REFUSE: &str = "refuse";
/// The sets of the table.
const CLOSED: &str = "closed";
const HOST: &str = "host";
const OPEN: &str = "open";
/// The loopback interface, in every namespace.
const LO: u32 = 1;
/// The most tuples of an allow-list that are open at once.
const OPEN_MAX: u32 = 4096;
/// How long an address stays open after a name was looked up: at least so long that whoever asked can connect, and
/// reconnect after a while, and at most so long whatever the answer says.
pub const OPEN_TIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_hours(1);

/// A sandbox's filter.
#[derive(Debug)]
pub struct Filter {
    socket: Socket,
    state: Mutex<Rules>,
}

#[derive(Debug)]
struct Rules {
    egress: Egress,
    /// This machine's addresses that are in the set, ascending.
    host: Vec<Ipv4Addr>,
}

impl Filter {
    /// Lays the rules by a socket of the sandbox's namespace. `host` has this machine's addresses.
    pub fn install(socket: Socket, egress: &Egress, host: &[Ipv4Addr]) -> io::Result<Self> {
        let rules = Rules { egress: egress.clone(), host: host.to_vec() };
        rules.lay(&socket)?;
        Ok(Self { socket, state: Mutex::new(rules) })
    }

    /// What it lets through.
    pub fn egress(&self) -> Egress {
        self.rules().egress.clone()
    }

    /// Lets through what `egress` says, from now on. At no time does it let through what neither the old rules nor the new
    /// ones do.
    pub fn replace(&self, egress: &Egress) -> io::Result<()> {
        let mut rules = self.rules();
        let new = Rules { egress: egress.clone(), host: rules.host.clone() };
        new.lay(&self.socket)?;
        *rules = new;
        Ok(())
    }

    /// Refuses these addresses of this machine, instead of those that were told before.
    pub fn set_host(&self, host: &[Ipv4Addr]) -> io::Result<()> {
        let mut rules = self.rules();
        let (gone, new): (Vec<_>, Vec<_>) = (without(&rules.host, host), without(host, &rules.host));
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        let mut change = Change::of(TABLE);
        change.add_addresses(HOST, &new).remove_addresses(HOST, &gone);
        change.commit(&self.socket)?;
        rules.host = host.to_vec();
        Ok(())
    }

    /// Opens the places that `name` stands for in the allow-list, at these addresses, for a time.
    ///
    /// # Errors
    /// The kernel's; also where more would be open than may be.
    pub fn open(&self, name: &str, addresses: &[Ipv4Addr], time: Duration) -> io::Result<()> {
        let rules = self.rules();
        let Egress::Places(places) = &rules.egress else { return Ok(()) };
        let tuples: Vec<Tuple> = places
            .iter()
            .filter(|place| matches!(&place.host, Host::Name(listed) if **listed == *name))
            .flat_map(|place| addresses.iter().map(|address| tuple(*address, place)))
            .collect();
        if tuples.is_empty() {
            return Ok(());
        }
        let time = time.clamp(*OPEN_TIME.start(), *OPEN_TIME.end());
        let mut change = Change::of(TABLE);
        change.add_tuples(OPEN, &tuples, u64::try_from(time.as_millis()).ok());
        change.commit(&self.socket)
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn without(these: &[Ipv4Addr], those: &[Ipv4Addr]) -> Vec<Ipv4Addr> {
    these.iter().filter(|address| !those.contains(address)).copied().collect()
}

fn tuple(address: Ipv4Addr, place: &Place) -> Tuple {
    let transport = match place.transport {
        Transport::Tcp => TCP,
        Transport::Udp => UDP,
    };
    Tuple { address, transport, port: place.port }
}

impl Rules {
    fn lay(&self, socket: &Socket) -> io::Result<()> {
        let refuse = Then(Verdict::Goto(REFUSE));
        let accept = Then(Verdict::Accept);
        let mut change = Change::of(TABLE);
        change
            .anew()
            .set(CLOSED, 1, SetKind::Networks)
            .add_networks(CLOSED, &NOT_PUBLIC_V4)
            .set(HOST, 2, SetKind::Addresses)
            .add_addresses(HOST, &self.host)
            .chain(REFUSE)
            // Whoever connects is told at once: without an answer it would try again for a minute.
            .rule(REFUSE, &[Expression::Transport(TCP), Reset])
            .rule(REFUSE, &[Forbid])
            .base_chain("output", Hook::Output, Verdict::Drop)
            .rule("output", &[OutIndex(LO), accept])
            .rule("output", &[Ipv6, refuse])
            .rule("output", &[Ipv4, To(CLOSED), refuse])
            .rule("output", &[Ipv4, To(HOST), refuse]);
        match &self.egress {
            Egress::Nothing => {}
            Egress::Internet => {
                change
                    .rule("output", &[Ipv4, Expression::Transport(TCP), accept])
                    .rule("output", &[Ipv4, Expression::Transport(UDP), accept]);
            }
            Egress::Places(places) => {
                let fixed: Vec<Tuple> = places
                    .iter()
                    .filter_map(|place| match place.host {
                        Host::Address(address) => Some(tuple(address, place)),
                        Host::Name(_) => None,
                    })
                    .collect();
                change.set(OPEN, 3, SetKind::Timed { max: OPEN_MAX });
                if !fixed.is_empty() {
                    change.add_tuples(OPEN, &fixed, None);
                }
                change
                    // A connection outlives the time for which its address is open.
                    .rule("output", &[Ipv4, State(ct::ESTABLISHED), accept])
                    .rule("output", &[Ipv4, ToTuple(OPEN), accept]);
            }
        }
        change
            .rule("output", &[refuse])
            .base_chain("input", Hook::Input, Verdict::Drop)
            .rule("input", &[Expression::InIndex(LO), accept])
            .rule("input", &[State(ct::ESTABLISHED | ct::RELATED), accept]);
        change.commit(socket)
    }
}
