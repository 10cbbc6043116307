//! Connections of a function after a thaw: what closed meanwhile is not used again, what is open is, and the first call
//! succeeds either way.

use std::{fs, sync::Arc, time::Duration};

use callgate::{
    base::{Egress, SystemRng},
    dispatch::connecting::Connecting,
    sandbox::network::{self, Connection, Network, Range},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    processes,
    stand::{Plan, Stand, until},
};

/// Asks a server outside, by a way that keeps connections; says whether the sandbox was frozen before.
const CODE: &str = "
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
const ways = {
  http: () => new Promise((answered, failed) => {
    const request = http.get({ host: '127.0.0.1', port: 9001, agent }, (response) => {
      response.setEncoding('utf8');
      response.on('data', answered);
    });
    request.on('error', failed);
  }),
  fetch: async () => (await fetch('http://127.0.0.1:9001/')).text(),
};
exports.handler = async (way, context) => [await ways[way](), context.frozenMs > 0];";

/// Serves where the gateway's API is.
struct Server {
    connections: mpsc::Receiver<Connection>,
    closing: watch::Sender<Option<Close>>,
    open: JoinSet<()>,
    accepted: usize,
}

/// How a server ends its connections.
#[derive(Clone, Copy, Debug)]
enum Close {
    Orderly,
    ByReset,
}

impl Server {
    /// Accepts and answers while a call goes on.
    async fn during<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                done = &mut call => return done,
                Some(connection) = self.connections.recv() => {
                    self.accepted += 1;
                    self.open.spawn(answer(connection.stream, self.closing.subscribe()));
                }
            }
        }
    }

    /// Closes all connections, as one that restarts or dies.
    async fn close(&mut self, how: Close) {
        self.closing.send_replace(Some(how));
        while let Some(ended) = self.open.join_next().await {
            ended.unwrap();
        }
        self.closing.send_replace(None);
    }
}

async fn answer(mut stream: TcpStream, mut closing: watch::Receiver<Option<Close>>) {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: keep-alive\r\n\r\nserved";
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        tokio::select! {
            _ = closing.changed() => {
                if let Some(Close::ByReset) = *closing.borrow() {
                    stream.set_zero_linger().unwrap();
                }
                return;
            }
            read = stream.read(&mut chunk) => match read {
                Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                _ => return,
            },
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(ANSWER).await.unwrap();
        }
    }
}

/// A stand whose sandboxes reach this server, and nothing else.
async fn stand() -> (Stand, Server) {
    let (sender, connections) = mpsc::channel(64);
    let options = network::Options {
        egress: Egress::Nothing,
        range: Range::new([100, 64, 0, 0].into(), 16).unwrap(),
        setup: false,
        resolvers: "/etc/resolv.conf".into(),
        connections: sender,
        rng: Arc::new(SystemRng),
    };
    let network = Connecting::by(Network::open(options).await.unwrap(), Egress::Nothing);
    let plan = Plan { network, freeze_delay: Duration::ZERO, ..Plan::default() };
    let server = Server { connections, closing: watch::Sender::new(None), open: JoinSet::new(), accepted: 0 };
    (Stand::of(plan).await, server)
}

/// The connections to the server that stand, as the sandboxes' own kernel has them. (What is on its way to a sandbox when it is
/// woken is known to nobody there.)
fn open_connections(stand: &Stand) -> usize {
    // A number, local address, remote address, state: Documentation/networking/proc_net_tcp.rst.
    let stands = |line: &&str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        (fields.next(), fields.next()) == (Some("0100007F:2329"), Some("01"))
    };
    let of = |process: &u32| {
        let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
        table.lines().filter(stands).count()
    };
    processes::of(stand.mark).iter().map(of).sum()
}

/// Asks by this way, again and again, with a freeze between.
async fn asks(way: &str) {
    let (stand, mut server) = stand().await;
    stand.deploy("fn", CODE).await;
    let payload = json!(way).to_string();
    assert_eq!(server.during(stand.value("fn", &payload)).await, json!(["served", false]));
    for round in 1..=3 {
        let frozen = until("it stands still", || stand.dispatch.frozen() == 1);
        server.during(frozen).await;
        // The server has kept the connection: it is used again.
        assert_eq!(server.during(stand.value("fn", &payload)).await, json!(["served", true]));
        assert_eq!(server.accepted, 2 * round - 1);
        for close in [Close::Orderly, Close::ByReset] {
            let frozen = until("it stands still", || stand.dispatch.frozen() == 1);
            server.during(frozen).await;
            server.close(close).await;
            until("the sandbox's kernel has heard of it", || open_connections(&stand) == 0).await;
            let answer = server.during(stand.value("fn", &payload)).await;
            assert_eq!(answer, json!(["served", true]), "{close:?}");
        }
        assert_eq!(server.accepted, 2 * round + 1);
    }
    stand.close().await;
}

#[tokio::test]
async fn an_agent_that_keeps_connections_does_not_use_a_dead_one() {
    asks("http").await;
}

#[tokio::test]
async fn fetch_does_not_use_a_dead_connection() {
    asks("fetch").await;
}
