//! `callgate accounts`: accounts of the gateway.

use clap::Subcommand;

use super::offline;
use crate::{
    app::{
        admin::{AdminOps, Client},
        cli::{Common, Failure},
        data_dir::DataDirError,
        gateway::Gateway,
        lifecycle, output,
    },
    base::AccountId,
};

/// What `accounts` takes.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// Make an account with a root key, and print both as JSON. The secret is shown this once.
    Create {
        /// Its 12 digits.
        account: AccountId,
    },
}

/// Does it by the running gateway, or on the store where none runs.
pub async fn run<G: Gateway>(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments::Create { account } = arguments;
    let config = common.load(None)?;
    let dir = lifecycle::data_dir(&config)?;
    let made = match dir.lock() {
        Err(DataDirError::Held { .. }) => Client::new(&dir.admin_socket()).create_account(*account).await?,
        Err(cause) => return Err(cause.into()),
        Ok(_lock) => G::open_store(offline(config, &dir)?).await?.create_account(*account).await?.to_json(),
    };
    output::line(&made.to_string());
    Ok(())
}
