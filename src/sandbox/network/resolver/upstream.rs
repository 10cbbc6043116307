//! Asking the host's own resolvers.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::message::{ANSWER_MAX, Answer, Question, Unusable};
use crate::base::rng::SharedRng;

/// How long one server has for one attempt.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How often all servers are asked.
const ROUNDS: usize = 2;
/// The most servers, as in the C library.
const SERVERS_MAX: usize = 3;
/// The most questions at once, over all sandboxes.
const AT_ONCE: usize = 512;
/// For how long the list of servers is believed.
const BELIEVED: Duration = Duration::from_secs(10);
/// How many packets that are no answers are read for one that is.
const FOREIGN_MAX: usize = 16;

/// The host's resolvers.
#[derive(Debug)]
pub struct Upstream {
    file: PathBuf,
    servers: Mutex<(Option<Instant>, Arc<[SocketAddr]>)>,
    at_once: Semaphore,
    rng: SharedRng,
}

impl Upstream {
    /// The resolvers that this file lists, usually `/etc/resolv.conf`. It is read again from time to time.
    pub fn new(file: PathBuf, rng: SharedRng) -> Self {
        Self { file, servers: Mutex::new((None, Arc::new([]))), at_once: Semaphore::new(AT_ONCE), rng }
    }

    /// Asks; `None` if nobody answers.
    pub async fn ask(&self, question: &Question) -> Option<Answer> {
        let _one = self.at_once.try_acquire().ok()?;
        let servers = self.servers();
        for _ in 0..ROUNDS {
            for server in &*servers {
                if let Ok(Ok(answer)) = timeout(ATTEMPT, self.ask_one(*server, question)).await {
                    return Some(answer);
                }
            }
        }
        None
    }

    fn servers(&self) -> Arc<[SocketAddr]> {
        let mut known = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.is_none_or(|read| read.elapsed() >= BELIEVED) {
            // A few lines that lie in the system's cache: no wait for the disk.
            let text = fs::read_to_string(&self.file).unwrap_or_default();
            *known = (Some(Instant::now()), servers(&text).into());
        }
        known.1.clone()
    }

    async fn ask_one(&self, server: SocketAddr, question: &Question) -> io::Result<Answer> {
        let mut id = [0; 2];
        self.rng.fill(&mut id);
        let id = u16::from_be_bytes(id);
        let packet = question.to_server(id).ok_or_else(failed)?;
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // A socket for each question: its port, which the kernel draws, is another thing that a forger has to guess.
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        socket.send(&packet).await?;
        let mut buffer = vec![0; ANSWER_MAX];
        for _ in 0..FOREIGN_MAX {
            let length = socket.recv(&mut buffer).await?;
            match question.answered(id, &buffer[..length]) {
                Ok(answer) => return Ok(answer),
                Err(Unusable::Foreign) => {}
                Err(Unusable::Cut) => return ask_by_tcp(server, question, id, &packet).await,
                Err(Unusable::Failed) => return Err(failed()),
            }
        }
        Err(failed())
    }
}

fn failed() -> io::Error {
    io::Error::other("no usable answer")
}

async fn ask_by_tcp(server: SocketAddr, question: &Question, id: u16, packet: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], packet].concat()).await?;
    let length = usize::from(stream.read_u16().await?);
    if length > ANSWER_MAX {
        return Err(failed());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    question.answered(id, &answer).map_err(|_| failed())
}

/// The servers of a `resolv.conf`; this host's own where it names none, as the C library has it.
fn servers(text: &str) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            // A zone behind an IPv6 address (`%eth0`) is left out: such servers are not asked.
            (words.next()? == "nameserver").then(|| words.next()?.parse::<IpAddr>().ok())?
        })
        .take(SERVERS_MAX)
        .map(|address| SocketAddr::new(address, 53))
        .collect();
    if found.is_empty() {
        found.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_the_c_library_does() {
        let text = "# nameserver 1.1.1.1\nsearch a\nnameserver 10.0.0.1\nnameserver\nnameserver x\n\
                    nameserver\t fd00::1\nnameserver 10.0.0.3 \nnameserver 10.0.0.4\n";
        let shown: Vec<String> = servers(text).iter().map(SocketAddr::to_string).collect();
        assert_eq!(shown, ["10.0.0.1:53", "[fd00::1]:53", "10.0.0.3:53"]);
        assert_eq!(servers(""), ["127.0.0.1:53".parse().unwrap()]);
    }
}
