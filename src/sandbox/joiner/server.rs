//! The joiner's own loop: takes requests, forks a child for each, and answers for children that ended without.

use std::{io, os::fd::OwnedFd};

use rustix::{
    event::{PollFd, PollFlags, poll},
    net::{SendFlags, SocketType, sockopt::socket_type},
    process::{Pid, PidfdFlags, WaitOptions, WaitStatus, getpid, getppid, pidfd_open, waitpid},
};

use super::{
    child, system,
    wire::{self, Answer, Failure, Message, OPERATIONS_MAX, Outcome, Request},
};

/// Where the socket to the gateway stands.
pub(super) const SOCKET_FD: i32 = 3;
/// How many children may live at once; further requests wait in the socket.
const CHILDREN_MAX: usize = 64;

/// Why a joiner does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It was not started by a gateway.
    #[error("this command is for the gateway itself, which starts it with a socket")]
    NoSocket,
    /// The system failed.
    #[error("the joiner failed: {0}")]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for ServeError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    request: u64,
}

/// Serves requests until the gateway closes its end, or ends. This process must have one thread.
pub fn serve() -> Result<(), ServeError> {
    let socket = system::inherited(SOCKET_FD).map_err(|_| ServeError::NoSocket)?;
    if socket_type(&socket) != Ok(SocketType::SEQPACKET) {
        return Err(ServeError::NoSocket);
    }
    system::ignore_signals();
    // A gateway that was killed closes its socket too. Should somebody else hold a copy of it, this tells all the same.
    let gateway = getppid().ok_or(ServeError::NoSocket)?;
    let gateway = pidfd_open(gateway, PidfdFlags::empty())?;
    let mut children: Vec<Child> = Vec::new();
    loop {
        let full = children.len() >= CHILDREN_MAX;
        let (from_gateway, ended) = {
            let requests = if full { PollFlags::empty() } else { PollFlags::IN };
            let mut watched = vec![PollFd::new(&socket, requests), PollFd::new(&gateway, PollFlags::IN)];
            watched.extend(children.iter().map(|child| PollFd::new(&child.pidfd, PollFlags::IN)));
            match poll(&mut watched, None) {
                Err(rustix::io::Errno::INTR) => continue,
                polled => polled?,
            };
            if !watched[1].revents().is_empty() {
                return Ok(());
            }
            let ended = watched[2..].iter().map(|child| !child.revents().is_empty()).collect::<Vec<_>>();
            (watched[0].revents(), ended)
        };
        let mut ended = ended.into_iter();
        let (gone, left) = children.into_iter().partition(|_| ended.next() == Some(true));
        children = left;
        for child in gone {
            reap(&child, &socket)?;
        }
        if from_gateway.contains(PollFlags::IN) {
            match wire::receive(&socket)? {
                Some(message) => children.extend(take(message, &socket)?),
                None => return Ok(()),
            }
        } else if !from_gateway.is_empty() {
            return Ok(());
        }
    }
}

/// Starts a child for a message, or answers that it is no request.
fn take(message: Message, socket: &OwnedFd) -> Result<Option<Child>, ServeError> {
    let request = match serde_json::from_slice::<Request>(&message.bytes) {
        Ok(request) if !message.cut && request.operations.len() <= OPERATIONS_MAX => request,
        read => {
            let why = match read {
                Err(error) if !message.cut => error.to_string(),
                _ => "it is too long".to_owned(),
            };
            answer(socket, 0, Failure::new("read the request", why))?;
            return Ok(None);
        }
    };
    let id = request.id;
    let joiner = getpid();
    match system::fork() {
        Ok(None) => child::run(request, message.descriptors, socket, joiner),
        Ok(Some(pid)) => {
            // It has not been waited for, so its number is its own.
            let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
            Ok(Some(Child { pid, pidfd, request: id }))
        }
        Err(error) => {
            answer(socket, id, Failure::at("fork")(error))?;
            Ok(None)
        }
    }
}

fn reap(child: &Child, socket: &OwnedFd) -> Result<(), ServeError> {
    let status = waitpid(Some(child.pid), WaitOptions::empty())?.map(|(_, status)| status);
    let why = match status {
        Some(status) if status.exit_status() == Some(0) => return Ok(()),
        Some(status) => ended_how(status),
        None => "it is gone".to_owned(),
    };
    answer(socket, child.request, Failure::new("act in the sandbox", why))
}

/// How a process ended, in words.
pub(super) fn ended_how(status: WaitStatus) -> String {
    match (status.terminating_signal(), status.exit_status()) {
        (Some(signal), _) => format!("the helper was ended by signal {signal}"),
        (None, status) => format!("the helper ended with status {}", status.unwrap_or(-1)),
    }
}

/// A gateway that does not read its answers is not waited for: the joiner ends, and the gateway starts another.
fn answer(socket: &OwnedFd, id: u64, failure: Failure) -> Result<(), ServeError> {
    let answer = Answer { id, outcome: Outcome::Failed(failure) };
    let answer = serde_json::to_vec(&answer).map_err(io::Error::from)?;
    Ok(wire::send(socket, &answer, &[], SendFlags::DONTWAIT)?)
}
