//! `callgate sessions`: ends sessions before their time.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{offline, remote};
use crate::{
    api::callgate::revoke_sessions::RevokeSessions,
    app::{
        admin::{AdminOps, Client, SessionsCommand},
        cli::{Common, Failure},
        data_dir::DataDirError,
        gateway::Gateway,
        lifecycle, output,
    },
    base::AccountId,
};

/// What `sessions` takes.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// End everything of one scope that began until now, at once and on every later call.
    Revoke {
        /// What.
        #[command(flatten)]
        scope: Revoke,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Have the id of a revoked guest open again what it did.
    Restore {
        /// The identity's id.
        identity: String,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Show what is revoked.
    List {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// Where.
#[derive(Debug, Args)]
pub struct Place {
    /// The account; with --endpoint it is the signer's own.
    #[arg(long, default_value_t = AccountId::DEFAULT, conflicts_with = "endpoint")]
    account: AccountId,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// The one scope that `sessions revoke` takes.
#[derive(Debug, Args)]
#[group(id = "scope", required = true, multiple = true)]
pub struct Revoke {
    /// An identity pool: everything that began in it.
    #[arg(long, value_name = "ID")]
    pool: Option<String>,
    /// Of the pool, the logins of this provider alone, as `Logins` name it.
    #[arg(long, value_name = "NAME", requires = "pool")]
    provider: Option<String>,
    /// An identity. If it is a guest, its id opens nothing any more until it is restored.
    #[arg(long, value_name = "ID", conflicts_with_all = ["pool", "access_key", "role", "user"])]
    identity: Option<String>,
    /// An access key: the sessions that it began. A long-lived key itself is to be deactivated.
    #[arg(long, value_name = "ID", conflicts_with_all = ["pool", "role", "user"])]
    access_key: Option<String>,
    /// A role, by its name.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["pool", "user"])]
    role: Option<String>,
    /// A user, by its name.
    #[arg(long, value_name = "NAME", conflicts_with = "pool")]
    user: Option<String>,
    /// Of the pool, disable the ids of all guests that it has by now.
    #[arg(long, requires = "pool", conflicts_with = "provider")]
    disable_guests: bool,
}

impl Revoke {
    fn input(&self) -> RevokeSessions {
        RevokeSessions {
            identity_pool_id: self.pool.clone(),
            provider_name: self.provider.clone(),
            identity_id: self.identity.clone(),
            access_key_id: self.access_key.clone(),
            role_name: self.role.clone(),
            user_name: self.user.clone(),
            disable_guests: self.disable_guests,
        }
    }
}

impl Arguments {
    fn parts(&self) -> (&Place, SessionsCommand) {
        match self {
            Self::Revoke { scope, place } => (place, SessionsCommand::Revoke(scope.input())),
            Self::Restore { identity, place } => {
                (place, SessionsCommand::Restore { identity_id: identity.clone() })
            }
            Self::List { place } => (place, SessionsCommand::List),
        }
    }
}

/// Does it by another gateway's API, by the running gateway, or on the store where none runs.
pub async fn run<G: Gateway>(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let (Place { account, remote }, command) = arguments.parts();
    if remote.is_given() {
        let answer = by_api(common, remote, &command).await?;
        output::line(&answer.to_string());
        return Ok(());
    }
    let account = *account;
    let config = common.load(None)?;
    let dir = lifecycle::data_dir(&config)?;
    let answer = match dir.lock() {
        Err(DataDirError::Held { .. }) => Client::new(&dir.admin_socket()).sessions(account, command).await?,
        Err(cause) => return Err(cause.into()),
        Ok(_lock) => G::open_store(offline(config, &dir)?).await?.sessions(account, command).await?,
    };
    output::line(&answer.to_string());
    Ok(())
}

async fn by_api(
    common: &Common,
    endpoint: &remote::Endpoint,
    command: &SessionsCommand,
) -> Result<Value, Failure> {
    let remote = endpoint.signed(common).await?;
    let post = |operation, path, input: Value| {
        let remote = &remote;
        async move { remote.callgate(operation, Method::POST, path, Some(&input)).await }
    };
    Ok(match command {
        SessionsCommand::Revoke(input) => {
            post("RevokeSessions", "/callgate/v1/revoke-sessions", serde_json::to_value(input)?).await?
        }
        SessionsCommand::Restore { identity_id } => {
            let input = json!({"IdentityId": identity_id});
            post("RestoreIdentity", "/callgate/v1/restore-identity", input).await?
        }
        SessionsCommand::List => {
            remote.callgate("ListRevocations", Method::GET, "/callgate/v1/revocations", None).await?
        }
    })
}
