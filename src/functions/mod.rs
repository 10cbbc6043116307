//! What is deployed.

pub mod package;
