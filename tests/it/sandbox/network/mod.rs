//! What sandboxes reach and what they do not, in a world of namespaces that the tests make: as root, over the bridge, and
//! as an ordinary user, over slirp4netns. The attempts are the same.

mod attempts;
mod bridge;
mod crowd;
mod jailed;
mod names;
mod ordinary_user;
pub(super) mod world;

use self::{jailed::Gateway, world::World};

/// Runs this on the host of a new world, whose resolvers it is told, as root. An ordinary user cannot make such a world.
fn in_a_world<F: Future<Output = ()>>(work: impl FnOnce(Gateway) -> F + Send) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    world.on_host(|| async { work(Gateway::open(world.resolvers.path()).await).await });
}
