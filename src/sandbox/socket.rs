//! The gateway's end of a sandbox's socket, as the reactor watches it: for what can be read, and nothing else.
//!
//! A Unix socket becomes writable anew each time the other end takes a message off it. Who asks to be told of that, as
//! tokio's own socket does, is woken once more in every call, for nothing: a frame nearly always fits.

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

/// A connected socket.
#[derive(Debug)]
pub struct Socket(AsyncFd<UnixStream>);

fn watch<T: AsRawFd>(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: both callers give an owner of its descriptor, which nothing else closes while the reactor knows it.
    unsafe { AsyncFd::register_with_interest(inner, interest) }
        .map_err(|refused| io::Error::other(refused.to_string()))
}

impl Socket {
    /// Takes the socket over.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(watch(stream, Interest::READABLE)?))
    }

    /// Reads what there is, into the room that `buffer` has; 0 at the end.
    pub fn poll_read(&self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            // SAFETY: the slice is only written to, by `read`.
            let room = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
            let length = room.len();
            let read = match rustix::io::read(self.0.get_ref(), room) {
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
        self.0.get_ref().write_vectored(pieces)
    }

    /// Waits until more fits.
    pub async fn writable(&self) -> io::Result<()> {
        let other: OwnedFd = self.0.get_ref().as_fd().try_clone_to_owned()?;
        watch(other, Interest::WRITABLE)?.writable().await.map(drop)
    }

    /// Whether the other end is closed. The system is asked: the reactor may not have heard of it yet.
    pub fn is_closed(&self) -> bool {
        let mut byte = [0_u8; 1];
        matches!(recv(self.0.get_ref(), &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT), Ok((_, 0)))
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, io::Read};

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_an_end_is_seen() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let socket = Socket::new(ours).unwrap();
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
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let socket = Socket::new(ours).unwrap();
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
