//! This machine's own addresses, which no sandbox may reach, kept up to date in every filter.

use std::{
    io,
    net::Ipv4Addr,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::io::unix::AsyncFd;

use super::{
    filter::Filter,
    netlink::{Family, Socket},
    route::own_addresses,
};
use crate::sandbox::process;

/// The kernel's group that hears of changed IPv4 addresses.
const ADDRESSES: u32 = 0x10;

/// This machine's addresses, and the filters that refuse them.
#[derive(Debug)]
pub(super) struct Hosts {
    changes: AsyncFd<OwnedFd>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<Ipv4Addr>,
    filters: Vec<Weak<Filter>>,
}

impl Hosts {
    /// Reads the addresses of the calling thread's network namespace.
    pub(super) fn new() -> io::Result<Arc<Self>> {
        // First listened, then read: what changes in between is read again.
        let changes = Socket::listening(Family::Route, ADDRESSES)?;
        let known = Known { addresses: read()?, filters: Vec::new() };
        Ok(Arc::new(Self { changes: process::watch(changes.into())?, known: Mutex::new(known) }))
    }

    /// Has a filter made with the addresses of now, and keeps it up to date from then on.
    pub(super) fn guard(
        &self,
        make: impl FnOnce(&[Ipv4Addr]) -> io::Result<Filter>,
    ) -> io::Result<Arc<Filter>> {
        let addresses = self.known().addresses.clone();
        let filter = Arc::new(make(&addresses)?);
        let mut known = self.known();
        // Changed while it was made: nobody has told it yet.
        filter.set_host(&known.addresses)?;
        known.filters.retain(|filter| filter.strong_count() > 0);
        known.filters.push(Arc::downgrade(&filter));
        Ok(filter)
    }

    /// Waits for changes and tells them to all filters, until dropped.
    pub(super) async fn watch(self: Arc<Self>) {
        loop {
            let Ok(mut ready) = self.changes.readable().await else { return };
            ready.clear_ready();
            drop(ready);
            let me = self.clone();
            let told = tokio::task::spawn_blocking(move || me.refresh()).await;
            if let Ok(Err(error)) = told {
                tracing::error!(%error, "this machine's new addresses could not be closed to sandboxes");
            }
        }
    }

    fn refresh(&self) -> io::Result<()> {
        drain(self.changes.get_ref());
        let addresses = read()?;
        let mut known = self.known();
        if addresses == known.addresses {
            return Ok(());
        }
        known.addresses.clone_from(&addresses);
        let filters: Vec<_> = known.filters.iter().filter_map(Weak::upgrade).collect();
        drop(known);
        // One that cannot be told belongs to a sandbox that ends; the others must be told all the same.
        let told: Vec<_> = filters.iter().map(|filter| filter.set_host(&addresses)).collect();
        told.into_iter().collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read() -> io::Result<Vec<Ipv4Addr>> {
    let own = own_addresses(&Socket::open(Family::Route)?)?;
    let mut addresses: Vec<Ipv4Addr> = own.into_iter().map(|own| own.address).collect();
    addresses.dedup();
    Ok(addresses)
}

/// Throws away what has come in: that something has is all there is to know.
fn drain(socket: &OwnedFd) {
    let mut buffer = [0; 512];
    while let Ok(_) | Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR) =
        rustix::net::recv(socket, &mut buffer, rustix::net::RecvFlags::DONTWAIT)
    {}
}
