//! What a root gateway does to its host, and that it undoes it.

use callgate::{base::Egress, sandbox::network::Level};

use super::{
    crowd::until,
    jailed::{Gateway, Jailed},
    world::{OTHER, PORT, World},
};

/// Everything of the gateway's that the host shows.
fn left(world: &World) -> String {
    let links = world.host.ip("-o link");
    let links = links.lines().filter(|line| line.contains("callgate"));
    let rules = world.host.command("nft").args(["list", "tables"]).output().unwrap();
    let forwarding = world.host.command("cat").arg("/proc/sys/net/ipv4/ip_forward").output().unwrap();
    format!(
        "{}{}{}",
        links.collect::<String>(),
        String::from_utf8(rules.stdout).unwrap(),
        String::from_utf8(forwarding.stdout).unwrap().trim()
    )
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn all_goes_with_the_gateway() {
    if !is_root() {
        return;
    }
    let world = World::new();
    assert_eq!(left(&world), "0");
    world.on_host(|| async {
        let gateway = Gateway::open(world.resolvers.path()).await;
        assert_eq!(gateway.level(), Level::Bridge);
        let second = Gateway::open(world.resolvers.path()).await;
        let mut jailed = gateway.sandbox(20, "internet").await;
        let mut of_second = second.sandbox(21, "internet").await;
        let during = left(&world);
        for name in
            ["callgate0", "callgate1", "callgate0.2", "callgate1.2", "callgate_wall0", "callgate_wall1"]
        {
            assert!(during.contains(name), "{name}: {during}");
        }
        // Each goes through its own wall, and the first one's going takes nothing from the second.
        assert_eq!(jailed.tries(&format!("tcp {OTHER} {PORT}")).await, "ok");
        drop((jailed, gateway));
        assert_eq!(of_second.tries(&format!("tcp {OTHER} {PORT}")).await, "ok");
        drop((of_second, second));
        // The first had switched forwarding on, and could not switch it off under the second. The rules go with their
        // socket, which another test's child has too until it has become another program.
        until(|| left(&world) == "1").await;
    });
}

#[test]
fn what_a_killed_gateway_left_goes_at_the_next_start() {
    if !is_root() {
        return;
    }
    let world = World::new();
    // What stays of one: its rules are its own and go with it, its links stay.
    for words in [
        "link add callgate3 type bridge",
        "link add callgate3.2 type veth peer name stray",
        "link set callgate3.2 master callgate3",
        "link add callgate0 type bridge",
        "addr add 100.64.0.1/20 dev callgate0",
    ] {
        world.host.ip(words);
    }
    world.on_host(|| async {
        let gateway = Gateway::open(world.resolvers.path()).await;
        let links = world.host.ip("-o link");
        assert!(
            !links.contains("callgate3") && !links.contains("stray") && links.contains("callgate0"),
            "{links}"
        );
        drop(gateway);
        // The rules go with their socket, which another test's child has too until it has become another program.
        until(|| left(&world) == "0").await;
    });
}

#[test]
fn an_address_range_that_is_taken_is_told() {
    if !is_root() {
        return;
    }
    let world = World::new();
    world.host.ip("addr add 100.64.3.1/24 dev lo");
    world.on_host(|| async {
        let refused =
            Gateway::try_open(Egress::Internet, world.resolvers.path()).await.map(|gateway| gateway.level());
        match refused {
            // Where slirp4netns can be had it steps in, by name.
            Ok(level) => assert_eq!(level, Level::Slirp),
            Err(error) => assert!(error.contains("network_range"), "{error}"),
        }
    });
}

#[test]
fn an_address_that_the_host_gets_is_closed_at_once() {
    if !is_root() {
        return;
    }
    let world = World::new();
    world.on_host(|| async {
        let gateway = Gateway::open(world.resolvers.path()).await;
        let mut jailed = gateway.sandbox(22, "internet").await;
        let attempt = format!("udp {OTHER} {PORT}");
        assert_eq!(jailed.tries(&attempt).await, "ok");
        world.host.ip(&format!("addr add {OTHER}/32 dev lo"));
        // By its own rules, not only by the host's.
        until(|| jailed.rules().contains(OTHER)).await;
        assert_eq!(jailed.tries(&attempt).await, format!("E{}", libc::EPERM));
    });
}

#[test]
fn without_an_uplink_there_is_none_and_nothing_more_is_granted() {
    if !is_root() {
        return;
    }
    let world = World::new();
    world.on_host(|| async {
        let gateway = Gateway::of(Egress::Nothing, world.resolvers.path()).await;
        assert_eq!((gateway.level(), left(&world)), (Level::Nothing, "0".to_owned()));
        let mut jailed = Jailed::start(23).await;
        jailed.connect(&gateway).await;
        let wider =
            jailed.attached.as_mut().unwrap().narrow(&Egress::Internet).await.unwrap_err().to_string();
        assert!(wider.contains("callgate:network asks for internet"), "{wider}");
        assert!(wider.contains("have none"), "{wider}");
        jailed.narrow("none").await;
        // There is no interface, and so no way.
        assert_eq!(jailed.tries(&format!("tcp {OTHER} {PORT}")).await, format!("E{}", libc::ENETUNREACH));
    });
}
