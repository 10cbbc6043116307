//! Netlink, as far as links, addresses, routes and nftables need it: requests written, acknowledgements and dumps read.
//!
//! A socket stays in the network namespace that it was opened in, whoever uses it. What the kernel checks is the user who
//! opened it and the user who sends: the gateway, as root or as the owner of the sandbox's user namespace, passes both. So a
//! socket opened inside once serves for as long as the sandbox lives, without joining its namespaces again.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink::SocketAddrNetlink};

/// The length of a message's head: length, kind, flags, sequence number, port.
const HEAD: usize = 16;
const NESTED: u16 = 1 << 15;
const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;
/// What one read takes: the kernel makes dumps in parts of at most this size.
const READ_BYTES: usize = 32 * 1024;
/// The most that a dump is read of: a machine has fewer addresses.
const DUMP_MESSAGES_MAX: usize = 65_536;

/// Flags of requests.
pub mod flags {
    /// Make it.
    pub const CREATE: u16 = libc::NLM_F_CREATE as u16;
    /// It must not be there yet.
    pub const EXCL: u16 = libc::NLM_F_EXCL as u16;
    /// Behind those that are there.
    pub const APPEND: u16 = libc::NLM_F_APPEND as u16;
    /// Everything there is.
    pub const DUMP: u16 = libc::NLM_F_DUMP as u16;
}

const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
const ACK: u16 = libc::NLM_F_ACK as u16;

/// Requests that are sent at once.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    count: u32,
    acks: u32,
}

impl Batch {
    /// A request whose outcome is waited for.
    pub fn request(
        &mut self,
        kind: u16,
        flags: u16,
        head: &[u8],
        attributes: impl FnOnce(&mut Attributes<'_>),
    ) {
        self.acks += 1;
        self.message(kind, REQUEST | ACK | flags, head, attributes);
    }

    /// A message that is not answered, or by more than an acknowledgement.
    pub fn silent(&mut self, kind: u16, flags: u16, head: &[u8]) {
        self.message(kind, REQUEST | flags, head, |_| {});
    }

    fn message(&mut self, kind: u16, flags: u16, head: &[u8], attributes: impl FnOnce(&mut Attributes<'_>)) {
        let start = self.bytes.len();
        self.count += 1;
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&flags.to_ne_bytes());
        self.bytes.extend_from_slice(&self.count.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(head);
        pad(&mut self.bytes);
        attributes(&mut Attributes(&mut self.bytes));
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The attributes of a message that is being written.
pub struct Attributes<'a>(&'a mut Vec<u8>);

impl Attributes<'_> {
    /// An attribute with this value.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.begin(kind, |bytes| bytes.extend_from_slice(value))
    }

    /// A text, ended by a zero byte.
    pub fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        self.begin(kind, |bytes| {
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(0);
        })
    }

    /// A number as nftables takes it: the first byte is the largest.
    pub fn network(&mut self, kind: u16, value: u32) -> &mut Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// A number as the kernel's other parts take it.
    pub fn native(&mut self, kind: u16, value: u32) -> &mut Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// An attribute of attributes.
    pub fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Attributes<'_>)) -> &mut Self {
        self.begin(kind | NESTED, |bytes| write(&mut Attributes(bytes)))
    }

    /// An attribute of attributes behind a header.
    pub fn headed(&mut self, kind: u16, head: &[u8], write: impl FnOnce(&mut Attributes<'_>)) -> &mut Self {
        self.begin(kind | NESTED, |bytes| {
            bytes.extend_from_slice(head);
            write(&mut Attributes(bytes));
        })
    }

    fn begin(&mut self, kind: u16, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 2]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        write(self.0);
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        pad(self.0);
        self
    }
}

/// A part of the kernel that is spoken to.
#[derive(Clone, Copy, Debug)]
pub enum Family {
    /// Links, addresses, routes.
    Route,
    /// nftables.
    Netfilter,
}

