//! The network of sandboxes: where they may connect to, and by what way.
//!
//! A sandbox starts in a network namespace of its own with nothing but loopback. [`Network::attach`] then, before any
//! function code runs there, and in this order: opens sockets inside by the joiner; lays the filter ([`filter`]); plugs the
//! uplink in ([`bridge`], [`slirp`]); serves the resolver ([`resolver`]) and the gateway's API ([`api`]). So there is no
//! moment at which the uplink is there and the filter is not. Once it is known which function the sandbox gets,
//! [`Attached::narrow`] takes away what that function may not have.
//!
//! `docs/network.md` says what is promised.

pub mod addresses;
mod api;
pub mod bridge;
mod expression;
pub mod filter;
mod hosts;
mod inside;
mod netlink;
mod nft;
pub mod resolver;
mod route;
pub mod slirp;
mod uplink;

use std::{io, path::PathBuf, sync::Arc};

use tokio::{sync::mpsc, task::AbortHandle};

pub use self::{
    addresses::Range,
    api::Connection,
    bridge::BridgeError,
    inside::Sockets,
    slirp::NoSlirp,
    uplink::{Level, NoUplink},
};
use self::{
    addresses::{Address, Addresses},
    filter::Filter,
    hosts::Hosts,
    resolver::{Resolver, upstream::Upstream},
    uplink::{Plug, Uplink},
};
use super::joiner::{Inside, JoinError, Joiner, operations::OpenSockets};
use crate::base::{egress::Egress, rng::SharedRng};

/// Where the gateway's API is inside, on loopback: the port that AWS's runtime API has.
pub const API_PORT: u16 = 9001;
/// The API's URL, as functions use it.
pub const API_URL: &str = "http://127.0.0.1:9001";
/// The resolver's port.
const DNS_PORT: u16 = 53;

/// How sandboxes are connected.
#[derive(Debug)]
pub struct Options {
    /// What sandboxes get before they have a function; no function gets more.
    pub egress: Egress,
    /// Addresses for sandboxes. They also stand for sandboxes as sources of calls.
    pub range: Range,
    /// Whether a root gateway may switch the host's forwarding on.
    pub setup: bool,
    /// Lists the host's resolvers.
    pub resolvers: PathBuf,
    /// Takes connections to the API.
    pub connections: mpsc::Sender<Connection>,
    /// Randomness.
    pub rng: SharedRng,
}

/// Why a sandbox could not be connected. It is not used then.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The joiner could not open sockets.
    #[error("the sandbox's network could not be reached: {0}")]
    Join(#[from] JoinError),
    /// Every address is in use.
    #[error("every address of [sandbox] network_range is in use")]
    NoAddress,
    /// More is asked for than there is.
    #[error(
        "the function's tag callgate:network asks for {asked}, and sandboxes of this gateway have {granted} ([sandbox] \
         network)"
    )]
    Wider {
        /// What the function asks for.
        asked: Egress,
        /// What there is.
        granted: Egress,
    },
    /// A step failed.
    #[error("{what}: {cause}")]
    Io {
        /// The step.
        what: &'static str,
        /// Why.
        cause: io::Error,
    },
}

fn at(what: &'static str) -> impl FnOnce(io::Error) -> AttachError {
    move |cause| AttachError::Io { what, cause }
}

