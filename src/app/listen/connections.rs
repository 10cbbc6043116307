//! Serving connections: accept, shake hands, read requests, and at the end let what runs finish.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    rt::{Read, Write},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{Doors, Listener, tls};

/// A connection, as far as requests on it must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Who is at the other end: the client or a proxy.
    pub peer: SocketAddr,
    /// Whether it is TLS.
    pub tls: bool,
    /// What the listener serves.
    pub doors: Doors,
}

/// Answers requests.
pub trait Answer: Send + Sync + 'static {
    /// The body of answers.
    type Body: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static;

    /// Answers one request. If the client goes, the future is dropped.
    fn answer(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// How connections are bounded.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many may be open at once, over all listeners.
    pub connections_max: u32,
    /// How long the TLS handshake and the headers of a request may take.
    pub header_read: Duration,
}

/// The connections of all listeners.
#[derive(Debug)]
pub struct Connections<A> {
    answer: Arc<A>,
    acceptor: Option<Arc<tls::Acceptor>>,
    bounds: Bounds,
    slots: Arc<Semaphore>,
    draining: watch::Sender<bool>,
}

/// The largest head of a request: a signed request with session token and client context has about 6 KiB.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many requests one HTTP/2 connection may have running.
const STREAMS_MAX: u32 = 256;
/// How long a listener that cannot accept waits before it tries again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After how much silence an HTTP/2 connection is asked whether it still lives, and how long it may take to say so.
const PING_AFTER: Duration = Duration::from_secs(60);

impl<A: Answer> Connections<A> {
    /// Serves with `answer`, over TLS if there is an acceptor.
    pub fn new(answer: Arc<A>, acceptor: Option<Arc<tls::Acceptor>>, bounds: Bounds) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(bounds.connections_max as usize));
        Arc::new(Self { answer, acceptor, bounds, slots, draining: watch::Sender::new(false) })
    }

    /// Accepts connections until [`Connections::drain`] is called; then the listener is closed.
    pub async fn accept(self: Arc<Self>, listener: Listener) {
        let mut draining = self.draining.subscribe();
        let accept = async {
            loop {
                // A slot is taken first: over the limit, connections wait in the kernel's bounded backlog.
                let Ok(slot) = self.slots.clone().acquire_owned().await else { return };
                match listener.socket.accept().await {
                    Ok((stream, peer)) => {
                        tokio::spawn(self.clone().serve(stream, peer, listener.doors, slot));
                    }
                    Err(cause) => {
                        // Out of descriptors, for example: running connections must end before it gets better.
                        tracing::warn!(%cause, address = %listener.address, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            _ = draining.wait_for(|draining| *draining) => {}
        }
    }

    /// Tells every connection to finish: idle ones close, running requests are answered. Returns whether all had ended
    /// within `deadline`.
    pub async fn drain(&self, deadline: Duration) -> bool {
        self.draining.send_replace(true);
        let all = self.slots.acquire_many(self.bounds.connections_max);
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        doors: Doors,
        slot: OwnedSemaphorePermit,
    ) {
        // Answers are written whole; waiting for more to send would only delay them.
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, %peer, "TCP_NODELAY could not be set");
        }
        match self.acceptor.clone() {
            None => self.requests(TokioIo::new(stream), Connection { peer, tls: false, doors }).await,
            Some(acceptor) => {
                match tokio::time::timeout(self.bounds.header_read, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        self.requests(TokioIo::new(stream), Connection { peer, tls: true, doors }).await;
                    }
                    Ok(Err(cause)) => tracing::debug!(%cause, %peer, "the TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
                }
            }
        }
        drop(slot);
    }

    async fn requests(&self, stream: impl Read + Write + Send + Unpin + 'static, connection: Connection) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.header_read)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_AFTER);
        let asked = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let (answer, asked) = (self.answer.clone(), asked.clone());
            move |request| {
                asked.store(true, Ordering::Relaxed);
                let answer = answer.clone();
                async move { Ok::<_, Infallible>(answer.answer(&connection, request).await) }
            }
        });
        let mut serving = pin!(builder.serve_connection(stream, service));
        // Which protocol it is shows only after some bytes, and nothing else bounds the wait for those.
        let mut silent = pin!(tokio::time::sleep(self.bounds.header_read));
        let mut draining = self.draining.subscribe();
        let (mut waiting, mut told) = (true, false);
        let ended = loop {
            tokio::select! {
                ended = &mut serving => break ended,
                () = &mut silent, if waiting => {
                    if !asked.load(Ordering::Relaxed) {
                        return;
                    }
                    waiting = false;
                }
                _ = draining.wait_for(|draining| *draining), if !told => {
                    serving.as_mut().graceful_shutdown();
                    told = true;
                }
            }
        };
        if let Err(cause) = ended {
            // Mostly clients that went away.
            tracing::debug!(cause = %cause, peer = %connection.peer, "a connection ended with an error");
        }
    }
}

#[cfg(test)]
mod tests;
