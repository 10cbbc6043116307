//! AWS Lambda.

pub mod client_context;
pub mod payload;
