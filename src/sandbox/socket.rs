//! The gateway's ends of a sandbox's two sockets, one for each direction.
//!
//! Whoever takes a message off a Unix socket tells the other end that there is room again, and wakes whoever sleeps on it,
//! be it to read. With one socket for both directions, taking an answer would wake the sandbox, which sleeps in its next
//! read, for nothing, in every call. And the reactor watches for what can be read alone: a frame to be written nearly always
//! fits.

#![expect(
    unsafe_code,
    reason = "descriptors given to the reactor, and bytes read into memory that is not set yet"
)]

use std::{
    io::{self, IoSlice, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use rustix::net::{RecvFlags, recv};
use tokio::io::{Interest, unix::AsyncFd};

/// The sockets, as one.
#[derive(Debug)]
pub struct Socket {
    answers: AsyncFd<UnixStream>,
    requests: UnixStream,
}

fn watch<T: AsRawFd>(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: both callers give an owner of its descriptor, which nothing else closes while the reactor knows it.
    unsafe { AsyncFd::register_with_interest(inner, interest) }
        .map_err(|refused| io::Error::other(refused.to_string()))
}

impl Socket {
    /// Takes them over: the one that is written to, and the one that is read from.
    pub fn new(requests: UnixStream, answers: UnixStream) -> io::Result<Self> {
        requests.set_nonblocking(true)?;
        answers.set_nonblocking(true)?;
        Ok(Self { answers: watch(answers, Interest::READABLE)?, requests })
    }

    /// Has the calling thread's event loop watch for answers from now on.
    pub fn move_here(self) -> io::Result<Self> {
        Ok(Self { answers: watch(self.answers.into_inner(), Interest::READABLE)?, ..self })
    }

    /// Reads what there is, into the room that `buffer` has; 0 at the end.
    pub fn poll_read(&self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.answers.poll_read_ready(context))?;
            // SAFETY: the slice is only written to, by `read`.
            let room = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
            let length = room.len();
            let read = match rustix::io::read(self.answers.get_ref(), room) {
                Ok((read, _)) => read.len(),
                Err(rustix::io::Errno::AGAIN) => {
                    ready.clear_ready();
                    continue;
                }
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Poll::Ready(Err(error.into())),
            };
            if 0 < read && read < length {
                // Nothing is left; asking the system once more to hear so is not needed.
                ready.clear_ready();
            }
            // SAFETY: `read` has just set as many bytes.
            unsafe { buffer.advance_mut(read) };
            return Poll::Ready(Ok(read));
        }
    }

    /// Writes as much as fits, without waiting.
    pub fn try_write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        (&self.requests).write_vectored(pieces)
    }

    /// Waits until more fits.
    pub async fn writable(&self) -> io::Result<()> {
        let other: OwnedFd = self.requests.as_fd().try_clone_to_owned()?;
        watch(other, Interest::WRITABLE)?.writable().await.map(drop)
    }

    /// Whether the other end is closed. The system is asked: the reactor may not have heard of it yet.
    pub fn is_closed(&self) -> bool {
        let mut byte = [0_u8; 1];
        matches!(
            recv(self.answers.get_ref(), &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT),
            Ok((_, 0))
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, io::Read};

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_an_end_is_seen() {
        let (requests, _theirs) = UnixStream::pair().unwrap();
        let (answers, mut theirs) = UnixStream::pair().unwrap();
        let socket = Socket::new(requests, answers).unwrap();
        let mut buffer = BytesMut::with_capacity(8);
        for text in ["one", "two"] {
            theirs.write_all(text.as_bytes()).unwrap();
            buffer.clear();
            assert_eq!(poll_fn(|context| socket.poll_read(context, &mut buffer)).await.unwrap(), 3);
            assert_eq!(buffer, text);
        }
        assert!(!socket.is_closed());
        drop(theirs);
        buffer.clear();
        assert_eq!(poll_fn(|context| socket.poll_read(context, &mut buffer)).await.unwrap(), 0);
        assert!(socket.is_closed());
    }

    #[tokio::test]
    async fn a_full_socket_is_waited_for() {
        let (requests, mut theirs) = UnixStream::pair().unwrap();
        let (answers, _theirs) = UnixStream::pair().unwrap();
        let socket = Socket::new(requests, answers).unwrap();
        let piece = vec![7; 64 * 1024];
        let mut written = 0;
        while let Ok(more) = socket.try_write(&[IoSlice::new(&piece)]) {
            written += more;
        }
        let reader = std::thread::spawn(move || {
            let mut all = vec![0; written];
            theirs.read_exact(&mut all).unwrap();
            theirs
        });
        socket.writable().await.unwrap();
        let _theirs = reader.join().unwrap();
        assert!(socket.try_write(&[IoSlice::new(&piece)]).is_ok());
    }
}
