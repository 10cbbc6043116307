//! Where functions run: the sandboxes, their network, and what is dispatched to them.

use std::{sync::Arc, time::Duration};

use super::{OpenError, Parts};
use crate::{
    app::{
        config::{Config, Isolation},
        doctor,
        sdk::Sdk,
    },
    base::Egress,
    dispatch::{
        self, Dispatch, connecting::Connecting, credentials::SharedCredentialSource, logs::GatewayLog,
        nodes::Nodes, start::Starter,
    },
    sandbox::{
        Level, Means, RuntimeFiles, Spawner, Users, detect,
        network::{self, Network},
    },
};

/// How many processes and threads a sandbox may have (AWS: 1,024).
const PROCESSES_MAX: u32 = 1024;

/// How far functions are kept apart.
pub(super) fn level(config: &Config) -> Level {
    match config.sandbox.isolation {
        Isolation::SeparateUsers => Level::SeparateUsers,
        Isolation::SharedUser => Level::SharedUser,
    }
}

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

/// What runs invocations.
pub(super) fn dispatch(
    parts: &Parts,
    credentials: SharedCredentialSource,
    network: (Network, Egress),
) -> Result<Dispatch, OpenError> {
    let config = &parts.config;
    let node = doctor::find_node(config).ok_or(OpenError::NoNode)?;
    let versions = config.runtime.versions.0.clone();
    for (runtime, path) in &versions {
        let broken = |why| OpenError::NodeVersion { runtime: runtime.clone(), why };
        doctor::node_version(path).map_err(broken)?;
    }
    let sdk = Sdk::of(config, &parts.dir).modules();
    if sdk.is_none() {
        tracing::info!(
            "functions must package the AWS SDK themselves: `callgate setup` gets it for all of them"
        );
    }
    let bwrap = detect::bubblewrap().map_err(|refused| OpenError::NoIsolation(refused.to_string()))?;
    let unpack_to = parts.dir.path().join("runtime");
    let files =
        RuntimeFiles::unpack(&unpack_to).map_err(|cause| OpenError::Runtime { path: unpack_to, cause })?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sandbox = &config.sandbox;
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let users = Users::find(level(config), sandbox.uid_base, sandbox.uid_count)
        .map_err(|refused| OpenError::NoIsolation(refused.to_string()))?;
    let at_once = sandbox.spawn_at_once.map_or(2 * cores, count);
    let means = Means::find(users, "/proc/self/exe").map_err(OpenError::Means)?;
    means.joiner.start().map_err(OpenError::Means)?;
    let spawner = Spawner::new(at_once, count(sandbox.spawn_queue_max), means).map_err(OpenError::Thread)?;
    let starter = Starter {
        spawner,
        bwrap,
        nodes: Nodes::new(node, versions),
        sdk,
        credentials,
        runtime: files.folder().to_owned(),
        processes_max: PROCESSES_MAX,
        network: Connecting::by(network.0, network.1),
        freeze_delay: Duration::from_millis(sandbox.freeze_delay_ms),
        region: config.server.region.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
    };
    let options = dispatch::Options {
        sandboxes_max: u64::from(sandbox.sandboxes_max),
        function_sandboxes_max: count(sandbox.function_sandboxes_max),
        line_max: count(sandbox.function_queue_max),
        threads: config.server.serving_threads(),
        processors: cores,
        busy_sandboxes: 2 * cores,
        idle: Duration::from_secs(sandbox.idle_seconds),
        prewarmed_min: count(sandbox.prewarmed_min),
        prewarmed_max: count(sandbox.prewarmed_max),
        is_memory_short: detect::is_memory_short,
    };
    let pools = dispatch::Pools::new(options, starter, parts.clock.clone());
    Ok(Dispatch::new(pools, parts.clock.clone(), Arc::new(GatewayLog)))
}
