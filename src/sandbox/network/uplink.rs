//! By what way sandboxes reach the Internet: the strongest that there is.

use std::{
    fmt, io,
    os::fd::{AsFd, OwnedFd},
};

use super::{
    addresses::{Address, Range},
    bridge::{self, Bridge, BridgeError},
    netlink::Socket,
    route,
    slirp::{NoSlirp, Running, Slirp},
};
use crate::base::egress::Egress;

/// By what way sandboxes are connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// A bridge of the kernel's and a second wall of rules on the host: root alone.
    Bridge,
    /// A process for each sandbox.
    Slirp,
    /// Not at all.
    Nothing,
}

impl Level {
    /// By what way sandboxes of this user would be connected, and why not by a stronger one. Leaves nothing behind.
    pub fn probe() -> Result<(Self, Option<BridgeError>), NoUplink> {
        if !rustix::process::geteuid().is_root() {
            return Slirp::find().map(|_| (Self::Slirp, None)).map_err(NoUplink::User);
        }
        match Bridge::probe() {
            Ok(()) => Ok((Self::Bridge, None)),
            Err(error) => match Slirp::find() {
                Ok(_) => Ok((Self::Slirp, Some(error))),
                Err(missing) => Err(NoUplink::Root(error, missing)),
            },
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bridge => "bridge",
            Self::Slirp => "slirp4netns",
            Self::Nothing => "none",
        })
    }
}

/// Why sandboxes cannot be connected. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoUplink {
    /// Neither way is open to root.
    #[error("sandboxes cannot reach the Internet: {0}; and {1}. Or set [sandbox] network = \"none\"")]
    Root(BridgeError, NoSlirp),
    /// The one way of ordinary users is closed.
    #[error("sandboxes cannot reach the Internet: {0}. Or set [sandbox] network = \"none\"")]
    User(NoSlirp),
    /// The system refused.
    #[error("sandboxes' network could not be set up: {0}")]
    Io(#[from] io::Error),
}

#[derive(Debug)]
pub(super) enum Uplink {
    Bridge(Bridge),
    Slirp(Slirp),
    Nothing,
}

impl Uplink {
    /// Opens the way, and says which addresses of the range sandboxes have.
    pub(super) fn open(egress: &Egress, range: Range, setup: bool) -> Result<(Self, Range), NoUplink> {
        if *egress == Egress::Nothing {
            return Ok((Self::Nothing, range));
        }
        if !rustix::process::geteuid().is_root() {
            return Slirp::find().map(|slirp| (Self::Slirp(slirp), range)).map_err(NoUplink::User);
        }
        match Bridge::open(range, setup) {
            Ok(bridge) => {
                let range = bridge.range();
                Ok((Self::Bridge(bridge), range))
            }
            Err(error) => match Slirp::find() {
                Ok(slirp) => {
                    tracing::warn!(%error, "sandboxes are connected by slirp4netns, since there is no bridge");
                    Ok((Self::Slirp(slirp), range))
                }
                Err(missing) => Err(NoUplink::Root(error, missing)),
            },
        }
    }

    pub(super) fn level(&self) -> Level {
        match self {
            Self::Bridge(_) => Level::Bridge,
            Self::Slirp(_) => Level::Slirp,
            Self::Nothing => Level::Nothing,
        }
    }

    /// Plugs a sandbox in: its network namespace, a socket there, its address, its host user.
    pub(super) fn plug(
        &self,
        namespace: &OwnedFd,
        inside: &Socket,
        address: &Address,
        uid: Option<u32>,
    ) -> io::Result<Plug> {
        Ok(match self {
            Self::Bridge(bridge) => {
                bridge.plug(address, namespace.as_fd(), inside)?;
                Plug::Pair
            }
            Self::Slirp(slirp) => Plug::Process(slirp.plug(namespace, uid)?),
            Self::Nothing => Plug::Out,
        })
    }
}

/// A sandbox's end of the uplink.
#[derive(Debug)]
pub(super) enum Plug {
    /// A pair of links: it goes with the sandbox's namespace.
    Pair,
    /// A process.
    Process(Running),
    /// Pulled, or never there.
    Out,
}

impl Plug {
    /// Disconnects.
    pub(super) fn pull(self, inside: &Socket) -> io::Result<()> {
        match self {
            Self::Pair => route::take_down(inside, bridge::INSIDE),
            Self::Process(mut running) => {
                running.end();
                Ok(())
            }
            Self::Out => Ok(()),
        }
    }

    pub(super) fn is_there(&mut self) -> bool {
        match self {
            // The kernel's links stay as long as the namespace does.
            Self::Pair | Self::Out => true,
            Self::Process(running) => running.is_running(),
        }
    }
}
