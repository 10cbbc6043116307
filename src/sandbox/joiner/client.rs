//! The gateway's side: one joiner, started when it is needed and again after it has ended, any number of requests at once.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};
use serde_json::Value;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{Semaphore, oneshot},
    task::AbortHandle,
};

use super::{
    Inside, Operation, server,
    wire::{self, Answer, Failure, Outcome, Request},
};
use crate::sandbox::process;

/// How many requests may be with the joiner at once; further ones wait for their turn.
const IN_FLIGHT_MAX: usize = 32;
/// How long a request may take, its waiting included. Most take a millisecond; a machine that is starved of processor time
/// takes seconds, as it does to boot Node.js.
const REQUEST_MAX: Duration = Duration::from_secs(20);

/// Why a request was not done. After it the sandbox is in a state that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// A step failed.
    #[error("{0}")]
    Failed(#[from] Failure),
    /// The joiner ended before it answered. The next request starts another.
    #[error("the process that acts on sandboxes ended before it answered")]
    Ended,
    /// It did not answer in time.
    #[error("the process that acts on sandboxes did not answer within {REQUEST_MAX:?}")]
    TimedOut,
    /// It could not be started or spoken to.
    #[error("the process that acts on sandboxes could not be started or spoken to: {0}")]
    Io(#[from] io::Error),
}

/// What a request came to.
#[derive(Debug)]
pub struct Done {
    /// A value for each operation, in their order.
    pub values: Vec<Value>,
    /// The descriptors that operations handed out, in their order.
    pub descriptors: Vec<OwnedFd>,
}

/// Acts on sandboxes. A clone is the same joiner.
#[derive(Clone, Debug)]
pub struct Joiner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    running: Mutex<Option<(Arc<Running>, AbortHandle)>>,
    in_flight: Semaphore,
    ids: AtomicU64,
}

