//! The gateway's end of a sandbox's socket, and of the pipe that takes what it writes to its standard output and error.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice},
    os::{fd::OwnedFd, unix::net::UnixStream as StdStream},
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, Interest},
    net::{UnixStream, unix::pipe},
};

use super::protocol::{self, Frame, Violation};

/// How much is read at once; most frames fit.
const READ: usize = 8 * 1024;
/// By how much the buffer grows at once for a long frame: a length alone takes no memory.
const GROW_MAX: usize = 1 << 20;
/// How much output is taken off the pipe at once.
const OUTPUT_READ: usize = 16 * 1024;

/// Why nothing more comes from a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It closed its end, most likely by ending.
    #[error("the sandbox closed its socket")]
    Closed,
    /// It sent what it must not.
    #[error("the sandbox sent {0}")]
    Violation(#[from] Violation),
    /// The system failed.
    #[error("the sandbox's socket failed: {0}")]
    Io(io::Error),
}

/// What came from a sandbox.
#[derive(Debug)]
pub enum Event {
    /// A frame.
    Frame(Frame),
    /// Raw output, cut anywhere.
    Output(Bytes),
}

/// The gateway's ends.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    read: BytesMut,
    pipe: Option<pipe::Receiver>,
    output: BytesMut,
}

impl Link {
    /// Takes the gateway's ends over: the socket, and the pipe's reading end.
    pub fn new(stream: StdStream, output: OwnedFd) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: UnixStream::from_std(stream)?,
            read: BytesMut::with_capacity(READ),
            pipe: Some(pipe::Receiver::from_owned_fd(output)?),
            output: BytesMut::new(),
        })
    }

    /// Writes both parts, in one system call where the socket takes them.
    pub async fn write(&self, mut head: &[u8], mut rest: &[u8]) -> Result<(), LinkError> {
        while !head.is_empty() || !rest.is_empty() {
            match self.stream.try_write_vectored(&[IoSlice::new(head), IoSlice::new(rest)]) {
                Ok(written) => {
                    let of_head = written.min(head.len());
                    head = &head[of_head..];
                    rest = &rest[written - of_head..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stream.ready(Interest::WRITABLE).await.map_err(LinkError::Io)?;
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
                {
                    return Err(LinkError::Closed);
                }
                Err(error) => return Err(LinkError::Io(error)),
            }
        }
        Ok(())
    }

    /// Waits for the next frame or output.
    pub async fn event(&mut self) -> Result<Event, LinkError> {
        poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, LinkError>> {
        if let Some(frame) = protocol::take(&mut self.read)? {
            return Poll::Ready(Ok(Event::Frame(frame)));
        }
        // Output that stands before a result in time must stand before it here: look there first.
        if let Poll::Ready(Some(output)) = self.poll_output(context) {
            return Poll::Ready(Ok(Event::Output(output)));
        }
        loop {
            ready!(self.poll_read(context))?;
            if let Some(frame) = protocol::take(&mut self.read)? {
                return Poll::Ready(Ok(Event::Frame(frame)));
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if self.read.capacity() == self.read.len() {
            self.read.reserve(protocol::missing(&self.read).clamp(READ, GROW_MAX));
        }
        // `read_buf` keeps nothing between polls, so a new one each time loses nothing.
        match ready!(pin!(self.stream.read_buf(&mut self.read)).poll(context)) {
            Ok(0) => Poll::Ready(Err(LinkError::Closed)),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                Poll::Ready(Err(LinkError::Closed))
            }
            Err(error) => Poll::Ready(Err(LinkError::Io(error))),
        }
    }

    /// `Ready(None)`: nobody can write any more.
    fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(pipe) = &mut self.pipe else { return Poll::Ready(None) };
        if self.output.capacity() == self.output.len() {
            self.output.reserve(OUTPUT_READ);
        }
        match ready!(pin!(pipe.read_buf(&mut self.output)).poll(context)) {
            Ok(read) if read > 0 => Poll::Ready(Some(self.output.split().freeze())),
            _ => {
                self.pipe = None;
                Poll::Ready(None)
            }
        }
    }

    /// Takes one piece of output without waiting, whatever the reactor knows of the pipe; `None` when there is none.
    pub fn output_now(&mut self) -> Option<Bytes> {
        let mut bytes = BytesMut::zeroed(OUTPUT_READ);
        match rustix::io::read(self.pipe.as_ref()?, &mut bytes[..]) {
            Ok(read) if read > 0 => {
                bytes.truncate(read);
                Some(bytes.freeze())
            }
            _ => None,
        }
    }
}
