//! Where connections come from: the listeners, and TLS.

mod sandboxes;
pub mod tls;

pub use sandboxes::Sandboxes;

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::net::TcpListener;

use super::config::Server;
use crate::api::Door;

/// One listener and what it serves.
#[derive(Debug)]
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// The address that it got; the port is real even if 0 was asked for.
    pub address: SocketAddr,
    /// What it serves.
    pub doors: &'static [Door],
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// Why an address could not be listened on. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[error("[server] {field}: cannot listen on {address}: {}", advice(cause))]
pub struct ListenError {
    field: &'static str,
    address: SocketAddr,
    cause: io::Error,
}

impl ListenError {
    /// What is wrong and what to do, without the place.
    pub fn advice(&self) -> String {
        advice(&self.cause)
    }
}

fn advice(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has this port: stop it, or set another port (0 takes any that is free)"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need root or CAP_NET_BIND_SERVICE: take a higher port, or put a proxy in front"
                .to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => cause.to_string(),
    }
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds the listeners that the configuration asks for: one with both doors while `listen` is loopback, else two.
pub fn bind(server: &Server) -> Result<Vec<Listener>, ListenError> {
    if server.beyond_loopback() {
        // A certificate names the public host: on loopback nobody could check it, and nothing needs it.
        let management_tls = server.tls() && !server.management_listen.ip().to_canonical().is_loopback();
        Ok(vec![
            bind_one("listen", server.listen, &[Door::Data], server.tls())?,
            bind_one("management_listen", server.management_listen, &[Door::Management], management_tls)?,
        ])
    } else {
        Ok(vec![bind_one("listen", server.listen, &[Door::Data, Door::Management], server.tls())?])
    }
}

/// Whether an address could be listened on now; for `doctor`.
pub fn can_bind(field: &'static str, address: SocketAddr) -> Result<(), ListenError> {
    socket(address).map(drop).map_err(|cause| ListenError { field, address, cause })
}

fn bind_one(
    field: &'static str,
    address: SocketAddr,
    doors: &'static [Door],
    tls: bool,
) -> Result<Listener, ListenError> {
    let error = |cause| ListenError { field, address, cause };
    let socket = socket(address).and_then(TcpListener::from_std).map_err(error)?;
    let address = socket.local_addr().map_err(error)?;
    Ok(Listener { socket, address, doors, tls })
}

fn socket(address: SocketAddr) -> io::Result<StdListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    // A restart must not wait for the connections of the process before it to time out.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(listen: &str) -> Server {
        Server {
            listen: listen.parse().unwrap(),
            management_listen: "127.0.0.1:0".parse().unwrap(),
            ..Server::default()
        }
    }

    const DATA: &[Door] = &[Door::Data];
    const MANAGEMENT: &[Door] = &[Door::Management];
    const BOTH: &[Door] = &[Door::Data, Door::Management];

    #[tokio::test]
    async fn loopback_has_one_listener_and_beyond_it_the_doors_part() {
        let loopback = bind(&server("127.0.0.1:0")).unwrap();
        assert_eq!(loopback.iter().map(|listener| listener.doors).collect::<Vec<_>>(), [BOTH]);
        assert_ne!(loopback[0].address.port(), 0);
        let beyond = bind(&server("0.0.0.0:0")).unwrap();
        assert_eq!(beyond.iter().map(|listener| listener.doors).collect::<Vec<_>>(), [DATA, MANAGEMENT]);
        assert!(beyond[1].address.ip().is_loopback());
        let tls = Server {
            tls_certificate: Some("certificate.pem".into()),
            tls_key: Some("key.pem".into()),
            ..server("0.0.0.0:0")
        };
        let tls = bind(&tls).unwrap();
        assert_eq!(tls.iter().map(|listener| listener.tls).collect::<Vec<_>>(), [true, false]);
    }

    #[tokio::test]
    async fn a_taken_port_is_told_with_what_to_do() {
        let first = bind(&server("127.0.0.1:0")).unwrap();
        let taken = first[0].address;
        let error = bind(&server(&taken.to_string())).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "[server] listen: cannot listen on {taken}: another process has this port: stop it, or set another port \
                 (0 takes any that is free)"
            )
        );
    }
}
