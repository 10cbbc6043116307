//! The gateway's ends of a sandbox's sockets, and of the pipe that takes what it writes to its standard output and error.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice},
    os::{fd::OwnedFd, unix::net::UnixStream as StdStream},
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::{io::AsyncReadExt, net::unix::pipe};

use super::{
    protocol::{self, Frame, Violation},
    socket::Socket,
};

/// How much is read at once; most frames fit.
const READ: usize = 8 * 1024;
/// By how much the buffer grows at once for a long frame: a length alone takes no memory.
const GROW_MAX: usize = 1 << 20;
/// How much output is taken off the pipe at once.
const OUTPUT_READ: usize = 16 * 1024;
/// What a pipe holds, as Linux makes them.
const PIPE: usize = 64 * 1024;
/// So many pieces of output are handed on before the socket has its turn: a flood must not hide the answer.
const OUTPUTS_IN_A_ROW: u8 = 8;

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
    socket: Socket,
    read: BytesMut,
    // Whether `read` has grown for a long frame.
    grown: bool,
    pipe: Option<pipe::Receiver>,
    output: BytesMut,
    outputs_in_a_row: u8,
}

impl Link {
    /// Takes the gateway's ends over: the socket that is written to, the one that is read from, the pipe's reading end.
    pub fn new(requests: StdStream, answers: StdStream, output: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: Socket::new(requests, answers)?,
            read: BytesMut::with_capacity(READ),
            grown: false,
            pipe: Some(pipe::Receiver::from_owned_fd(output)?),
            output: BytesMut::new(),
            outputs_in_a_row: 0,
        })
    }

    /// Has the calling thread's event loop watch both from now on.
    pub fn move_here(self) -> io::Result<Self> {
        let pipe = match self.pipe {
            Some(pipe) => Some(pipe::Receiver::from_owned_fd(pipe.into_nonblocking_fd()?)?),
            None => None,
        };
        Ok(Self { socket: self.socket.move_here()?, pipe, ..self })
    }

    /// Writes both parts, in one system call where the socket takes them.
    pub async fn write(&self, mut head: &[u8], mut rest: &[u8]) -> Result<(), LinkError> {
        while !head.is_empty() || !rest.is_empty() {
            match self.socket.try_write(&[IoSlice::new(head), IoSlice::new(rest)]) {
                Ok(written) => {
                    let of_head = written.min(head.len());
                    head = &head[of_head..];
                    rest = &rest[written - of_head..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.socket.writable().await.map_err(LinkError::Io)?;
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
        if let Some(frame) = self.take()? {
            return Poll::Ready(Ok(Event::Frame(frame)));
        }
        // Output that stands before a result in time must stand before it here: look there first.
        if self.outputs_in_a_row < OUTPUTS_IN_A_ROW {
            if let Poll::Ready(Some(output)) = self.poll_output(context) {
                self.outputs_in_a_row += 1;
                return Poll::Ready(Ok(Event::Output(output)));
            }
            self.outputs_in_a_row = 0;
        }
        loop {
            match self.poll_read(context) {
                Poll::Ready(read) => read?,
                // It had its turn.
                Poll::Pending if self.outputs_in_a_row == OUTPUTS_IN_A_ROW => {
                    self.outputs_in_a_row = 0;
                    return match self.poll_output(context) {
                        Poll::Ready(Some(output)) => Poll::Ready(Ok(Event::Output(output))),
                        _ => Poll::Pending,
                    };
                }
                Poll::Pending => return Poll::Pending,
            }
            if let Some(frame) = self.take()? {
                self.outputs_in_a_row = 0;
                return Poll::Ready(Ok(Event::Frame(frame)));
            }
        }
    }

    fn take(&mut self) -> Result<Option<Frame>, Violation> {
        let frame = protocol::take(&mut self.read)?;
        if self.grown && frame.is_some() && self.read.is_empty() {
            // An idle sandbox holds on to no memory for the long frame it once sent.
            self.read = BytesMut::with_capacity(READ);
            self.grown = false;
        }
        Ok(frame)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if self.read.capacity() == self.read.len() {
            let more = protocol::missing(&self.read).clamp(READ, GROW_MAX);
            self.grown |= more > READ;
            self.read.reserve(more);
        }
        match ready!(self.socket.poll_read(context, &mut self.read)) {
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
        // `read_buf` keeps nothing between polls, so a new one each time loses nothing.
        match ready!(pin!(pipe.read_buf(&mut self.output)).poll(context)) {
            Ok(read) if read > 0 => Poll::Ready(Some(self.output.split().freeze())),
            _ => {
                self.pipe = None;
                Poll::Ready(None)
            }
        }
    }

    /// Takes what output there is without waiting, whatever the reactor knows of the pipe, and hands it to `each`. A pipe's
    /// worth at most: who writes on meanwhile does not hold the answer up.
    pub fn output_now(&mut self, mut each: impl FnMut(&[u8])) {
        let Some(pipe) = &self.pipe else { return };
        let mut buffer = [0; OUTPUT_READ];
        for _ in 0..PIPE / OUTPUT_READ {
            match rustix::io::read(pipe, &mut buffer) {
                Ok(read) if read > 0 => each(&buffer[..read]),
                _ => return,
            }
        }
    }

    /// Whether the sandbox has closed its end by now.
    pub fn is_closed(&self) -> bool {
        self.socket.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn link() -> (Link, StdStream, std::fs::File) {
        let (requests, _) = StdStream::pair().unwrap();
        let (ours, theirs) = StdStream::pair().unwrap();
        let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
        let (output, output_end) = rustix::pipe::pipe_with(flags).unwrap();
        (Link::new(requests, ours, output).unwrap(), theirs, output_end.into())
    }

    /// A frame from a sandbox: LOG.
    fn log(length: usize) -> Vec<u8> {
        let head = [&u32::try_from(length).unwrap().to_le_bytes()[..], &[0x83, 0, 0, 0]].concat();
        [head, vec![b'x'; length]].concat()
    }

    #[tokio::test]
    async fn output_comes_before_a_frame_that_was_sent_after_it() {
        let (mut link, mut socket, mut output) = link();
        output.write_all(b"first").unwrap();
        socket.write_all(&log(1)).unwrap();
        assert!(matches!(link.event().await, Ok(Event::Output(text)) if text == "first"));
        assert!(matches!(link.event().await, Ok(Event::Frame(Frame::Log(_)))));
    }

    #[tokio::test]
    async fn a_flood_of_output_does_not_hide_a_frame() {
        let (mut link, mut socket, mut output) = link();
        socket.write_all(&log(1)).unwrap();
        let mut seen = 0;
        loop {
            // The pipe is never empty when the link looks.
            let _ = output.write(&[b'x'; PIPE]);
            match link.event().await.unwrap() {
                Event::Output(_) => seen += 1,
                Event::Frame(_) => break,
            }
            assert!(seen <= u32::from(OUTPUTS_IN_A_ROW));
        }
    }

    #[tokio::test]
    async fn a_long_frame_leaves_no_memory_behind() {
        let (mut link, mut socket, _output) = link();
        let writer = std::thread::spawn(move || socket.write_all(&log(200 * 1024)).map(|()| socket));
        assert!(matches!(link.event().await, Ok(Event::Frame(Frame::Log(text))) if text.len() == 200 * 1024));
        assert!(link.read.capacity() <= READ);
        writer.join().unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_announced_length_takes_no_memory() {
        let (mut link, mut socket, _output) = link();
        // The head of a RESULT of 6 MiB, and nothing more.
        socket.write_all(&[0, 0, 0x60, 0, 0x84, 0, 0, 0]).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(matches!(link.event().await, Err(LinkError::Closed)));
        assert!(link.read.capacity() <= 2 * GROW_MAX, "{}", link.read.capacity());
    }

    #[tokio::test]
    async fn a_closed_end_is_known_without_reading() {
        let (mut link, socket, _output) = link();
        assert!(!link.is_closed());
        drop(socket);
        assert!(matches!(link.event().await, Err(LinkError::Closed)));
        assert!(link.is_closed());
    }
}