impl Joiner {
    /// A joiner that is `program` with the argument `joiner`: the gateway itself, `/proc/self/exe`. It is started by the first
    /// request.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            program: program.into(),
            running: Mutex::default(),
            in_flight: Semaphore::new(IN_FLIGHT_MAX),
            ids: AtomicU64::new(1),
        }))
    }

    /// Starts it now, so that the first request does not wait for that. Must be called within the runtime, as requests are.
    pub fn start(&self) -> io::Result<()> {
        self.0.running().map(drop)
    }

    /// Has these operations done in a sandbox, in their order; `descriptors` are theirs, in the same order. A caller who leaves
    /// does not know how far it came.
    pub async fn request(
        &self,
        sandbox: &Inside,
        operations: Vec<Operation>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Done, JoinError> {
        let request = self.request_untimed(sandbox, operations, descriptors);
        tokio::time::timeout(REQUEST_MAX, request).await.map_err(|_| JoinError::TimedOut)?
    }

    async fn request_untimed(
        &self,
        sandbox: &Inside,
        operations: Vec<Operation>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Done, JoinError> {
        let _turn = self.0.in_flight.acquire().await.map_err(|_| JoinError::Ended)?;
        let id = self.0.ids.fetch_add(1, Ordering::Relaxed);
        let request = Request { id, pid: sandbox.pid().as_raw_pid(), operations };
        let message = serde_json::to_vec(&request).map_err(io::Error::from)?;
        let descriptors: Vec<_> =
            std::iter::once(sandbox.as_fd()).chain(descriptors.iter().copied()).collect();
        let running = self.0.running()?;
        let (waiting, answer) = running.wait_for(id)?;
        let send = |socket: &OwnedFd| wire::send(socket, &message, &descriptors, SendFlags::DONTWAIT);
        match running.socket.async_io(Interest::WRITABLE, send).await {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
            {
                return Err(JoinError::Ended);
            }
            sent => sent?,
        }
        let (outcome, descriptors) = answer.await.map_err(|_| JoinError::Ended)?;
        drop(waiting);
        match outcome {
            Outcome::Done(values) => Ok(Done { values, descriptors }),
            Outcome::Failed(failure) => Err(failure.into()),
        }
    }

    /// The joiner's process id, if it runs.
    pub fn id(&self) -> Option<u32> {
        let running = lock(&self.0.running);
        running.as_ref().filter(|(running, _)| !running.has_ended()).map(|(running, _)| running.id)
    }
}

impl Inner {
    /// The running joiner, or one that is started now.
    fn running(&self) -> io::Result<Arc<Running>> {
        let mut slot = lock(&self.running);
        if let Some((running, _)) = slot.as_ref().filter(|(running, _)| !running.has_ended()) {
            return Ok(running.clone());
        }
        let running = Arc::new(Running::start(&self.program)?);
        let reading = tokio::spawn(read(running.clone())).abort_handle();
        *slot = Some((running.clone(), reading));
        Ok(running)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some((_, reading)) = lock(&self.running).take() {
            reading.abort();
        }
    }
}

type Delivery = (Outcome, Vec<OwnedFd>);

/// A joiner's process.
#[derive(Debug)]
struct Running {
    socket: AsyncFd<OwnedFd>,
    // `None` once it has ended.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Delivery>>>>,
    id: u32,
    child: Mutex<Child>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        // Only our end must not block.
        rustix::io::ioctl_fionbio(&theirs, false)?;
        let theirs = process::above_places(&theirs)?;
        let mut command = Command::new(program);
        command.arg("joiner").env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        // What a terminal sends to the gateway's group is not for the joiner: the gateway drains with its help.
        command.process_group(0);
        process::before_exec(&mut command, move || {
            process::place(&theirs, server::SOCKET_FD)?;
            process::close_on_exec_from(server::SOCKET_FD + 1)
        });
        let mut child = command.spawn()?;
        drop(command);
        match process::watch(ours) {
            Ok(socket) => Ok(Self {
                socket,
                waiting: Mutex::new(Some(HashMap::new())),
                id: child.id(),
                child: Mutex::new(child),
            }),
            Err(error) => {
                process::end(&mut child);
                Err(error)
            }
        }
    }

    fn has_ended(&self) -> bool {
        lock(&self.waiting).is_none()
    }

    fn wait_for(self: &Arc<Self>, id: u64) -> Result<(Waiting, oneshot::Receiver<Delivery>), JoinError> {
        let (sender, answer) = oneshot::channel();
        lock(&self.waiting).as_mut().ok_or(JoinError::Ended)?.insert(id, sender);
        Ok((Waiting { running: self.clone(), id }, answer))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        process::end(&mut lock(&self.child));
    }
}

/// Takes a request off the list of those who wait, however its waiting ends.
struct Waiting {
    running: Arc<Running>,
    id: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(waiting) = lock(&self.running.waiting).as_mut() {
            waiting.remove(&self.id);
        }
    }
}

/// Hands answers to those who wait for them, until the joiner ends.
async fn read(running: Arc<Running>) {
    let why = loop {
        let message = match running.socket.async_io(Interest::READABLE, wire::receive).await {
            Ok(Some(message)) if message.cut => break "an answer that is too long".to_owned(),
            Ok(Some(message)) => message,
            Ok(None) => break "it closed its socket".to_owned(),
            Err(error) => break error.to_string(),
        };
        match serde_json::from_slice::<Answer>(&message.bytes) {
            Ok(Answer { id: 0, outcome: Outcome::Failed(failure) }) => {
                tracing::error!(%failure, "the joiner could not read a request");
            }
            Ok(Answer { id, outcome }) => {
                let waiting = lock(&running.waiting).as_mut().and_then(|waiting| waiting.remove(&id));
                if let Some(waiting) = waiting {
                    // Who has left since does not want it.
                    let _ = waiting.send((outcome, message.descriptors));
                }
            }
            Err(error) => break error.to_string(),
        }
    };
    tracing::warn!(why, "the process that acts on sandboxes has ended; the next request starts another");
    // Whoever still waits is told by this.
    lock(&running.waiting).take();
    process::end(&mut lock(&running.child));
}
