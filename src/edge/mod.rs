//! HTTP in and out: listeners, the route table, the pipeline, bodies and replies.
//!
//! Read [`pipeline`] first: it is the way of every request, in order.

pub mod arrival;
pub mod authorizer;
pub mod body;
pub mod cors;
pub mod explaining;
pub mod gate;
pub mod pipeline;
pub mod plain;
pub mod proxy;
pub mod refusals;
pub mod render;
pub mod report;
pub mod retries;
pub mod routes;
pub mod server;
pub mod serving;
pub mod spelling;

pub use gate::{Gate, Settings};
