//! The command: its arguments, the configuration, the data directory and the gateway's life from start to end.
//!
//! This is the only module that knows all the others, and nobody imports it. [`run`] is the whole program; the gateway that
//! it runs comes in through [`gateway::Gateway`].

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

pub use cli::run;
