//! Starting sandboxes, a bounded number at once.
//!
//! One thread of its own forks: a fork copies the page table, which would hold up a thread that serves requests, and the
//! sandbox dies with the thread that forked it (`--die-with-parent` is about threads), so that thread lives as long as the
//! gateway does.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::{Arc, mpsc},
};

use tokio::sync::{Semaphore, oneshot};

use super::{
    cgroup::Group,
    child::Child,
    control::{Control, Means},
    jail::{Ends, Spec},
    link::Link,
    process::{self, Process, Processes},
    users::HostUser,
};

/// Why a sandbox was not started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Too many starts wait already.
    #[error("too many sandboxes are waiting to be started")]
    Busy,
    /// Every host user id for sandboxes is in use.
    #[error("every user that sandboxes may have is in use ([sandbox] uid_count, or /etc/subuid)")]
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
    /// What acts on it from outside.
    pub control: Control,
    /// Its host user, free again when dropped.
    pub user: HostUser,
}

struct Order {
    spec: Arc<Spec>,
    user: HostUser,
    done: oneshot::Sender<io::Result<Born>>,
}

/// What the spawning thread hands back.
struct Born {
    child: Child,
    requests: UnixStream,
    answers: UnixStream,
    output: OwnedFd,
    user: HostUser,
    group: Option<Arc<Group>>,
}

/// Starts sandboxes.
#[derive(Debug)]
pub struct Spawner {
    orders: mpsc::SyncSender<Order>,
    means: Arc<Means>,
    at_once_max: usize,
    waiting_max: usize,
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    processes: Arc<Processes>,
}

impl Spawner {
    /// A spawner that starts `at_once` sandboxes at the same time and lets `waiting_max` more wait. `means` is what there
    /// is to act on them with.
    pub fn new(at_once: usize, waiting_max: usize, means: Means) -> io::Result<Self> {
        let (orders, taken) = mpsc::sync_channel::<Order>(at_once);
        let means = Arc::new(means);
        let of_thread = means.clone();
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            process::own_keyring();
            for order in taken {
                if let Err(Ok(mut unwanted)) = order.done.send(start(&of_thread, &order.spec, order.user)) {
                    unwanted.child.end();
                }
            }
        })?;
        Ok(Self {
            orders,
            means,
            at_once_max: at_once,
            waiting_max,
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(at_once + waiting_max)),
            processes: Arc::default(),
        })
    }

    /// How many it starts at the same time.
    pub fn at_once(&self) -> usize {
        self.at_once_max
    }

    /// How many more may wait.
    pub fn waiting_max(&self) -> usize {
        self.waiting_max
    }

    /// Starts one and has `ready` bring it to the point where it can be told what it becomes; until then it counts as
    /// being started.
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
        let user = self.means.users.take().ok_or(SpawnError::NoUid)?;
        let (done, started) = oneshot::channel();
        self.orders.try_send(Order { spec, user, done }).map_err(|_| SpawnError::Closed)?;
        let born = started.await.map_err(|_| SpawnError::Closed)??;
        let Born { child, requests, answers, output, user, group } = born;
        let process = Process::new(child, &self.processes, group.clone())?;
        let control = Control::new(process.id(), self.means.clone(), group);
        Ok(ready(Started { process, link: Link::new(requests, answers, output)?, control, user }).await)
    }

    /// Takes away what held the sandboxes, once all have ended.
    pub async fn finish(&self) {
        if let Some(groups) = &self.means.groups {
            groups.close().await;
        }
    }

    /// Starts no more, and kills every sandbox there is.
    pub fn kill_all(&self) {
        self.at_once.close();
        self.processes.kill();
    }
}

fn start(means: &Means, spec: &Spec, user: HostUser) -> io::Result<Born> {
    let group =
        means.groups.as_ref().map(|groups| groups.group(spec.processes_max)).transpose()?.map(Arc::new);
    let (requests, read_end) = UnixStream::pair()?;
    let (answers, write_end) = UnixStream::pair()?;
    let (output, output_end) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK)?;
    // Only our end must not block: a function that writes faster than it is read shall wait.
    rustix::io::ioctl_fionbio(&output_end, false)?;
    let entrances = group.as_ref().map(|group| group.entrances()).transpose()?.unwrap_or_default();
    let ends = Ends { requests: read_end.into(), answers: write_end.into(), output: output_end };
    let child = spec.birth(&user, entrances, ends)?.bear()?;
    Ok(Born { child, requests, answers, output, user, group })
}
