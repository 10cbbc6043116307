//! Connections: accepting, TLS, HTTP/1.1 and HTTP/2, limits, draining.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};

use super::{serving::Serving, spelling::spelled};
use crate::{api::Door, telemetry::Metrics};

/// How a listener and its connections are bounded.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once, over all listeners.
    pub connections_max: u64,
    /// How long a head may take to arrive, idle time between requests included.
    pub header_read: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
}

/// The most bytes a request's head may have: the client context (3.5 KiB), a session token (1.5 KiB) and all the rest.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most header fields a request may have.
const HEADERS_MAX: usize = 128;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// How long accepting pauses after it failed, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a request came in.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Which doors the listener serves.
    pub doors: &'static [Door],
}

/// Whatever answers requests.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request; it cannot fail.
    fn answer(
        self: Arc<Self>,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Something that turns a connection into an encrypted one. The command's TLS configuration, which it may replace while
/// running, stands behind it.
pub trait Secure: Send + Sync + 'static {
    /// What it makes of a connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Shakes hands.
    fn secure(&self, stream: TcpStream) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

/// Counts open connections, over all listeners.
#[derive(Debug, Default)]
pub struct Connections {
    open: AtomicU64,
    closed: Notify,
}

impl Connections {
    /// Open now.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>, max: u64) -> Option<Connected> {
        self.open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < max).then_some(open + 1))
            .is_ok()
            .then(|| Connected(self.clone()))
    }

    /// Waits until none is open.
    pub async fn none(&self) {
        loop {
            let closed = self.closed.notified();
            if self.open() == 0 {
                return;
            }
            closed.await;
        }
    }
}

struct Connected(Arc<Connections>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.closed.notify_waiters();
    }
}

/// Where connections come from.
pub trait Accept: Send {
    /// What is held as long as a connection is open.
    type Held: Send + 'static;

    /// Waits for the next connection: itself, its source, and what is held with it.
    fn accept(&mut self)
    -> impl Future<Output = std::io::Result<(TcpStream, SocketAddr, Self::Held)>> + Send;
}

impl Accept for TcpListener {
    type Held = ();

    async fn accept(&mut self) -> std::io::Result<(TcpStream, SocketAddr, ())> {
        let (stream, address) = Self::accept(self).await?;
        Ok((stream, address, ()))
    }
}

/// One listener.
pub struct Server<A, S> {
    /// What answers.
    pub answer: Arc<A>,
    /// Encryption; `None` speaks plain HTTP.
    pub secure: Option<Arc<S>>,
    /// Which doors it serves.
    pub doors: &'static [Door],
    /// Bounds.
    pub limits: Limits,
    /// The threads that connections are dealt to.
    pub serving: Arc<Serving>,
    /// The count of connections, shared by all listeners.
    pub connections: Arc<Connections>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Becomes true when no more connections are to be accepted and open ones are to finish.
    pub drain: watch::Receiver<bool>,
}

impl<A: Answer, S: Secure> Server<A, S> {
    /// Accepts until told to drain. Connections go on in tasks of the serving threads; [`Connections::none`] tells when they ended.
    pub async fn run(self, mut listener: impl Accept) {
        let mut drain = self.drain.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told(&mut drain) => return,
            };
            match accepted {
                Ok((stream, address, held)) => self.begin(stream, address, held),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, address: SocketAddr, held: impl Send + 'static) {
        let Some(connected) = self.connections.enter(self.limits.connections_max) else {
            self.metrics.connection_refused();
            return;
        };
        // Answers are written whole: waiting to fill a packet only adds delay.
        let _ = stream.set_nodelay(true);
        // This thread's event loop lets go of it; the one that serves it takes it up.
        let Ok(stream) = stream.into_std() else { return };
        let peer = Peer { address, tls: self.secure.is_some(), doors: self.doors };
        let (answer, limits, drain) = (self.answer.clone(), self.limits.clone(), self.drain.clone());
        match self.secure.clone() {
            None => self.serving.spawn(async move {
                if let Ok(stream) = TcpStream::from_std(stream) {
                    http1(stream, answer, peer, &limits, drain).await;
                }
                drop((connected, held));
            }),
            Some(secure) => self.serving.spawn(async move {
                if let Ok(stream) = TcpStream::from_std(stream)
                    && let Ok(Ok(stream)) =
                        tokio::time::timeout(limits.handshake, secure.secure(stream)).await
                {
                    http1_or_2(stream, answer, peer, &limits, drain).await;
                }
                drop((connected, held));
            }),
        }
    }
}

