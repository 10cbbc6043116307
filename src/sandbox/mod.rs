//! Where a function runs: a Node.js process in a jail of its own, spoken to over one socket.
//!
//! The jail is bubblewrap's, with a small first process of ours inside ([`files`] unpacks it). `docs/jail.md` lists the steps.
//! [`network`] connects it. This is the only module with unsafe code, and it knows nothing of functions, callers or limits.

pub mod cgroup;
mod child;
mod control;
pub mod detect;
pub mod files;
pub mod freezer;
pub mod jail;
pub mod joiner;
pub mod link;
pub mod memory_watch;
pub mod network;
pub mod process;
pub mod processes;
pub mod protocol;
mod socket;
pub mod spawner;
mod subordinate;
pub mod uids;
pub mod users;

pub use control::{Binding, Control, Means};
pub use files::RuntimeFiles;
pub use freezer::FreezeError;
pub use jail::Spec;
pub use joiner::Joiner;
pub use link::{Link, LinkError};
pub use process::{Exit, Process};
pub use spawner::{SpawnError, Spawner};
pub use users::{HostUser, Level, Users};
