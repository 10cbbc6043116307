//! HTTP in and out: listeners, the route table, the pipeline, bodies and replies.
//!
//! Read [`pipeline`] first: it is the way of every request, in order.

pub mod body;
pub mod proxy;
pub mod render;
pub mod routes;
pub mod server;