/// Ends when nothing was asked for `time`; never once something was. Until the protocol is known, hyper has no limit of its
/// own, and an HTTP/2 connection that asks nothing needs no head.
async fn silence(asked: &Notify, time: Duration) {
    if tokio::time::timeout(time, asked.notified()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

/// Ends when draining is asked for, or when nobody is left to ask.
async fn told(drain: &mut watch::Receiver<bool>) {
    let _ = drain.wait_for(|drain| *drain).await;
}

async fn http1<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: Arc<A>,
    peer: Peer,
    limits: &Limits,
    mut drain: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, std::convert::Infallible>(spelled(answer.answer(peer, request).await).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .title_case_headers(true)
            .header_read_timeout(limits.header_read)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    // Errors of a connection are its client's: it left, or spoke no HTTP. There is nobody to tell.
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = told(&mut drain) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn http1_or_2<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: Arc<A>,
    peer: Peer,
    limits: &Limits,
    mut drain: watch::Receiver<bool>,
) {
    let asked = Notify::new();
    let service = service_fn(|request| {
        asked.notify_one();
        let answer = answer.clone();
        async move { Ok::<_, std::convert::Infallible>(spelled(answer.answer(peer, request).await).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .header_read_timeout(limits.header_read)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .keep_alive_interval(limits.header_read)
        .keep_alive_timeout(limits.header_read);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = silence(&asked, limits.header_read) => {}
        () = told(&mut drain) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const LIMITS: Limits = Limits {
        connections_max: 1,
        header_read: Duration::from_millis(20),
        handshake: Duration::from_millis(20),
    };
    /// Only a failing test gets there.
    const HANG: Duration = Duration::from_secs(20);
    const SLOW: Duration = LIMITS.header_read.saturating_mul(3);
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// Answers late, and refuses what is not at the root.
    struct Slow;

    impl Answer for Slow {
        async fn answer(self: Arc<Self>, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
            tokio::time::sleep(SLOW).await;
            let (status, name) = match request.uri().path() {
                "/" => (200, "x-amz-function-error"),
                _ => (403, "x-amzn-errortype"),
            };
            let response = Response::builder().status(status).header(name, "Denied");
            response.header("x-amzn-requestid", "7").body(Body::from("late")).unwrap()
        }
    }

    /// Serves a client that says this and then listens: its end of the connection, and the task that serves.
    async fn serve(said: &[u8]) -> (DuplexStream, tokio::task::JoinHandle<()>) {
        let (mut client, server) = duplex(4096);
        client.write_all(said).await.unwrap();
        let peer = Peer { address: ([127, 0, 0, 1], 1).into(), tls: true, doors: &[Door::Data] };
        let served = tokio::spawn(async move {
            // Nobody drains: the sender lives as long as the connection.
            let (_drain, told) = watch::channel(false);
            http1_or_2(server, Arc::new(Slow), peer, &LIMITS, told).await;
        });
        (client, served)
    }

    #[tokio::test]
    async fn a_connection_that_asks_nothing_is_closed() {
        let preface = [PREFACE, SETTINGS].concat();
        for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", &preface, b"GET / HTTP/1.1\r\n"] {
            let (_client, served) = serve(said).await;
            let ended = tokio::time::timeout(HANG, served).await;
            assert!(matches!(ended, Ok(Ok(()))), "{}", said.escape_ascii());
        }
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_head() {
        let (mut client, served) = serve(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let mut answer = Vec::new();
        // Idle after its answer, the connection is closed as well.
        let read = tokio::time::timeout(HANG, client.read_to_end(&mut answer)).await;
        assert!(matches!(read, Ok(Ok(_))));
        assert!(
            answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(b"late"),
            "{}",
            answer.escape_ascii()
        );
        served.await.unwrap();
    }

    /// To old SDKs, names have cases.
    #[tokio::test]
    async fn names_are_spelled_as_aws_spells_them() {
        for (path, wanted) in [
            ("/", &["X-Amz-Function-Error: Denied"][..]),
            ("/a", &["x-amzn-ErrorType: Denied", "x-amzn-RequestId: 7", "Content-Length: 4"]),
        ] {
            let said = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
            let (mut client, served) = serve(said.as_bytes()).await;
            let mut answer = String::new();
            let read = tokio::time::timeout(HANG, client.read_to_string(&mut answer)).await;
            assert!(matches!(read, Ok(Ok(_))));
            for name in wanted {
                assert!(answer.contains(&format!("\r\n{name}\r\n")), "{answer}");
            }
            served.await.unwrap();
        }
    }
}
