//! Many sandboxes, one after the other and at once: what they cost, and that nothing is left of them.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    attempts::WAIT_MAX,
    jailed::{Gateway, Jailed},
    world::{OTHER, PORT, World},
};

const COUNT: u32 = 30;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Connects thirty sandboxes and narrows them in turns, then lets all go.
pub async fn thirty_come_and_go(gateway: Gateway) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    let (mut attaching, mut narrowing, mut pulling) = (Vec::new(), Vec::new(), Vec::new());
    let mut crowd = Vec::new();
    for number in 40..40 + COUNT {
        let mut jailed = Jailed::start(number).await;
        let start = Instant::now();
        jailed.connect(&gateway).await;
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
    drop(crowd);
    // Tasks that were told to end have ended when they are next looked at.
    let ended = async {
        while descriptors() > before + 8 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, ended).await.unwrap();
}

#[test]
fn by_the_bridge_thirty_come_and_go() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    world.on_host(|| async {
        thirty_come_and_go(Gateway::open(world.resolvers.path()).await).await;
        // The pairs of links go with the sandboxes' namespaces, which the kernel takes down in its own time.
    });
    let links = world.host.ip("-o link");
    assert!(!links.contains("callgate"), "{links}");
}
