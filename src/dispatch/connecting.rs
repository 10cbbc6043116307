//! What connects sandboxes, until the gateway goes down.

use std::sync::{Mutex, PoisonError};

use super::start::StartFailure;
use crate::{
    base::Egress,
    sandbox::{
        network::{Attached, Network},
        spawner::Started,
    },
};

/// The network of sandboxes, and where those may connect to whose function says nothing. Without one they have loopback
/// alone.
#[derive(Debug, Default)]
pub struct Connecting(Mutex<Option<(Network, Egress)>>);

impl Connecting {
    /// By this network.
    pub fn by(network: Network, egress: Egress) -> Self {
        Self(Mutex::new(Some((network, egress))))
    }

    fn get(&self) -> Option<(Network, Egress)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connects a sandbox in which no function code has run.
    pub(super) async fn attach(&self, started: &Started) -> Result<Option<Attached>, StartFailure> {
        let Some((network, _)) = self.get() else { return Ok(None) };
        let inside = started.control.inside().map_err(|error| StartFailure::System(error.to_string()))?;
        let attached = network.attach(started.control.joiner(), inside, started.user.host_id()).await;
        attached.map(Some).map_err(|error| StartFailure::System(error.to_string()))
    }

    /// Leaves it what its function may have.
    pub(super) async fn narrow(
        &self,
        attached: &mut Option<Attached>,
        egress: Option<&Egress>,
    ) -> Result<(), StartFailure> {
        let (Some(attached), Some((_, usual))) = (attached, self.get()) else { return Ok(()) };
        let narrowed = attached.narrow(egress.unwrap_or(&usual)).await;
        narrowed.map_err(|error| StartFailure::System(error.to_string()))
    }

    /// Lets go of the network. What it has set up on this machine goes with the last sandbox that is attached to it.
    pub(super) fn close(&self) {
        let network = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(network);
    }
}
