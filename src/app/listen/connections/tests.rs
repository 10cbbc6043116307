use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, mpsc},
};

use super::*;
use crate::app::config::Server;

/// Tells of each request, and answers once it may.
struct Gate {
    began: mpsc::UnboundedSender<String>,
    open: Notify,
}

impl Answer for Gate {
    type Body = Full<Bytes>;

    async fn answer(&self, connection: &Connection, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let seen = format!("{} {:?}", request.uri().path(), connection.doors);
        if self.began.send(seen.clone()).is_err() {
            return Response::new(Full::default());
        }
        self.open.notified().await;
        Response::new(Full::new(seen.into()))
    }
}

struct Served {
    gate: Arc<Gate>,
    began: mpsc::UnboundedReceiver<String>,
    connections: Arc<Connections<Gate>>,
    address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

fn serve(bounds: Bounds) -> Served {
    let (sender, began) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate { began: sender, open: Notify::new() });
    let server = Server { listen: "127.0.0.1:0".parse().unwrap(), ..Server::default() };
    let listener = super::super::bind(&server).unwrap().remove(0);
    let address = listener.address;
    let connections = Connections::new(gate.clone(), None, bounds);
    let accepting = tokio::spawn(connections.clone().accept(listener));
    Served { gate, began, connections, address, accepting }
}

const BOUNDS: Bounds = Bounds { connections_max: 8, header_read: Duration::from_secs(60) };
const LONG: Duration = Duration::from_secs(60);

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn draining_answers_what_runs_closes_what_idles_and_accepts_no_more() {
    let mut served = serve(BOUNDS);
    let mut idle = send(served.address, "GET /idle HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(served.began.recv().await.unwrap(), "/idle Both");
    served.gate.open.notify_one();
    let mut answer = Vec::new();
    while !answer.ends_with(b"/idle Both") {
        assert_ne!(idle.read_buf(&mut answer).await.unwrap(), 0);
    }
    let running = send(served.address, "GET /running HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(served.began.recv().await.unwrap(), "/running Both");

    let connections = served.connections.clone();
    let drained = tokio::spawn(async move { connections.drain(LONG).await });
    served.accepting.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
    assert_eq!(rest(idle).await, "");
    served.gate.open.notify_one();
    assert!(rest(running).await.ends_with("/running Both"));
    assert!(drained.await.unwrap());
}

#[tokio::test]
async fn a_call_that_outlasts_the_drain_is_told_of() {
    let mut served = serve(BOUNDS);
    let running = send(served.address, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    served.began.recv().await.unwrap();
    assert!(!served.connections.drain(Duration::ZERO).await);
    drop(running);
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_cut_off() {
    let served = serve(Bounds { header_read: Duration::from_millis(20), ..BOUNDS });
    for sent in ["", "P", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let stream = send(served.address, sent).await;
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{sent:?}: {answer:?}");
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_one_to_end() {
    let mut served = serve(Bounds { connections_max: 1, ..BOUNDS });
    let first = send(served.address, "GET /1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(served.began.recv().await.unwrap(), "/1 Both");
    let second = send(served.address, "GET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(served.began.try_recv().is_err());
    served.gate.open.notify_one();
    assert!(rest(first).await.ends_with("/1 Both"));
    assert_eq!(served.began.recv().await.unwrap(), "/2 Both");
    served.gate.open.notify_one();
    assert!(rest(second).await.ends_with("/2 Both"));
}
