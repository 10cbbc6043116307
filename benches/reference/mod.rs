//! The minimal gateway, the reference for speed: axum on tokio with two threads before four Node.js workers, each taking
//! one request at a time over a framed socket that it reads in blocking style. It checks nothing.

use std::{os::fd::OwnedFd, os::unix::net::UnixStream as StdStream, process::Stdio, sync::Arc};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::{Mutex, mpsc},
};

const WORKERS: usize = 4;
const THREADS: usize = 2;

struct Pool {
    give: mpsc::Sender<UnixStream>,
    take: Mutex<mpsc::Receiver<UnixStream>>,
}

async fn exchange(worker: &mut UnixStream, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend_from_slice(body);
    worker.write_all(&frame).await?;
    let mut head = [0; 4];
    worker.read_exact(&mut head).await?;
    let mut answer = vec![0; u32::from_le_bytes(head) as usize];
    worker.read_exact(&mut answer).await?;
    Ok(answer)
}

async fn echo(State(pool): State<Arc<Pool>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let worker = pool.take.lock().await.recv().await;
    let mut worker = worker.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    // In a task of its own, so that a client that leaves does not take the worker with it.
    let task = tokio::spawn(async move {
        let answer = exchange(&mut worker, &body).await;
        if answer.is_ok() {
            let _ = pool.give.send(worker).await;
        }
        answer
    });
    task.await.map_err(|_| StatusCode::BAD_GATEWAY)?.map_err(|_| StatusCode::BAD_GATEWAY)
}

fn worker(script: &str) -> std::io::Result<StdStream> {
    let (ours, theirs) = StdStream::pair()?;
    // The shell moves the socket from its standard input to descriptor 3, where the worker reads.
    std::process::Command::new("sh")
        .args(["-c", "exec node \"$0\" 3<&0 </dev/null", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    ours.set_nonblocking(true)?;
    Ok(ours)
}

/// Serves until it is killed; prints its port first.
pub fn serve(script: &str) -> std::io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?.block_on(
        async {
            let (give, take) = mpsc::channel(WORKERS);
            for _ in 0..WORKERS {
                let _ = give.send(UnixStream::from_std(worker(script)?)?).await;
            }
            let pool = Arc::new(Pool { give, take: Mutex::new(take) });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?.port());
            let router = Router::new().route("/", post(echo)).with_state(pool);
            axum::serve(listener, router).await
        },
    )
}
