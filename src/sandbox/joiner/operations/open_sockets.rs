//! `open_sockets`: the sockets of a sandbox's network that the gateway uses from outside.

use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Namespaces};
use crate::sandbox::{joiner::wire::Failure, network::Sockets};

/// Opens them and hands them out.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct OpenSockets {}

impl Act for OpenSockets {
    fn act(&mut self, sandbox: &mut Namespaces, handed: &mut Vec<OwnedFd>) -> Result<Value, Failure> {
        sandbox.join_network()?;
        let sockets = Sockets::open().map_err(Failure::at("open sockets in the sandbox's network"))?;
        handed.extend(sockets.into_descriptors());
        Ok(Value::Null)
    }
}
