//! What is deployed: functions, their packages and how they change.
//!
//! [`Functions`] holds every function in memory, follows the change log, and makes changes. Lookups ([`Functions::find`],
//! [`Functions::resolve`]) take no lock and never touch the disk. What a sandbox needs stands in [`Function`]; its package
//! lies unpacked on this node's [`shelf`].

pub mod change;
pub mod config;
pub mod download;
pub mod environment;
pub mod error;
pub mod function;
pub mod holder;
pub mod name;
pub mod package;
pub mod permissions;
pub mod publish;
mod settle;
pub mod shelf;
pub mod source;
pub mod validation;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::FunctionError;
pub use function::{Function, Target};
pub use holder::{Functions, Options, Parts, RoleCheck};
pub use name::{FunctionRef, Named};
pub use permissions::Permission;
pub use publish::AliasChange;
pub use source::EventSource;
