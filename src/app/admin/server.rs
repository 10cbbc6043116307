//! The gateway's side of the admin socket.

use std::{
    convert::Infallible, fs, io, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
};

use super::{AdminError, AdminOps, CreateAccount, Limits, PATH, Sessions, Status, operation};
use crate::{app::data_dir::DataDir, base::AccountId};

/// The socket while the gateway runs; dropped, it is removed.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
}

/// Why there is no admin socket.
#[derive(Debug, thiserror::Error)]
#[error("the admin socket {} cannot be made: {cause}", path.display())]
pub struct ServerError {
    path: PathBuf,
    cause: io::Error,
}

/// How many commands may be connected at once; further ones wait.
const CONNECTIONS_MAX: usize = 16;
/// Requests name an operation and little more.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a command may take to send its request.
const REQUEST_READ: Duration = Duration::from_secs(10);

impl Server {
    /// Makes the socket. Whoever calls this holds the directory's lock, so that one left behind belongs to nobody.
    pub fn bind(dir: &DataDir) -> Result<Self, ServerError> {
        let path = dir.admin_socket();
        let error = |cause| ServerError { path: path.clone(), cause };
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(error(cause)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(error)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(error)?;
        Ok(Self { path, listener })
    }

    /// Serves commands until it is dropped.
    pub async fn serve(self, status: Status, ops: Arc<dyn AdminOps>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let own = rustix::process::geteuid().as_raw();
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(cause) => {
                    tracing::warn!(%cause, "a command could not be accepted on the admin socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == own || peer.uid() == 0 => {
                    let (status, ops) = (status.clone(), ops.clone());
                    tokio::spawn(async move {
                        connection(stream, &status, ops.as_ref()).await;
                        drop(slot);
                    });
                }
                Ok(peer) => {
                    tracing::warn!(uid = peer.uid(), "another user was turned away from the admin socket")
                }
                Err(cause) => tracing::warn!(%cause, "a peer of the admin socket could not be told"),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that stays is removed by the next start.
        let _ = fs::remove_file(&self.path);
    }
}

async fn connection(stream: UnixStream, status: &Status, ops: &dyn AdminOps) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request, status, ops).await) });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_READ)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(cause) = served {
        tracing::debug!(%cause, "a connection to the admin socket ended with an error");
    }
}

async fn answer(request: Request<Incoming>, status: &Status, ops: &dyn AdminOps) -> Response<Full<Bytes>> {
    let (code, content) = match perform(request, status, ops).await {
        Ok(content) => (StatusCode::OK, content),
        Err(AdminError::Refused(message)) => (StatusCode::BAD_REQUEST, json!({ "message": message })),
        Err(AdminError::Failed(message)) => {
            tracing::error!(cause = message, "an operation of the admin socket failed");
            (StatusCode::INTERNAL_SERVER_ERROR, json!({ "message": message }))
        }
    };
    let mut response = Response::new(Full::new(content.to_string().into()));
    *response.status_mut() = code;
    response
}

async fn perform(
    request: Request<Incoming>,
    status: &Status,
    ops: &dyn AdminOps,
) -> Result<Value, AdminError> {
    let refused = |why: &str| AdminError::Refused(why.to_owned());
    let operation = (request.method() == Method::POST)
        .then(|| request.uri().path().strip_prefix(PATH).map(str::to_owned))
        .flatten()
        .ok_or_else(|| refused("the admin socket hears POST /callgate/admin/<operation> only"))?;
    let reading = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    let body = tokio::time::timeout(REQUEST_READ, reading)
        .await
        .map_err(|_| refused("the request took too long"))?
        .map_err(|_| refused("the request is too large, or was cut off"))?
        .to_bytes();
    match operation.as_str() {
        operation::STATUS => {
            serde_json::to_value(status).map_err(|cause| AdminError::Failed(cause.to_string()))
        }
        operation::CREATE_ACCOUNT => {
            let input: CreateAccount =
                serde_json::from_slice(&body).map_err(|cause| AdminError::Refused(cause.to_string()))?;
            Ok(ops.create_account(account(&input.account)?).await?.to_json())
        }
        operation::SESSIONS => {
            let input: Sessions =
                serde_json::from_slice(&body).map_err(|cause| AdminError::Refused(cause.to_string()))?;
            ops.sessions(account(&input.account)?, input.command).await
        }
        operation::LIMITS => {
            let input: Limits =
                serde_json::from_slice(&body).map_err(|cause| AdminError::Refused(cause.to_string()))?;
            ops.limits(account(&input.account)?, input.command).await
        }
        operation::EXPLAIN_POLICY => {
            let asked =
                serde_json::from_slice(&body).map_err(|cause| AdminError::Refused(cause.to_string()))?;
            ops.explain_policy(asked).await
        }
        other => Err(AdminError::Refused(format!(
            "this gateway knows no operation {other:?}: is the command of another version than the gateway?"
        ))),
    }
}

fn account(text: &str) -> Result<AccountId, AdminError> {
    text.parse().map_err(|cause: crate::base::ids::InvalidAccountId| AdminError::Refused(cause.to_string()))
}
