//! The resolver that functions speak to, at 127.0.0.1:53 of their sandbox: it asks the host's resolvers what may be asked,
//! and hands on what may be known.
//!
//! Everything is bounded for each sandbox: how fast it asks, how many questions are open, how long they and their answers
//! are. What is beyond is dropped, as networks drop.

pub mod message;
mod rate;
pub mod upstream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hickory_proto::op::ResponseCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use self::{
    message::{Asked, QUESTION_MAX, read},
    rate::Rate,
    upstream::Upstream,
};
use super::filter::Filter;

/// How many questions of a sandbox may be open at once.
const OPEN_MAX: usize = 32;
/// How many connections it may have to the resolver.
const CONNECTIONS_MAX: usize = 4;
/// How long such a connection may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// How long accepting pauses after it failed.
const PAUSE: Duration = Duration::from_millis(50);

/// One sandbox's resolver.
#[derive(Debug)]
pub struct Resolver {
    /// Who is asked.
    pub upstream: Arc<Upstream>,
    /// The sandbox's filter: it says what may be asked, and is told what was answered.
    pub filter: Arc<Filter>,
    open: Semaphore,
    rate: Rate,
}

impl Resolver {
    /// A resolver that asks `upstream` what `filter` allows.
    pub fn new(upstream: Arc<Upstream>, filter: Arc<Filter>) -> Arc<Self> {
        Arc::new(Self { upstream, filter, open: Semaphore::new(OPEN_MAX), rate: Rate::new(Instant::now()) })
    }

    /// Answers questions until dropped, and then all that are open go too.
    pub async fn serve(self: Arc<Self>, packets: UdpSocket, connections: TcpListener) {
        tokio::join!(self.serve_packets(packets), self.serve_connections(connections));
    }

    async fn serve_packets(self: &Arc<Self>, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut open = JoinSet::new();
        let mut packet = [0; QUESTION_MAX + 1];
        loop {
            match socket.recv_from(&mut packet).await {
                Ok((length, client)) => {
                    // Those that have ended count until they are taken out.
                    while open.try_join_next().is_some() {}
                    if open.len() < OPEN_MAX && self.rate.take(Instant::now()) {
                        let (me, socket, packet) = (self.clone(), socket.clone(), packet[..length].to_vec());
                        open.spawn(async move {
                            if let Some(answer) = me.answer(&packet, false).await {
                                send(&socket, &answer, client).await;
                            }
                        });
                    }
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn serve_connections(self: &Arc<Self>, listener: TcpListener) {
        let mut open = JoinSet::new();
        loop {
            if open.len() == CONNECTIONS_MAX {
                open.join_next().await;
            }
            match listener.accept().await {
                Ok((stream, _)) => {
                    let me = self.clone();
                    open.spawn(async move {
                        // Its client's trouble is its client's.
                        let _ = me.serve_connection(stream).await;
                    });
                }
                Err(_) => sleep(PAUSE).await,
            }
            while open.try_join_next().is_some() {}
        }
    }

    async fn serve_connection(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut packet = [0; QUESTION_MAX];
        loop {
            let length = usize::from(timeout(SILENCE_MAX, stream.read_u16()).await??);
            let Some(packet) = packet.get_mut(..length) else { return Ok(()) };
            timeout(SILENCE_MAX, stream.read_exact(packet)).await??;
            if !self.rate.take(Instant::now()) {
                return Ok(());
            }
            let Some(answer) = self.answer(packet, true).await else { return Ok(()) };
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            let answer = [&length.to_be_bytes()[..], &answer].concat();
            timeout(SILENCE_MAX, stream.write_all(&answer)).await??;
        }
    }

    async fn answer(&self, packet: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let question = match read(packet, &self.filter.egress()) {
            Asked::Question(question) => question,
            Asked::Answer(answer) => return Some(answer),
            Asked::Nothing => return None,
        };
        let _open = self.open.try_acquire().ok()?;
        let Some(answer) = self.upstream.ask(&question).await else {
            return Some(question.refusal(ResponseCode::ServFail));
        };
        if !answer.addresses.is_empty() && !self.opened(question.name(), &answer).await {
            return Some(question.refusal(ResponseCode::ServFail));
        }
        Some(question.write(&answer, tcp))
    }

    /// Opens an allow-list's places at the addresses of an answer, before its client can connect to them.
    async fn opened(&self, name: String, answer: &message::Answer) -> bool {
        let (filter, addresses) = (self.filter.clone(), answer.addresses.clone());
        let time = Duration::from_secs(answer.ttl.into());
        let done = tokio::task::spawn_blocking(move || filter.open(&name, &addresses, time)).await;
        match done {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "an allow-list could not be opened for what a name stands for");
                false
            }
            Err(_) => false,
        }
    }
}

async fn send(socket: &UdpSocket, answer: &[u8], client: SocketAddr) {
    // The client may be gone; that is its own affair.
    let _ = socket.send_to(answer, client).await;
}
