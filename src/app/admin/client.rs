//! A command's side of the admin socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::{CreateAccount, Limits, LimitsCommand, PATH, Sessions, SessionsCommand, Status, operation};
use crate::{api::callgate::explain_policy::ExplainPolicy, base::AccountId};

/// Speaks to the gateway that holds a data directory.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody hears.
    #[error("no gateway answers on {}: {cause}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The conversation broke off.
    #[error("the gateway did not answer on {}: {why}", socket.display())]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// Why.
        why: String,
    },
    /// The gateway refused.
    #[error("{0}")]
    Refused(String),
}

/// How long the gateway may take.
const ANSWER: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 1 << 20;

impl Client {
    /// Speaks to the gateway behind this socket.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Where the gateway is reached.
    pub async fn status(&self) -> Result<Status, ClientError> {
        let answer = self.call(operation::STATUS, &json!({})).await?;
        serde_json::from_value(answer).map_err(|cause| self.broken(cause))
    }

    /// Makes an account; the answer is `{"AccountId","AccessKeyId","SecretAccessKey"}`.
    pub async fn create_account(&self, account: AccountId) -> Result<Value, ClientError> {
        let input = CreateAccount { account: account.to_string() };
        let input = serde_json::to_value(input).map_err(|cause| self.broken(cause))?;
        self.call(operation::CREATE_ACCOUNT, &input).await
    }

    /// Revokes or restores, or lists what is revoked.
    pub async fn sessions(&self, account: AccountId, command: SessionsCommand) -> Result<Value, ClientError> {
        let input = Sessions { account: account.to_string(), command };
        let input = serde_json::to_value(input).map_err(|cause| self.broken(cause))?;
        self.call(operation::SESSIONS, &input).await
    }

    /// Sets, takes back or lists limits.
    pub async fn limits(&self, account: AccountId, command: LimitsCommand) -> Result<Value, ClientError> {
        let input = Limits { account: account.to_string(), command };
        let input = serde_json::to_value(input).map_err(|cause| self.broken(cause))?;
        self.call(operation::LIMITS, &input).await
    }

    /// Explains a decision.
    pub async fn explain_policy(&self, asked: &ExplainPolicy) -> Result<Value, ClientError> {
        let input = serde_json::to_value(asked).map_err(|cause| self.broken(cause))?;
        self.call(operation::EXPLAIN_POLICY, &input).await
    }

    pub(super) async fn call(&self, operation: &str, input: &Value) -> Result<Value, ClientError> {
        match tokio::time::timeout(ANSWER, self.exchange(operation, input)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.broken("it takes too long")),
        }
    }

    async fn exchange(&self, operation: &str, input: &Value) -> Result<Value, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|cause| ClientError::Unreachable { socket: self.socket.clone(), cause })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|cause| self.broken(cause))?;
        let request = Request::post(format!("{PATH}{operation}"))
            .header(http::header::HOST, "callgate")
            .body(Full::new(Bytes::from(input.to_string())))
            .map_err(|cause| self.broken(cause))?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|cause| self.broken(cause))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|cause| self.broken(cause))?
                .to_bytes();
            let answer: Value = serde_json::from_slice(&body).map_err(|cause| self.broken(cause))?;
            if status == StatusCode::OK {
                return Ok(answer);
            }
            let message = answer.get("message").and_then(Value::as_str).unwrap_or("the gateway refused");
            Err(ClientError::Refused(message.to_owned()))
        };
        tokio::select! {
            biased;
            answer = exchange => answer,
            ended = connection => Err(match ended {
                Ok(()) => self.broken("the connection ended"),
                Err(cause) => self.broken(cause),
            }),
        }
    }

    fn broken(&self, why: impl std::fmt::Display) -> ClientError {
        ClientError::Broken { socket: self.socket.clone(), why: why.to_string() }
    }
}