/// The network of all sandboxes of a gateway. A clone is the same.
#[derive(Clone, Debug)]
pub struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    egress: Egress,
    uplink: Uplink,
    addresses: Arc<Addresses>,
    hosts: Arc<Hosts>,
    upstream: Arc<Upstream>,
    connections: mpsc::Sender<Connection>,
    watching: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Network {
    /// Sets the network up: the strongest uplink that this machine and this user have, unless no sandbox gets any.
    pub async fn open(options: Options) -> Result<Self, NoUplink> {
        let Options { egress, range, setup, resolvers, connections, rng } = options;
        let wanted = egress.clone();
        let (uplink, range) = blocking(move || Uplink::open(&wanted, range, setup)).await??;
        let hosts = Hosts::new()?;
        let watching = tokio::spawn(hosts.clone().watch()).abort_handle();
        Ok(Self(Arc::new(Shared {
            egress,
            uplink,
            addresses: Addresses::new(range),
            hosts,
            upstream: Arc::new(Upstream::new(resolvers, rng)),
            connections,
            watching,
        })))
    }

    /// By what way sandboxes are connected.
    pub fn level(&self) -> Level {
        self.0.uplink.level()
    }

    /// Connects a sandbox in which no function code has run. `uid` is its host user where the gateway is root.
    pub async fn attach(
        &self,
        joiner: &Joiner,
        sandbox: &Inside,
        uid: Option<u32>,
    ) -> Result<Attached, AttachError> {
        let done = joiner.request(sandbox, vec![OpenSockets {}.into()], &[]).await?;
        let sockets: [_; 5] = done
            .descriptors
            .try_into()
            .map_err(|_| at("sockets from the joiner")(io::Error::other("not as many as asked for")))?;
        self.attach_by(Sockets::from_descriptors(sockets), uid).await
    }

    /// The same with sockets that are open already.
    pub async fn attach_by(&self, sockets: Sockets, uid: Option<u32>) -> Result<Attached, AttachError> {
        let address = self.0.addresses.take().ok_or(AttachError::NoAddress)?;
        let me = self.clone();
        let (sockets, plugged, address) =
            blocking(move || me.plug(sockets, uid, address)).await.map_err(at("thread"))??;
        let Plugged { filter, plug, route } = plugged;
        let (api, dns, dns_tcp) = sockets;
        let api = tokio::net::TcpListener::from_std(api).map_err(at("the API's listener"))?;
        let dns = tokio::net::UdpSocket::from_std(dns).map_err(at("the resolver's socket"))?;
        let dns_tcp = tokio::net::TcpListener::from_std(dns_tcp).map_err(at("the resolver's listener"))?;
        let resolver = Resolver::new(self.0.upstream.clone(), filter.clone());
        let tasks = [
            tokio::spawn(resolver.serve(dns, dns_tcp)).abort_handle(),
            tokio::spawn(api::serve(api, address.get(), self.0.connections.clone())).abort_handle(),
        ];
        Ok(Attached { filter, plug, route: Arc::new(route), tasks, address, _network: self.clone() })
    }

    fn plug(
        &self,
        sockets: Sockets,
        uid: Option<u32>,
        address: Address,
    ) -> Result<(Listeners, Plugged, Address), AttachError> {
        let namespace = sockets.namespace().map_err(at("the sandbox's network namespace"))?;
        let Sockets { netfilter, route, api, dns, dns_tcp } = sockets;
        let filter = self.0.hosts.guard(|host| Filter::install(netfilter, &self.0.egress, host));
        let filter = filter.map_err(at("the sandbox's nftables rules"))?;
        let plug =
            self.0.uplink.plug(&namespace, &route, &address, uid).map_err(at("the sandbox's uplink"))?;
        Ok(((api, dns, dns_tcp), Plugged { filter, plug, route }, address))
    }
}

type Listeners = (std::net::TcpListener, std::net::UdpSocket, std::net::TcpListener);

struct Plugged {
    filter: Arc<Filter>,
    plug: Plug,
    route: netlink::Socket,
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// A connected sandbox. Dropping it frees everything that belongs to its connection; drop it with the sandbox or after it.
#[derive(Debug)]
pub struct Attached {
    filter: Arc<Filter>,
    plug: Plug,
    route: Arc<netlink::Socket>,
    tasks: [AbortHandle; 2],
    address: Address,
    // Dropped last: the uplink stays as long as one sandbox is attached to it.
    _network: Network,
}

impl Attached {
    /// Leaves the sandbox what `egress` says, before function code runs there. At no time is it more than before.
    ///
    /// # Errors
    /// [`AttachError::Wider`] if that is more than it has; any error means that it must not be used.
    pub async fn narrow(&mut self, egress: &Egress) -> Result<(), AttachError> {
        let granted = self.filter.egress();
        if *egress == granted {
            return Ok(());
        }
        if granted != Egress::Internet && *egress != Egress::Nothing {
            return Err(AttachError::Wider { asked: egress.clone(), granted });
        }
        let (filter, wanted) = (self.filter.clone(), egress.clone());
        let pulled = (*egress == Egress::Nothing)
            .then(|| (std::mem::replace(&mut self.plug, Plug::Out), self.route.clone()));
        let work = move || {
            filter.replace(&wanted).map_err(at("the sandbox's nftables rules"))?;
            match pulled {
                Some((plug, route)) => plug.pull(&route).map_err(at("the sandbox's uplink")),
                None => Ok(()),
            }
        };
        blocking(work).await.map_err(at("thread"))?
    }

    /// The address that stands for this sandbox as a source of calls.
    pub fn source(&self) -> std::net::Ipv4Addr {
        self.address.get()
    }

    /// Whether the uplink that it should have is there. One that has gone comes back with a new sandbox only.
    pub fn is_connected(&mut self) -> bool {
        self.plug.is_there()
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
