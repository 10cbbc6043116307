//! A world to try the network in: an Internet and a host, each a network namespace that the test makes, joined by a cable.
//! Every address there is belongs to one of them.

use std::{
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket},
    os::fd::AsFd,
    process::{Child, Command, Stdio},
    thread,
};

use hickory_proto::{
    op::{Message, OpCode},
    rr::{RData, Record, RecordType, rdata::A},
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A public address, with servers on [`PORT`].
pub const PUBLIC: &str = "93.184.215.14";
/// Another one.
pub const OTHER: &str = "1.2.3.4";
/// Where servers listen, on every address of the Internet.
pub const PORT: u16 = 80;
/// Where they listen too.
pub const SECOND_PORT: u16 = 81;
/// Addresses of the Internet's side that no function may reach: a private network beyond the host, the metadata service of
/// two clouds, a carrier's network, and what else is no public address.
pub const INSIDE: [&str; 6] =
    ["10.9.9.9", "169.254.169.254", "100.100.100.200", "192.168.77.1", "172.16.5.5", "198.18.0.1"];
/// The host's address on the cable, and its other one, which is a public address.
pub const HOST: &str = "198.51.100.2";
/// See [`HOST`].
pub const HOST_PUBLIC: &str = "11.22.33.44";
/// Where a server of the host listens on all of its addresses.
pub const HOST_PORT: u16 = 7000;
/// The Internet's end of the cable: router, and the host's resolver.
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// A network namespace; it goes when dropped, and when the test's process ends.
pub struct Namespace {
    holder: Child,
    file: File,
}

impl Namespace {
    fn new() -> Self {
        // It lives until its input ends.
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up; echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        holder.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
        let file = File::open(format!("/proc/{}/ns/net", holder.id())).unwrap();
        Self { holder, file }
    }

    /// Runs a command of `ip` there, and returns what it prints.
    pub fn ip(&self, words: &str) -> String {
        let ran = self.command("ip").args(words.split(' ')).output().unwrap();
        assert!(ran.status.success(), "ip {words}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A command to be run there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).arg(program);
        command
    }

    fn enter(&self) {
        move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }

    /// Has this done by a thread there, and waits for what it returns.
    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let done = scope.spawn(|| {
                self.enter();
                work()
            });
            done.join().unwrap()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}

/// Both, with their servers.
pub struct World {
    pub host: Namespace,
    /// Held: it goes when dropped.
    _internet: Namespace,
    /// What the host's `/etc/resolv.conf` would be.
    pub resolvers: tempfile::NamedTempFile,
}

impl World {
    pub fn new() -> Self {
        let (host, internet) = (Namespace::new(), Namespace::new());
        internet.ip(&format!("link add cable type veth peer name eth7 netns {}", host.holder.id()));
        internet.ip(&format!("addr add {ROUTER}/24 dev cable"));
        internet.ip("link set cable up");
        for address in INSIDE.iter().chain(&[PUBLIC, OTHER]) {
            internet.ip(&format!("addr add {address}/32 dev lo"));
        }
        // A new namespace does as the machine does.
        let off = host.command("sh").args(["-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"]).status().unwrap();
        assert!(off.success());
        host.ip(&format!("addr add {HOST}/24 dev eth7"));
        host.ip(&format!("addr add {HOST_PUBLIC}/32 dev lo"));
        host.ip("link set eth7 up");
        host.ip(&format!("route add default via {ROUTER}"));
        for address in INSIDE.iter().chain(&[PUBLIC, OTHER]) {
            for port in [PORT, SECOND_PORT] {
                serve(&internet, address, port);
            }
        }
        serve(&host, "0.0.0.0", HOST_PORT);
        serve_names(&internet);
        let mut resolvers = tempfile::NamedTempFile::new().unwrap();
        writeln!(resolvers, "nameserver {ROUTER}").unwrap();
        Self { host, _internet: internet, resolvers }
    }

    /// Runs this on a thread of the host, with a runtime whose threads are there too.
    pub fn on_host<F: Future<Output = ()>>(&self, work: impl FnOnce() -> F + Send) {
        self.host.inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work());
        });
    }
}

/// Servers that greet with a byte (TCP) or send back what came (UDP). Their threads end with the process.
fn serve(namespace: &Namespace, address: &str, port: u16) {
    let at = SocketAddrV4::new(address.parse().unwrap(), port);
    let (tcp, udp) = namespace.inside(|| (TcpListener::bind(at).unwrap(), UdpSocket::bind(at).unwrap()));
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"!"));
        }
    });
    thread::spawn(move || {
        let mut packet = [0; 64];
        while let Ok((length, from)) = udp.recv_from(&mut packet) {
            let _ = udp.send_to(&packet[..length], from);
        }
    });
}

/// The host's resolver: `public.example.com`, `other.example.com`, `rebind.example.com` (an address inside),
/// `mixed.example.com` (both), and `many.example.com` (more than fit into a packet).
fn serve_names(namespace: &Namespace) {
    let at = SocketAddrV4::new(ROUTER, 53);
    let (udp, tcp) = namespace.inside(|| (UdpSocket::bind(at).unwrap(), TcpListener::bind(at).unwrap()));
    thread::spawn(move || {
        let mut packet = [0; 2048];
        while let Ok((length, from)) = udp.recv_from(&mut packet) {
            let answer = answer(&packet[..length]);
            let whole = answer.to_vec().unwrap();
            let sent = if whole.len() > 1232 { answer.truncate().to_vec().unwrap() } else { whole };
            let _ = udp.send_to(&sent, from);
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut packet).unwrap();
            let whole = answer(&packet).to_vec().unwrap();
            stream.write_all(&u16::try_from(whole.len()).unwrap().to_be_bytes()).unwrap();
            stream.write_all(&whole).unwrap();
        }
    });
}

fn answer(packet: &[u8]) -> Message {
    let asked = Message::from_vec(packet).unwrap();
    let query = asked.queries[0].clone();
    let many: Vec<String> = (0..150).map(|at| format!("8.8.8.{at}")).collect();
    let addresses: Vec<&str> = match query.name().to_lowercase().to_ascii().as_str() {
        "public.example.com." => vec![PUBLIC],
        "other.example.com." => vec![OTHER],
        "rebind.example.com." => vec![INSIDE[0]],
        "mixed.example.com." => vec![PUBLIC, INSIDE[1]],
        "many.example.com." => many.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let mut message = Message::response(asked.metadata.id, OpCode::Query);
    if query.query_type() == RecordType::A {
        message.add_answers(addresses.iter().map(|address| {
            Record::from_rdata(query.name().clone(), 60, RData::A(A(address.parse().unwrap())))
        }));
    }
    message.add_query(query);
    message
}
