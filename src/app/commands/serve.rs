//! `callgate serve`: run the gateway until it is told to end.

use std::net::SocketAddr;

use clap::Args;
use serde_json::json;

use crate::app::{
    cli::{Common, Failure},
    data_dir::RootKeyOrigin,
    gateway::Gateway,
    lifecycle::{self, Signals, Started},
    logging, output,
};

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The address that apps call, over what the configuration says; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Print one JSON line when the gateway is ready, for programs that start it.
    #[arg(long)]
    ready_json: bool,
}

/// Runs the gateway; SIGTERM or SIGINT ends it.
pub fn run<G: Gateway>(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let config = common.load(arguments.listen)?;
    logging::start(&config.log);
    let reload = || common.load(arguments.listen);
    let announce = if arguments.ready_json { announce_json } else { announce_text };
    // Requests are served by threads of their own; what is left, accepting and chores, is little.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let served = runtime.block_on(async {
        let signals = Signals::of_process().map_err(|cause| format!("signals cannot be heard: {cause}"))?;
        Ok::<_, Failure>(lifecycle::serve::<G>(config, reload, signals, announce).await?)
    });
    // What was cut off must not hold up the end.
    runtime.shutdown_background();
    served
}

fn announce_json(started: &Started) {
    let Started { status, data_dir, root_key } = started;
    let key_file = match root_key {
        RootKeyOrigin::Environment => None,
        RootKeyOrigin::File(path) | RootKeyOrigin::Made(path) => Some(path),
    };
    let ready = json!({
        "ready": true,
        "listen": status.listen,
        "management": status.management,
        "pid": status.pid,
        "data_dir": data_dir,
        "root_key_file": key_file,
    });
    output::line(&ready.to_string());
}

fn announce_text(started: &Started) {
    let Started { status, data_dir, root_key } = started;
    let key = match root_key {
        RootKeyOrigin::Environment => "from the environment".to_owned(),
        RootKeyOrigin::File(path) => path.display().to_string(),
        RootKeyOrigin::Made(path) => format!("{} (made now)", path.display()),
    };
    output::line(&format!(
        "Callgate {} is ready.\n  apps        {}\n  management  {}\n  data        {}\n  root key    {key}",
        status.version,
        status.listen,
        status.management,
        data_dir.display()
    ));
}
