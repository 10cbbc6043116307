use std::{convert::Infallible, path::Path};

use async_trait::async_trait;
use axum::body::Body;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::{
    app::{
        admin::{AdminError, AdminOps, Client, NewAccount, SessionsCommand},
        doctor::Check,
    },
    base::AccountId,
    edge::server::{Answer, Peer},
    telemetry::Metrics,
};

/// A gateway whose calls begin their answer at once and end it when the drain begins, or never.
struct Gate {
    metrics: Arc<Metrics>,
    draining: watch::Sender<bool>,
}

impl Answer for Gate {
    async fn answer(self: Arc<Self>, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let ends = request.uri().path() == "/ends";
        let mut draining = self.draining.subscribe();
        let end = async move {
            if !ends || draining.wait_for(|draining| *draining).await.is_err() {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>("ended")
        };
        Response::new(Body::from_stream(stream::iter([Ok("begun")]).chain(stream::once(end))))
    }
}

#[async_trait]
impl AdminOps for Gate {
    async fn create_account(&self, account: AccountId) -> Result<NewAccount, AdminError> {
        Err(AdminError::Refused(format!("{account} is not wanted")))
    }

    async fn sessions(&self, account: AccountId, _: SessionsCommand) -> Result<Value, AdminError> {
        Err(AdminError::Refused(format!("{account} is not wanted")))
    }
}

impl Gateway for Gate {
    type Error = std::io::Error;
    type Store = Self;

    async fn open(parts: Parts) -> Result<Arc<Self>, Self::Error> {
        Self::open_store(parts).await.map(Arc::new)
    }

    async fn open_store(_parts: Parts) -> Result<Self, Self::Error> {
        Ok(Self { metrics: Arc::new(Metrics::new()), draining: watch::Sender::new(false) })
    }

    fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    fn begin_drain(&self) {
        self.draining.send_replace(true);
    }

    async fn close(&self, _deadline: Duration) {}

    fn isolation(_config: &Config) -> Vec<Check> {
        Vec::new()
    }
}

struct Running {
    started: Started,
    tell: mpsc::Sender<Told>,
    served: JoinHandle<Result<(), StartError>>,
}

fn config(folder: &Path, drain_seconds: u64) -> Config {
    let mut config = Config::default();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.server.drain_seconds = drain_seconds;
    config.data.dir = Some(folder.to_owned());
    config
}

async fn run(config: Config) -> Running {
    let (tell, signals) = Signals::by_hand();
    let (sender, started) = oneshot::channel();
    let reloaded = config.clone();
    let reload = move || Ok(reloaded.clone());
    let served = tokio::spawn(serve::<Gate>(config, reload, signals, move |started| {
        sender.send(started.clone()).unwrap();
    }));
    Running { started: started.await.unwrap(), tell, served }
}

impl Running {
    async fn call(&self, path: &str) -> TcpStream {
        let address = self.started.status.listen.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains("begun") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
        stream
    }
}

#[tokio::test]
async fn a_running_call_ends_in_the_drain_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let running = run(config(folder.path(), 3600)).await;
    let dir = DataDir::open(folder.path()).unwrap();
    assert_eq!(Client::new(&dir.admin_socket()).status().await.unwrap(), running.started.status);
    assert_eq!(running.started.root_key, RootKeyOrigin::Made(dir.root_key_file()));

    let mut call = running.call("/ends").await;
    running.tell.send(Told::End).await.unwrap();
    let mut rest = String::new();
    call.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("ended"), "{rest}");
    running.served.await.unwrap().unwrap();
    assert!(!dir.admin_socket().exists());
    assert!(
        TcpStream::connect(running.started.status.listen.strip_prefix("http://").unwrap()).await.is_err()
    );
    dir.lock().unwrap();
}

#[tokio::test]
async fn a_call_that_does_not_end_is_waited_for_no_longer_than_configured() {
    let folder = tempfile::tempdir().unwrap();
    let running = run(config(folder.path(), 0)).await;
    let _call = running.call("/for-ever").await;
    running.tell.send(Told::End).await.unwrap();
    running.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn told_twice_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = run(config(folder.path(), 3600)).await;
    let _call = running.call("/for-ever").await;
    running.tell.send(Told::End).await.unwrap();
    running.tell.send(Told::End).await.unwrap();
    running.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_gateway_on_the_same_data_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = run(config(folder.path(), 0)).await;
    let (_tell, signals) = Signals::by_hand();
    let error =
        serve::<Gate>(config(folder.path(), 0), || Ok(Config::default()), signals, |_| ()).await.unwrap_err();
    assert!(matches!(error, StartError::DataDir(DataDirError::Held { .. })), "{error}");
    running.tell.send(Told::End).await.unwrap();
    running.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn beyond_loopback_management_has_a_door_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), 0);
    config.server.listen = "0.0.0.0:0".parse().unwrap();
    config.server.management_listen = "127.0.0.1:0".parse().unwrap();
    let running = run(config).await;
    let Status { listen, management, .. } = &running.started.status;
    assert!(listen.starts_with("http://0.0.0.0:") && management.starts_with("http://127.0.0.1:"));
    running.tell.send(Told::End).await.unwrap();
    running.served.await.unwrap().unwrap();
}
