//! The network of functions, from what the configuration says.

use super::OpenError;
use crate::{
    app::gateway::Parts,
    base::Egress,
    sandbox::network::{self, Network},
};

/// The host's list of resolvers (resolv.conf(5)).
const RESOLVERS: &str = "/etc/resolv.conf";

/// What connects sandboxes, and where they may connect to whose function says nothing.
pub(super) async fn network(parts: &Parts) -> Result<(Network, Egress), OpenError> {
    let sandbox = &parts.config.sandbox;
    let egress = sandbox.network.egress();
    let network = Network::open(network::Options {
        egress: egress.clone(),
        range: sandbox.range().map_err(|why| OpenError::Range(why.to_string()))?,
        setup: sandbox.network_setup,
        resolvers: RESOLVERS.into(),
        connections: parts.inside.clone(),
        rng: parts.rng.clone(),
    })
    .await?;
    tracing::info!(level = ?network.level(), "the network of functions is ready");
    Ok((network, egress))
}
