//! The gateway's own API as sandboxes reach it: connections to a loopback address inside, handed on with the sandbox's
//! address as their source.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::sleep,
};

/// How many connections to the API a sandbox may have at once.
const CONNECTIONS_MAX: usize = 64;
/// How long accepting pauses after it failed.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection from a sandbox.
#[derive(Debug)]
pub struct Connection {
    /// The connection.
    pub stream: TcpStream,
    /// Who speaks: the sandbox's address, which no other sandbox has as long as it lives, and the client's port.
    pub source: SocketAddr,
    /// Counts it as open until dropped.
    pub open: OwnedSemaphorePermit,
}

/// Accepts until dropped.
pub(super) async fn serve(listener: TcpListener, address: Ipv4Addr, connections: mpsc::Sender<Connection>) {
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Those beyond wait in the kernel's queue, and beyond that they are not answered.
        let Ok(permit) = open.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, client)) => {
                let source = SocketAddr::new(address.into(), client.port());
                // Where nobody takes connections, or not so many, they are closed.
                let _ = connections.try_send(Connection { stream, source, open: permit });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
