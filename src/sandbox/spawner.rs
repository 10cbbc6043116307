//! Starting sandboxes, a bounded number at once.
//!
//! One thread of its own forks: a fork copies the page table, which would hold up a thread that serves requests, and the
//! sandbox dies with the thread that forked it (`--die-with-parent` is about threads), so that thread lives as long as the
//! gateway does.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::Child,
    sync::{Arc, mpsc},
};

use tokio::sync::{Semaphore, oneshot};

use super::{
    jail::{Ends, Spec},
    link::Link,
    process::{self, Process, Processes},
    uids::{Uid, Uids},
};

/// Why a sandbox was not started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Too many starts wait already.
    #[error("too many sandboxes are waiting to be started")]
    Busy,
    /// Every host user id for sandboxes is in use.
    #[error("every user id of [sandbox] uid_base and uid_count is in use")]
    NoUid,
    /// The gateway is going down.
    #[error("the gateway is shutting down")]
    Closed,
    /// The system refused.
    #[error("a sandbox could not be started: {0}")]
    Io(#[from] io::Error),
}

/// A started sandbox. Its bootstrap has yet to say READY.
#[derive(Debug)]
pub struct Started {
    /// The process at its head.
    pub process: Process,
    /// The gateway's ends of its sockets and pipe.
    pub link: Link,
    /// Its host user id, free again when dropped; `None` where the gateway is no root.
    pub uid: Option<Uid>,
}

struct Order {
    spec: Arc<Spec>,
    uid: Option<Uid>,
    done: oneshot::Sender<io::Result<Born>>,
}

/// What the spawning thread hands back.
struct Born {
    child: Child,
    requests: UnixStream,
    answers: UnixStream,
    output: OwnedFd,
    uid: Option<Uid>,
}

/// Starts sandboxes.
#[derive(Debug)]
pub struct Spawner {
    orders: mpsc::SyncSender<Order>,
    uids: Option<Arc<Uids>>,
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    processes: Arc<Processes>,
}

impl Spawner {
    /// A spawner that starts `at_once` sandboxes at the same time and lets `waiting_max` more wait. `uids` gives each its host
    /// user, where the gateway is root.
    pub fn new(at_once: usize, waiting_max: usize, uids: Option<Arc<Uids>>) -> io::Result<Self> {
        let (orders, taken) = mpsc::sync_channel::<Order>(at_once);
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            process::own_keyring();
            for order in taken {
                if let Err(Ok(mut unwanted)) = order.done.send(start(&order.spec, order.uid)) {
                    process::end(&mut unwanted.child);
                }
            }
        })?;
        Ok(Self {
            orders,
            uids,
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(at_once + waiting_max)),
            processes: Arc::default(),
        })
    }

    /// Starts one and has `ready` bring it to the point where it can serve; until then it counts as being started.
    pub async fn start<T, F>(
        &self,
        spec: Arc<Spec>,
        ready: impl FnOnce(Started) -> F,
    ) -> Result<T, SpawnError>
    where
        F: Future<Output = T>,
    {
        let _waiting = self.waiting.try_acquire().map_err(|_| SpawnError::Busy)?;
        let _starting = self.at_once.acquire().await.map_err(|_| SpawnError::Closed)?;
        let uid = match &self.uids {
            Some(uids) => Some(uids.take().ok_or(SpawnError::NoUid)?),
            None => None,
        };
        let (done, started) = oneshot::channel();
        self.orders.try_send(Order { spec, uid, done }).map_err(|_| SpawnError::Closed)?;
        let Born { child, requests, answers, output, uid } = started.await.map_err(|_| SpawnError::Closed)??;
        let process = Process::new(child, &self.processes)?;
        Ok(ready(Started { process, link: Link::new(requests, answers, output)?, uid }).await)
    }

    /// Starts no more, and kills every sandbox there is.
    pub fn kill_all(&self) {
        self.at_once.close();
        self.processes.kill();
    }
}

fn start(spec: &Spec, uid: Option<Uid>) -> io::Result<Born> {
    let (requests, read_end) = UnixStream::pair()?;
    let (answers, write_end) = UnixStream::pair()?;
    let (output, output_end) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK)?;
    // Only our end must not block: a function that writes faster than it is read shall wait.
    rustix::io::ioctl_fionbio(&output_end, false)?;
    let ends = Ends { requests: read_end.into(), answers: write_end.into(), output: output_end };
    let child = spec.command(uid.as_ref().map(Uid::get), ends)?.spawn()?;
    Ok(Born { child, requests, answers, output, uid })
}
