//! What can be done in a sandbox from outside, one operation a file.
//!
//! To add one: a file with a struct of what it takes, which implements [`Act`], and a line in the list at the end of this file.

mod limit_tmpfs;
mod mount;
mod open_sockets;
mod signal_all;

use std::{collections::VecDeque, os::fd::OwnedFd};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{limit_tmpfs::LimitTmpfs, mount::Mount, open_sockets::OpenSockets, signal_all::SignalAll};
use super::{namespaces::Namespaces, wire::Failure};

/// Does one thing in a sandbox. Runs in a child of the joiner with one thread, which ends after the request.
pub trait Act {
    /// What must be done in the host's namespaces, before any is joined. `given` are the request's descriptors that nobody
    /// has taken yet.
    fn prepare(&mut self, given: &mut VecDeque<OwnedFd>) -> Result<(), Failure> {
        let _ = given;
        Ok(())
    }

    /// Does it. What is put into `handed` goes to the gateway, beside the value returned.
    fn act(&mut self, sandbox: &mut Namespaces, handed: &mut Vec<OwnedFd>) -> Result<Value, Failure>;
}

/// Declares the list: an enum of all operations, each a variant that holds its struct.
macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $operation:ident,)+) => {
        /// One operation, as a request names it.
        #[derive(Serialize, Deserialize, Debug)]
        #[serde(tag = "operation", rename_all = "snake_case")]
        pub enum Operation {
            $($(#[doc = $doc])+ $operation($operation),)+
        }

        $(impl From<$operation> for Operation {
            fn from(operation: $operation) -> Self {
                Self::$operation(operation)
            }
        })+

        impl Act for Operation {
            fn prepare(&mut self, given: &mut VecDeque<OwnedFd>) -> Result<(), Failure> {
                match self {
                    $(Self::$operation(operation) => operation.prepare(given),)+
                }
            }

            fn act(&mut self, sandbox: &mut Namespaces, handed: &mut Vec<OwnedFd>) -> Result<Value, Failure> {
                match self {
                    $(Self::$operation(operation) => operation.act(sandbox, handed),)+
                }
            }
        }
    };
}

operations! {
    /// Mounts a folder of the host read-only.
    Mount,
    /// Limits a tmpfs by bytes and by files.
    LimitTmpfs,
    /// Stops all processes, or has them go on.
    SignalAll,
    /// Opens the sockets by which the gateway reaches the sandbox's network.
    OpenSockets,
}
