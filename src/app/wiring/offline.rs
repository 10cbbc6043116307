//! What commands ask that no client does, of a gateway that runs and of the store alone.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Base, OpenError, explaining::Explaining, settings::quota_config};
use crate::{
    api::{
        ApiError,
        callgate::{Operator, revoke_sessions},
    },
    app::{
        admin::{AdminError, AdminOps, LimitsCommand, NewAccount, SessionsCommand},
        gateway::Parts,
    },
    base::AccountId,
    iam::{Directory, IamError},
    identity::Pools,
    limits::Limits,
    quota::Quota,
    revocation::Revocations,
    store::Follower,
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
        let quota = Arc::new(Quota::new(quota_config(&parts.config), clock.clone()));
        let limits = Limits::new(store.clone(), feed.clone(), quota, clock.clone());
        let pools = Pools::new(store.clone(), feed.clone(), clock, rng, region);
        let followers: Vec<Arc<dyn Follower>> =
            vec![directory.clone(), pools.clone(), revocations.clone(), limits.clone()];
        feed.start(followers).await?;
        directory.seed_root(&parts.root_key.access_key_id, &parts.root_key.secret).await?;
        let operator = Operator {
            revocations,
            pools,
            identities: store,
            explanations: Explaining::new(directory.clone()),
            directory: directory.clone(),
            limits,
        };
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

    async fn limits(&self, account: AccountId, command: LimitsCommand) -> Result<Value, AdminError> {
        limits(&self.operator, account, command).await
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
    done.map_err(told)
}

pub(super) async fn limits(
    operator: &Operator,
    account: AccountId,
    command: LimitsCommand,
) -> Result<Value, AdminError> {
    match command {
        LimitsCommand::Put(input) => operator.put_limit(account, &input).await.map_err(told),
        LimitsCommand::Delete(which) => operator.delete_limit(account, &which).await.map_err(told),
        LimitsCommand::List => Ok(operator.listed_limits(account)),
    }
}

/// An operation's refusal as a command hears it.
fn told(error: ApiError) -> AdminError {
    match error.cause {
        Some(cause) => AdminError::Failed(cause),
        None => AdminError::Refused(error.message.unwrap_or_default()),
    }
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
