//! A sandbox as the jail makes it, with the attacker of `probe.c` in it, connected to the network.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, OnceLock},
};

use callgate::{
    base::{Egress, SystemRng},
    sandbox::{
        joiner::{Inside, Joiner},
        network::{Attached, Connection, Level, Network, Options, Range},
    },
};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{Name, RData, RecordType},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout},
    sync::mpsc,
};

/// Names the attacker's program to tests of another user.
pub const PROBE_GIVEN: &str = "CALLGATE_TEST_PROBE";

/// The network of a gateway, and what belongs to it.
pub struct Gateway {
    pub network: Network,
    pub joiner: Joiner,
    pub connections: mpsc::Receiver<Connection>,
}

impl Gateway {
    pub async fn open(resolvers: &Path) -> Self {
        Self::of(Egress::Internet, resolvers).await
    }

    pub async fn of(egress: Egress, resolvers: &Path) -> Self {
        Self::try_open(egress, resolvers).await.unwrap()
    }

    /// The same, or why there is none.
    pub async fn try_open(egress: Egress, resolvers: &Path) -> Result<Self, String> {
        let (sender, connections) = mpsc::channel(64);
        let options = Options {
            egress,
            range: Range::new([100, 64, 0, 0].into(), 16).unwrap(),
            setup: true,
            resolvers: resolvers.to_owned(),
            connections: sender,
            rng: Arc::new(SystemRng),
        };
        let network = Network::open(options).await.map_err(|error| error.to_string())?;
        // Another user may not enter the build's folder.
        let program = std::env::var_os("CALLGATE_TEST_PROGRAM");
        let joiner = Joiner::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_callgate").into()));
        Ok(Self { network, joiner, connections })
    }

    /// A sandbox with this place in the test, connected and narrowed.
    pub async fn sandbox(&self, number: u32, egress: &str) -> Jailed {
        let mut jailed = Jailed::start(number).await;
        jailed.connect(self).await;
        jailed.narrow(egress).await;
        jailed
    }

    pub fn level(&self) -> Level {
        self.network.level()
    }
}

/// A sandbox with the attacker in it.
pub struct Jailed {
    // Ends the sandbox; then what is attached to it goes.
    child: Ended,
    pub attached: Option<Attached>,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    uid: Option<u32>,
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The attacker's program, compiled once, where every user may read it.
pub fn probe() -> PathBuf {
    static PROBE: OnceLock<TempDir> = OnceLock::new();
    // An ordinary user's tests use what root's have built.
    if let Some(given) = std::env::var_os(PROBE_GIVEN) {
        return given.into();
    }
    let folder = PROBE.get_or_init(|| {
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(readable).tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sandbox/network/probe.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-static", "-o"]).arg(folder.path().join("probe")).arg(source);
        assert!(compiler.status().unwrap().success());
        folder
    });
    folder.path().join("probe")
}

impl Jailed {
    /// Starts it, without a network yet.
    pub async fn start(number: u32) -> Self {
        let root = rustix::process::geteuid().is_root();
        let uid = root.then(|| 900_000 + std::process::id() % 1_000 * 100 + number);
        let mut command = Command::new("bwrap");
        command
            .args(
                "--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup"
                    .split(' '),
            )
            .args(
                "--disable-userns --die-with-parent --new-session --cap-drop ALL --uid 993 --gid 993"
                    .split(' '),
            )
            .args("--as-pid-1 --tmpfs / --proc /proc --dev /dev --ro-bind".split(' '))
            .arg(probe())
            .args("/probe --remount-ro / -- /probe".split(' '))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        let mut child = command.spawn().unwrap();
        let input = ChildStdin::from_std(child.stdin.take().unwrap()).unwrap();
        let output = BufReader::new(ChildStdout::from_std(child.stdout.take().unwrap()).unwrap());
        let mut jailed = Self { child: Ended(child), attached: None, input, output, uid };
        assert_eq!(jailed.said().await, "here");
        jailed
    }

    /// Attaches it to the network.
    pub async fn connect(&mut self, gateway: &Gateway) {
        self.attached =
            Some(gateway.network.attach(&gateway.joiner, &self.inside(), self.uid).await.unwrap());
    }

    /// Narrows what it may reach.
    pub async fn narrow(&mut self, egress: &str) {
        self.attached.as_mut().unwrap().narrow(&egress.parse().unwrap()).await.unwrap();
    }

    /// What came of an attempt.
    pub async fn tries(&mut self, attempt: &str) -> String {
        self.input.write_all(format!("{attempt}\n").as_bytes()).await.unwrap();
        self.said().await
    }

    /// The rules in its network, as the program `nft` lists them.
    pub fn rules(&self) -> String {
        let namespace = format!("--net=/proc/{}/ns/net", self.inside().pid().as_raw_pid());
        let listed = Command::new("nsenter").args([&namespace, "nft", "list", "ruleset"]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap()
    }

    fn inside(&self) -> Inside {
        Inside::of_monitor(self.child.0.id()).unwrap()
    }

    async fn said(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).await.unwrap();
        assert!(line.ends_with('\n'), "the attacker has ended");
        line.trim().to_owned()
    }

    /// Looks a name up by the sandbox's resolver: the answer, if there is one.
    pub async fn looks_up(&mut self, name: &str, kind: RecordType) -> Option<Message> {
        self.asks("dns", name, kind).await
    }

    /// The same by TCP.
    pub async fn looks_up_by_tcp(&mut self, name: &str, kind: RecordType) -> Option<Message> {
        self.asks("dnstcp", name, kind).await
    }

    async fn asks(&mut self, how: &str, name: &str, kind: RecordType) -> Option<Message> {
        let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        let hex: String = message.to_vec().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        let said = self.tries(&format!("{how} {hex} 1")).await;
        let bytes: Option<Vec<u8>> = said
            .as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok())
            .collect();
        bytes.map(|bytes| Message::from_vec(&bytes).unwrap())
    }
}

/// The IPv4 addresses in an answer.
pub fn addresses(message: &Message) -> Vec<String> {
    message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) => Some(address.to_string()),
            _ => None,
        })
        .collect()
}
