//! The command: its arguments, the configuration, the data directory and the gateway's life from start to end.
//!
//! This is the only module that knows all the others, and nobody imports it.

pub mod config;
pub mod data_dir;
pub mod listen;
