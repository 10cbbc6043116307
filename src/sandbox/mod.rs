//! Where a function runs: a Node.js process in a jail of its own, spoken to over one socket.
//!
//! The jail is bubblewrap's, with a small first process of ours inside ([`files`] unpacks it). `docs/jail.md` lists the steps.
//! [`network`] connects it. This is the only module with unsafe code, and it knows nothing of functions, callers or limits.

pub mod detect;
pub mod files;
pub mod jail;
pub mod joiner;
pub mod link;
pub mod network;
pub mod process;
pub mod protocol;
mod socket;
pub mod spawner;
pub mod uids;

pub use files::RuntimeFiles;
pub use jail::Spec;
pub use joiner::Joiner;
pub use link::{Link, LinkError};
pub use process::{Exit, Process};
pub use spawner::{SpawnError, Spawner};
