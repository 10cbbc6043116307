//! What the gateway and its joiner say to each other: one message a request, one an answer, as JSON, with descriptors beside
//! it (`SCM_RIGHTS`). Both lengths and the number of descriptors are bounded.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operations::Operation;

/// The most bytes a message may have.
pub const MESSAGE_MAX: usize = 16 * 1024;
/// The most descriptors a message may carry.
pub const DESCRIPTORS_MAX: usize = 16;
/// The most operations a request may have.
pub const OPERATIONS_MAX: usize = 16;

/// What is to be done in one sandbox. Its first descriptor is a pidfd of `pid`; those that operations take follow, in their
/// order.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Names the request in its answer; from 1 on.
    pub id: u64,
    /// A process of the sandbox, best its first, as the gateway sees it.
    pub pid: i32,
    /// What to do, in this order; the first that fails ends the request.
    pub operations: Vec<Operation>,
}

/// What came of a request.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The request's id; 0 for what could not be read as a request.
    pub id: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All was done. A value for each operation, in their order; the descriptors that they hand out stand beside the message.
    Done(Vec<Value>),
    /// One step failed; what came before it stands.
    Failed(Failure),
}

/// A step that failed, and why.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{step}: {why}")]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which step.
    pub step: String,
    /// The system's error number, if a system call failed.
    pub errno: Option<i32>,
    /// What was wrong, in words.
    pub why: String,
}

impl Failure {
    /// A step that failed without a system call's error.
    pub fn new(step: impl Into<String>, why: impl Into<String>) -> Self {
        Self { step: step.into(), errno: None, why: why.into() }
    }

    /// A system call that failed in this step; to be given to `map_err`.
    pub fn at<E: Into<io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| {
            let error = error.into();
            Self { step: step.into(), errno: error.raw_os_error(), why: error.to_string() }
        }
    }
}

/// Sends one message. The descriptors are copied, and stay the sender's.
pub(super) fn send(
    socket: impl AsFd,
    message: &[u8],
    descriptors: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> io::Result<()> {
    if message.len() > MESSAGE_MAX || descriptors.len() > DESCRIPTORS_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message that is too long"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("descriptors that do not fit"));
    }
    let flags = flags | SendFlags::NOSIGNAL;
    loop {
        match sendmsg(&socket, &[IoSlice::new(message)], &mut beside, flags) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A message that came.
#[derive(Debug)]
pub(super) struct Message {
    pub bytes: Vec<u8>,
    pub descriptors: Vec<OwnedFd>,
    /// Whether it was longer than it may be, or carried more descriptors; the rest is lost.
    pub cut: bool,
}

/// Takes one message; `None` when the other end is closed.
pub(super) fn receive(socket: &OwnedFd) -> io::Result<Option<Message>> {
    let mut bytes = vec![0; MESSAGE_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let room = &mut [IoSliceMut::new(&mut bytes)];
        match recvmsg(socket, room, &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?,
        }
    };
    let mut descriptors = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    bytes.truncate(received.bytes);
    let cut = received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
    Ok(Some(Message { bytes, descriptors, cut }))
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn messages_stay_apart_and_carry_descriptors() {
        let (ours, theirs) = pair();
        let file = tempfile::tempfile().unwrap();
        send(&ours, b"first", &[file.as_fd(), ours.as_fd()], SendFlags::empty()).unwrap();
        send(&ours, b"second", &[], SendFlags::empty()).unwrap();
        let first = receive(&theirs).unwrap().unwrap();
        assert_eq!((&*first.bytes, first.descriptors.len(), first.cut), (&b"first"[..], 2, false));
        let second = receive(&theirs).unwrap().unwrap();
        assert_eq!((&*second.bytes, second.descriptors.len()), (&b"second"[..], 0));
        drop((ours, first));
        assert!(receive(&theirs).unwrap().is_none());
    }

    #[test]
    fn what_is_too_long_is_not_sent_and_known_when_it_comes() {
        let (ours, theirs) = pair();
        let long = vec![b'x'; MESSAGE_MAX + 1];
        assert!(send(&ours, &long, &[], SendFlags::empty()).is_err());
        let many = vec![ours.as_fd(); DESCRIPTORS_MAX + 1];
        assert!(send(&ours, b"x", &many, SendFlags::empty()).is_err());
        rustix::net::send(&ours, &long, SendFlags::empty()).unwrap();
        let message = receive(&theirs).unwrap().unwrap();
        assert_eq!((message.bytes.len(), message.cut), (MESSAGE_MAX, true));
    }
}
