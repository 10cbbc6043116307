//! The gateway's own log, on standard error.

use std::io;

use super::config::{Format, Log};

/// Sends what `tracing` is told to standard error in the configured form. A second call changes nothing, so that tests may
/// start several gateways in one process.
pub fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(log.level.filter())
        .with_writer(io::stderr)
        .with_target(true);
    let started = match log.format {
        Format::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}
