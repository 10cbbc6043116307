//! What the command needs of the gateway itself: the seam between this module and the wiring of all the others.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    admin::AdminOps,
    config::Config,
    data_dir::{DataDir, RootKey},
    doctor::Check,
};
use crate::{
    base::{KeyRing, clock::SharedClock, rng::SharedRng},
    edge::server::{Answer, Connections},
    sandbox::network::Connection,
    telemetry::Metrics,
};

/// What a gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// The configuration in force.
    pub config: Config,
    /// The data directory, whose lock the caller holds for as long as the gateway lives.
    pub dir: DataDir,
    /// The key ring.
    pub ring: Arc<KeyRing>,
    /// The root key of account `000000000000`, to be seeded.
    pub root_key: RootKey,
    /// The base of issuer names and links, without a slash at its end.
    pub public_url: String,
    /// The open connections, for metrics.
    pub connections: Arc<Connections>,
    /// Where connections go that functions make to the gateway from inside their sandboxes.
    pub inside: mpsc::Sender<Connection>,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
}

/// A gateway that serves.
pub trait Gateway: Answer + AdminOps + Sized {
    /// Why it cannot be opened; the message is for a person.
    type Error: std::error::Error + Send + Sync + 'static;
    /// What a command works with that found no gateway running.
    type Store: AdminOps;

    /// Opens everything a gateway needs: when it returns, calls can be served.
    fn open(parts: Parts) -> impl Future<Output = Result<Arc<Self>, Self::Error>> + Send;

    /// Opens the store alone.
    fn open_store(parts: Parts) -> impl Future<Output = Result<Self::Store, Self::Error>> + Send;

    /// Where listeners count what they refuse.
    fn metrics(&self) -> Arc<Metrics>;

    /// Takes on what of another configuration can be changed while it runs: the limits.
    fn reload(&self, _config: &Config) {}

    /// From now on it says that it is not ready; calls are served all the same.
    fn begin_drain(&self);

    /// Ends what still runs within `deadline`, and closes the store. No process is left afterwards.
    fn close(&self, deadline: Duration) -> impl Future<Output = ()> + Send;

    /// What this machine can isolate, for `doctor`.
    fn isolation(config: &Config) -> Vec<Check>;
}
