//! The admin socket: how commands on this machine reach the running gateway.
//!
//! HTTP/1.1 over `admin.sock` in the data directory, `POST /callgate/admin/<operation>` with JSON both ways. The socket has
//! mode 0600 in a directory of mode 0700, and the peer's user id is checked all the same.

mod client;
mod server;

use async_trait::async_trait;
pub use client::{Client, ClientError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
pub use server::{Server, ServerError};

use crate::{
    api::callgate::{
        explain_policy::ExplainPolicy, limit_input::Which, put_limit::PutLimit,
        revoke_sessions::RevokeSessions,
    },
    base::{AccountId, Secret},
};

/// What commands may ask that no API operation does. The gateway implements it, running or not.
#[async_trait]
pub trait AdminOps: Send + Sync + 'static {
    /// Makes an account with a root key.
    async fn create_account(&self, account: AccountId) -> Result<NewAccount, AdminError>;

    /// Revokes or restores in an account, or lists what it has revoked; the answer is that of the API's operation.
    async fn sessions(&self, account: AccountId, command: SessionsCommand) -> Result<Value, AdminError>;

    /// Sets, takes back or lists the limits of an account, its functions and pools; the answer is that of the API's operation.
    async fn limits(&self, account: AccountId, _command: LimitsCommand) -> Result<Value, AdminError> {
        Err(AdminError::Refused(format!("there are no limits of account {account} here")))
    }

    /// Explains a decision, as it would be or as it was.
    async fn explain_policy(&self, _asked: ExplainPolicy) -> Result<Value, AdminError> {
        Err(AdminError::Refused("no gateway runs here, and only one that runs can explain".to_owned()))
    }
}

/// What `callgate sessions` asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SessionsCommand {
    /// RevokeSessions.
    Revoke(RevokeSessions),
    /// RestoreIdentity.
    Restore {
        /// The identity.
        identity_id: String,
    },
    /// ListRevocations.
    List,
}

/// What `callgate limits` asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LimitsCommand {
    /// PutLimit.
    Put(PutLimit),
    /// DeleteLimit.
    Delete(Which),
    /// ListLimits.
    List,
}

/// An account and the root key that was made with it.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account.
    pub account: AccountId,
    /// Its root key's id.
    pub access_key_id: String,
    /// The key's secret, which is shown this once.
    pub secret_access_key: Secret,
}

impl NewAccount {
    /// `{"AccountId","AccessKeyId","SecretAccessKey"}`.
    pub fn to_json(&self) -> Value {
        json!({
            "AccountId": self.account,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key.expose_str(),
        })
    }
}

/// Why an operation was not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdminError {
    /// It asks for something that cannot be; the message says what.
    #[error("{0}")]
    Refused(String),
    /// The gateway failed.
    #[error("the gateway failed: {0}")]
    Failed(String),
}

/// Where a running gateway is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The URL of what apps call.
    pub listen: String,
    /// The URL of management; the same while everything is loopback.
    pub management: String,
    /// The URL under which clients reach the former; a certificate is made out to its host.
    pub public_url: String,
    /// The region that requests must be signed for.
    pub region: String,
    /// The gateway's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// The operations of the socket by their names in the path.
mod operation {
    pub(super) const STATUS: &str = "status";
    pub(super) const CREATE_ACCOUNT: &str = "create-account";
    pub(super) const SESSIONS: &str = "sessions";
    pub(super) const LIMITS: &str = "limits";
    pub(super) const EXPLAIN_POLICY: &str = "explain-policy";
}

const PATH: &str = "/callgate/admin/";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateAccount {
    account: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sessions {
    account: String,
    command: SessionsCommand,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    account: String,
    command: LimitsCommand,
}

#[cfg(test)]
mod tests;