/// A netlink socket.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    /// A socket in the calling thread's network namespace.
    pub fn open(family: Family) -> io::Result<Self> {
        let protocol = match family {
            // Number 0, which is what is meant where none is given.
            Family::Route => None,
            Family::Netfilter => Some(rustix::net::netlink::NETFILTER),
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        Ok(Self(socket))
    }

    /// A socket that hears of these groups' changes too.
    pub fn listening(family: Family, groups: u32) -> io::Result<Self> {
        let socket = Self::open(family)?;
        rustix::net::bind(&socket.0, &SocketAddrNetlink::new(0, groups))?;
        Ok(socket)
    }

    /// Sends requests and reads what became of them.
    ///
    /// # Errors
    /// The first that the kernel refused. nftables then did none of a batch; the others did those before it.
    pub fn send(&self, batch: &Batch) -> io::Result<()> {
        self.drain()?;
        self.write(batch)?;
        let mut missing = batch.acks;
        let mut buffer = vec![0; READ_BYTES];
        // The kernel has answered everything before `send` returns: nothing is to be waited for.
        while missing > 0 {
            for (kind, body) in Messages(self.read(&mut buffer)?) {
                if kind == ERROR {
                    refused(body)?;
                    missing = missing.saturating_sub(1);
                }
            }
        }
        Ok(())
    }

    /// Sends one request for a dump and hands each of its messages, kind and body, to `each`.
    pub fn dump(&self, batch: &Batch, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.drain()?;
        self.write(batch)?;
        let mut buffer = vec![0; READ_BYTES];
        let mut count = 0;
        loop {
            for (kind, body) in Messages(self.read(&mut buffer)?) {
                match kind {
                    DONE => return Ok(()),
                    ERROR => refused(body)?,
                    _ => each(kind, body),
                }
                count += 1;
                if count > DUMP_MESSAGES_MAX {
                    return Err(io::Error::other("the kernel lists more than can be taken"));
                }
            }
        }
    }

    /// Throws away what has come in; says whether anything had.
    pub fn drain(&self) -> io::Result<bool> {
        let mut buffer = [0; 512];
        let mut any = false;
        loop {
            match rustix::net::recv(&self.0, &mut buffer, RecvFlags::DONTWAIT) {
                Ok(_) => any = true,
                // Changes were lost because too many came: all the more reason to look.
                Err(rustix::io::Errno::NOBUFS) => any = true,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(any),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn write(&self, batch: &Batch) -> io::Result<()> {
        let sent = rustix::net::send(&self.0, &batch.bytes, SendFlags::empty())?;
        if sent == batch.bytes.len() {
            Ok(())
        } else {
            Err(io::Error::other("a netlink message was cut short"))
        }
    }

    fn read<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let (read, whole) = rustix::net::recv(&self.0, &mut *buffer, RecvFlags::DONTWAIT | RecvFlags::TRUNC)?;
        if whole > read {
            Err(io::Error::other("a netlink answer was too long"))
        } else {
            Ok(&buffer[..read])
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.0
    }
}

/// What an acknowledgement says: nothing, or an error's number below zero.
fn refused(body: &[u8]) -> io::Result<()> {
    match body.first_chunk::<4>().map(|bytes| i32::from_ne_bytes(*bytes)) {
        Some(0) => Ok(()),
        Some(number) => Err(io::Error::from_raw_os_error(number.saturating_neg())),
        None => Err(io::Error::other("a netlink answer was cut short")),
    }
}

/// The messages of what was read: kind and body. Ends at what is no message.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = u32::from_ne_bytes(*self.0.first_chunk::<4>()?) as usize;
        let kind = u16::from_ne_bytes([*self.0.get(4)?, *self.0.get(5)?]);
        let body = self.0.get(HEAD..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    }
}

/// The attributes of a body behind its header: kind and value. Ends at what is no attribute.
pub fn attributes(body: &[u8], head: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body.get(head..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk::<2>()?));
        let kind = u16::from_ne_bytes([*rest.get(2)?, *rest.get(3)?]) & !NESTED;
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut batch = Batch::default();
        batch.request(7, flags::CREATE, &[1, 2, 3, 4], |message| {
            message.text(1, "lo").nested(2, |inner| {
                inner.network(3, 1).native(4, 2);
            });
        });
        batch.silent(8, 0, &[9]);
        let messages: Vec<_> = Messages(&batch.bytes).collect();
        assert_eq!(messages.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [7, 8]);
        assert_eq!((batch.count, batch.acks), (2, 1));
        let found: Vec<_> = attributes(messages[0].1, 4).collect();
        assert_eq!(found[0], (1, &b"lo\0"[..]));
        assert_eq!(found[1].0, 2);
        let inner: Vec<_> = attributes(found[1].1, 0).collect();
        assert_eq!(inner, [(3, &[0, 0, 0, 1][..]), (4, &2_u32.to_ne_bytes()[..])]);
    }

    #[test]
    fn refusals_are_told_as_the_system_does() {
        assert!(refused(&0_i32.to_ne_bytes()).is_ok());
        let error = refused(&(-libc::EPERM).to_ne_bytes()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
        assert!(refused(&[0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Messages(&bytes).count() <= bytes.len());
            prop_assert!(attributes(&bytes, 4).count() <= bytes.len());
        }
    }
}
