//! Connections that functions make to the gateway from inside their sandboxes.

use std::{future::pending, io, net::SocketAddr};

use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, mpsc},
};

use crate::{edge::server::Accept, sandbox::network::Connection};

/// Takes them as they come; each has its sandbox's own address as its source, which the quota of addresses goes by.
#[derive(Debug)]
pub struct Sandboxes(pub mpsc::Receiver<Connection>);

impl Accept for Sandboxes {
    type Held = OwnedSemaphorePermit;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        match self.0.recv().await {
            Some(Connection { stream, source, open }) => Ok((stream, source, open)),
            // There are no sandboxes any more, and no more connections: that is no error.
            None => pending().await,
        }
    }
}
