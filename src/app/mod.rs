//! The command: its arguments, the configuration, the data directory and the gateway's life from start to end.
//!
//! This is the only module that knows all the others, and nobody imports it. [`main`] is the whole program; the commands know
//! the gateway by [`gateway::Gateway`] alone, and `wiring` puts it together.

pub mod admin;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod doctor;
pub mod gateway;
pub mod lifecycle;
pub mod listen;
pub mod logging;
pub mod output;
pub mod package;
pub mod schemas;
pub mod sdk;
mod wiring;

use std::process::ExitCode;

/// The whole program.
pub fn main() -> ExitCode {
    cli::run::<wiring::Callgate>()
}
