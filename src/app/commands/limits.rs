//! `callgate limits`: limits of single accounts, functions and pools.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use super::{offline, remote};
use crate::{
    api::callgate::{limit_input::Which, put_limit::PutLimit},
    app::{
        admin::{AdminOps, Client, LimitsCommand},
        cli::{Common, Failure},
        data_dir::DataDirError,
        gateway::Gateway,
        lifecycle, output,
    },
    base::AccountId,
};

/// What `limits` takes.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// Give an account, a function or a pool another limit than the general one, from the next call on.
    Put {
        /// Of what.
        #[command(flatten)]
        target: Target,
        /// How much.
        #[command(flatten)]
        amount: Amount,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Have the general limit hold again.
    Delete {
        /// Of what.
        #[command(flatten)]
        target: Target,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Show what limits an account, its functions and pools have.
    List {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// Where.
#[derive(Debug, Args)]
pub struct Place {
    /// The account.
    #[arg(long, default_value_t = AccountId::DEFAULT)]
    account: AccountId,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// Which limit of what: of the account, unless a function or a pool is named.
#[derive(Debug, Args)]
pub struct Target {
    /// The limit's name: account_concurrency, account_rate, function_rate, pool_rate, or a rule of the configuration.
    #[arg(value_name = "LIMIT")]
    limit: String,
    /// A function of the account, by its name.
    #[arg(long, value_name = "NAME", conflicts_with = "pool")]
    function: Option<String>,
    /// An identity pool of the account, by its id.
    #[arg(long, value_name = "ID")]
    pool: Option<String>,
}

/// How much.
#[derive(Debug, Args)]
#[group(id = "amount", required = true, multiple = true)]
pub struct Amount {
    /// Requests in each period.
    #[arg(long, conflicts_with = "concurrency")]
    rate: Option<u32>,
    /// The period: second, minute, hour or day.
    #[arg(long, requires = "rate")]
    per: Option<String>,
    /// Requests at once after a rest; as many as the rate if left out.
    #[arg(long, requires = "rate")]
    burst: Option<u32>,
    /// Executions at a time.
    #[arg(long)]
    concurrency: Option<u32>,
}

impl Arguments {
    fn parts(&self) -> (&Place, LimitsCommand) {
        match self {
            Self::Put { target, amount, place } => {
                let put = PutLimit {
                    account_id: Some(place.account.to_string()),
                    function_name: target.function.clone(),
                    identity_pool_id: target.pool.clone(),
                    limit: Some(target.limit.clone()),
                    rate: amount.rate,
                    per: amount.per.clone(),
                    burst: amount.burst,
                    concurrency: amount.concurrency,
                };
                (place, LimitsCommand::Put(put))
            }
            Self::Delete { target, place } => {
                let which = Which {
                    account_id: Some(place.account.to_string()),
                    function_name: target.function.clone(),
                    identity_pool_id: target.pool.clone(),
                    limit: Some(target.limit.clone()),
                };
                (place, LimitsCommand::Delete(which))
            }
            Self::List { place } => (place, LimitsCommand::List),
        }
    }
}

/// Does it by another gateway's API, by the running gateway, or on the store where none runs.
pub async fn run<G: Gateway>(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let (Place { account, remote }, command) = arguments.parts();
    let account = *account;
    if remote.is_given() {
        let answer = by_api(common, remote, account, &command).await?;
        output::line(&answer.to_string());
        return Ok(());
    }
    let config = common.load(None)?;
    let dir = lifecycle::data_dir(&config)?;
    let answer = match dir.lock() {
        Err(DataDirError::Held { .. }) => Client::new(&dir.admin_socket()).limits(account, command).await?,
        Err(cause) => return Err(cause.into()),
        Ok(_lock) => G::open_store(offline(config, &dir)?).await?.limits(account, command).await?,
    };
    output::line(&answer.to_string());
    Ok(())
}

async fn by_api(
    common: &Common,
    endpoint: &remote::Endpoint,
    account: AccountId,
    command: &LimitsCommand,
) -> Result<Value, Failure> {
    let remote = endpoint.signed(common).await?;
    let post = |operation, path, input: Value| {
        let remote = &remote;
        async move { remote.callgate(operation, Method::POST, path, Some(&input)).await }
    };
    Ok(match command {
        LimitsCommand::Put(input) => {
            post("PutLimit", "/callgate/v1/put-limit", serde_json::to_value(input)?).await?
        }
        LimitsCommand::Delete(which) => {
            post("DeleteLimit", "/callgate/v1/delete-limit", serde_json::to_value(which)?).await?
        }
        LimitsCommand::List => {
            let path = format!("/callgate/v1/limits?AccountId={account}");
            remote.callgate("ListLimits", Method::GET, &path, None).await?
        }
    })
}
