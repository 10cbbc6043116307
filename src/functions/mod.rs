//! What is deployed.

pub mod config;
pub mod environment;
pub mod error;
pub mod name;
pub mod package;
pub mod validation;

pub use error::FunctionError;
