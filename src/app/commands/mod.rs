//! The commands, one a file: each says what it takes and does it.

pub mod accounts;
pub mod config;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod generate;
pub mod invoke;
pub mod limits;
pub mod policy;
pub mod pools;
pub mod remote;
pub mod serve;
pub mod sessions;
pub mod setup;

use std::sync::Arc;

use crate::{
    app::{cli::Failure, config::Config, data_dir::DataDir, gateway::Parts, lifecycle},
    base::{SystemClock, SystemRng},
    edge::server::Connections,
};

/// What a gateway's store is opened with where no gateway runs; whoever asks holds the directory's lock.
pub(crate) fn offline(config: Config, dir: &DataDir) -> Result<Parts, Failure> {
    let (clock, rng) = (Arc::new(SystemClock::new()), Arc::new(SystemRng));
    let ring = Arc::new(lifecycle::key_ring(&config, dir, clock.as_ref(), rng.as_ref())?);
    let root_key = lifecycle::root_key(dir, rng.as_ref())?;
    // No sandbox will ever run here.
    let (inside, _) = tokio::sync::mpsc::channel(1);
    Ok(Parts {
        config,
        dir: dir.clone(),
        ring,
        root_key,
        public_url: String::new(),
        connections: Arc::new(Connections::default()),
        inside,
        clock,
        rng,
    })
}

/// Reads `NAME=VALUE`; the value may hold further equals signs.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
