//! `callgate accounts`: accounts of the gateway.

use std::sync::Arc;

use clap::Subcommand;

use crate::{
    app::{
        admin::{AdminOps, Client},
        cli::{Common, Failure},
        data_dir::DataDirError,
        gateway::{Gateway, Parts},
        lifecycle, output,
    },
    base::{AccountId, SystemClock, SystemRng},
    edge::server::Connections,
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
        Ok(_lock) => {
            let (clock, rng) = (Arc::new(SystemClock::new()), Arc::new(SystemRng));
            let ring = Arc::new(lifecycle::key_ring(&config, &dir, clock.as_ref(), rng.as_ref())?);
            let root_key = lifecycle::root_key(&dir, rng.as_ref())?;
            let connections = Arc::new(Connections::default());
            let public_url = String::new();
            // No sandbox will ever run here.
            let (inside, _) = tokio::sync::mpsc::channel(1);
            let parts = Parts {
                config,
                dir: dir.clone(),
                ring,
                root_key,
                public_url,
                connections,
                inside,
                clock,
                rng,
            };
            G::open_store(parts).await?.create_account(*account).await?.to_json()
        }
    };
    output::line(&made.to_string());
    Ok(())
}
