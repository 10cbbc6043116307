//! What the gateway holds of a sandbox's network namespace: sockets that were opened inside and are used from outside.

#![expect(unsafe_code, reason = "ioctls that make descriptors; each use says why it is sound")]

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::{
    API_PORT, DNS_PORT,
    netlink::{Family, Socket},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

/// Sockets of a sandbox's network namespace. As long as one of them is open, the namespace stays.
#[derive(Debug)]
pub struct Sockets {
    /// Speaks to nftables.
    pub(super) netfilter: Socket,
    /// Speaks to links and routes.
    pub(super) route: Socket,
    /// Where functions reach the gateway.
    pub(super) api: TcpListener,
    /// Where functions look names up.
    pub(super) dns: UdpSocket,
    /// The same by TCP.
    pub(super) dns_tcp: TcpListener,
}

impl Sockets {
    /// Opens them in the calling thread's network namespace; to be called where its owner's capabilities are: by a thread
    /// of a root gateway, or by a process that joined the user namespace as well. No function code may have run there yet,
    /// or it could have the ports.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            netfilter: Socket::open(Family::Netfilter)?,
            route: Socket::open(Family::Route)?,
            api: listen(API_PORT)?,
            dns: bind(SocketType::DGRAM, DNS_PORT)?.into(),
            dns_tcp: listen(DNS_PORT)?,
        })
    }

    /// Them as descriptors, to be handed from one process to another.
    pub fn into_descriptors(self) -> [OwnedFd; 5] {
        [self.netfilter.into(), self.route.into(), self.api.into(), self.dns.into(), self.dns_tcp.into()]
    }

    /// Them again, in the order in which they were handed over.
    pub fn from_descriptors([netfilter, route, api, dns, dns_tcp]: [OwnedFd; 5]) -> Self {
        Self {
            netfilter: netfilter.into(),
            route: route.into(),
            api: api.into(),
            dns: dns.into(),
            dns_tcp: dns_tcp.into(),
        }
    }

    /// The network namespace.
    pub(super) fn namespace(&self) -> io::Result<OwnedFd> {
        // `SIOCGSKNS` of linux/sockios.h
        related(self.route.as_fd(), 0x894c)
    }
}

/// The user namespace that owns a namespace, which need not be the one that its processes are in.
pub(super) fn owner(namespace: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // `NS_GET_USERNS` of linux/nsfs.h
    related(namespace, 0xb701)
}

fn related(fd: BorrowedFd<'_>, request: libc::Ioctl) -> io::Result<OwnedFd> {
    // SAFETY: both requests take no argument and return a new descriptor or an error.
    match unsafe { libc::ioctl(fd.as_raw_fd(), request) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel made this descriptor for us just now; nobody else has its number.
        new => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
    }
}

fn bind(sort: SocketType, port: u16) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::INET, sort, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    Ok(socket)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = bind(SocketType::STREAM, port)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}
