//! What commands ask that no client does, of a gateway that runs and of the store alone.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Base, OpenError};
use crate::{
    api::callgate::{Operator, revoke_sessions},
    app::{
        admin::{AdminError, AdminOps, NewAccount, SessionsCommand},
        gateway::Parts,
    },
    base::AccountId,
    iam::{Directory, IamError},
    identity::Pools,
    revocation::Revocations,
};

/// The store alone, for commands that found no gateway running.
pub struct Offline {
    directory: Arc<Directory>,
    operator: Operator,
}

impl Offline {
    /// Opens it.
    pub(super) async fn open(parts: &Parts) -> Result<Self, OpenError> {
        let Base { store, feed, directory } = Base::open(parts).await?;
        let store = Arc::new(store);
        let (clock, rng, region) =
            (parts.clock.clone(), parts.rng.clone(), parts.config.server.region.clone());
        let revocations = Revocations::new(store.clone(), feed.clone(), clock.clone());
        let pools = Pools::new(store.clone(), feed.clone(), clock, rng, region);
        feed.start(vec![directory.clone(), pools.clone(), revocations.clone()]).await?;
        directory.seed_root(&parts.root_key.access_key_id, &parts.root_key.secret).await?;
        let operator = Operator { revocations, pools, identities: store, directory: directory.clone() };
        Ok(Self { directory, operator })
    }
}

#[async_trait]
impl AdminOps for Offline {
    async fn create_account(&self, account: AccountId) -> Result<NewAccount, AdminError> {
        create_account(&self.directory, account).await
    }

    async fn sessions(&self, account: AccountId, command: SessionsCommand) -> Result<Value, AdminError> {
        sessions(&self.operator, account, command).await
    }
}

pub(super) async fn sessions(
    operator: &Operator,
    account: AccountId,
    command: SessionsCommand,
) -> Result<Value, AdminError> {
    let done = match command {
        SessionsCommand::Revoke(input) => {
            operator.revoke(account, &input).await.map(|made| revoke_sessions::made(&made))
        }
        SessionsCommand::Restore { identity_id } => operator.restore(account, &identity_id).await,
        SessionsCommand::List => operator.listed(account).await,
    };
    done.map_err(|error| match error.cause {
        Some(cause) => AdminError::Failed(cause),
        None => AdminError::Refused(error.message.unwrap_or_default()),
    })
}

pub(super) async fn create_account(
    directory: &Directory,
    account: AccountId,
) -> Result<NewAccount, AdminError> {
    let key = directory.create_account(account).await.map_err(|error| match error {
        IamError::Store(cause) => AdminError::Failed(cause.to_string()),
        refused => AdminError::Refused(refused.to_string()),
    })?;
    Ok(NewAccount { account, access_key_id: key.id, secret_access_key: key.secret })
}
