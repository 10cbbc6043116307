//! Many sandboxes, one after the other and at once: what they cost, and that nothing is left of them.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    jailed::{Gateway, Jailed},
    world::{OTHER, PORT, World},
};

const COUNT: u32 = 30;
/// How long one may wait for what happens by itself.
const WAIT_MAX: Duration = Duration::from_secs(120);

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Connects thirty sandboxes and narrows them in turns, then lets all go.
async fn come_and_go(gateway: &Gateway) {
    let (mut attaching, mut narrowing, mut pulling) = (Vec::new(), Vec::new(), Vec::new());
    let mut crowd = Vec::new();
    for number in 40..40 + COUNT {
        let mut jailed = Jailed::start(number).await;
        let start = Instant::now();
        jailed.connect(gateway).await;
        attaching.push(start.elapsed());
        assert_eq!(jailed.tries(&format!("tcp {OTHER} {PORT}")).await, "ok");
        let start = Instant::now();
        jailed.narrow("a.example.com:443 1.1.1.1:443").await;
        narrowing.push(start.elapsed());
        let start = Instant::now();
        jailed.narrow("none").await;
        pulling.push(start.elapsed());
        crowd.push(jailed);
    }
    println!(
        "by {}: attach {:?}, narrow to a list {:?}, narrow to none {:?} (medians of {COUNT})",
        gateway.level(),
        median(attaching),
        median(narrowing),
        median(pulling)
    );
}

/// Waits until this is so.
pub async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, waiting).await.unwrap();
}

/// As an ordinary user: no descriptor is left, in a process in which no other test runs meanwhile.
pub async fn thirty_leave_no_descriptor(gateway: Gateway) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    // The first brings the joiner with it.
    drop(gateway.sandbox(39, "internet").await);
    let before = descriptors();
    come_and_go(&gateway).await;
    until(|| descriptors() <= before).await;
}

#[test]
fn by_the_bridge_thirty_leave_no_link() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    world.on_host(|| async {
        let gateway = Gateway::open(world.resolvers.path()).await;
        come_and_go(&gateway).await;
    });
    // Links go with the sandboxes' namespaces, when the kernel comes to that; the gateway's end does not wait for it.
    let links = world.host.ip("-o link");
    assert!(!links.contains("callgate"), "{links}");
}
