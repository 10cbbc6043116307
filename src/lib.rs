//! Callgate: a self-hosted gateway for mobile back ends.
//!
//! An app calls a Node.js function by name; the gateway knows who is calling, from which device and app, checks how
//! often and whether they may, runs the function in a pooled sandbox and answers with JSON. A request's way:
//!
//! ```text
//! edge ─ accept: request id, source address, size and time limits, global budget of bytes in flight
//!   ├ quota      per address, before any cryptography
//!   ├ authn      SigV4 or a public operation → Caller
//!   ├ quota      the caller's own rates
//!   ├ policy     on the ARN as named → Permit, else 403
//!   ├ functions  does it exist → Target, else 404
//!   ├ quota      the target's rate and slot → Admission
//!   ├ dispatch   (Permit, Admission, Target, Invocation) → a sandbox's answer
//!   └ reply      JSON, headers, one request-log line, metrics
//! ```
//!
//! Begin reading at `edge::pipeline`; `docs/architecture.md` has the map and the rules of who may import whom.

pub mod api;
pub mod app;
pub mod authn;
pub mod base;
pub mod dispatch;
pub mod edge;
pub mod functions;
pub mod generate;
pub mod iam;
pub mod identity;
pub mod limits;
pub mod outbound;
pub mod policy;
pub mod quota;
pub mod revocation;
pub mod sandbox;
pub mod store;
pub mod telemetry;
