//! The frame protocol, `docs/frame-protocol.md`. Frames from a sandbox are hostile: lengths are checked before anything is
//! buffered, and whatever the document does not allow is a [`Violation`].

use bytes::{Buf, Bytes, BytesMut};

/// The version both sides must speak.
pub const VERSION: u32 = 2;
/// Bytes of a frame's header.
pub const HEADER: usize = 8;
/// The largest BIND body.
pub const BIND_MAX: usize = 1 << 20;
/// The largest payload of an INVOKE: AWS's limit for synchronous calls.
pub const PAYLOAD_MAX: usize = 6_291_456;
/// The largest meta of an INVOKE.
pub const META_MAX: usize = 64 * 1024;
/// The largest JSON of a RESULT: AWS's limit for responses.
pub const RESULT_MAX: usize = 6_291_556;
/// The largest LOG.
pub const LOG_MAX: usize = 256 * 1024;
const READY_MAX: usize = 4 * 1024;
const BOUND_MAX: usize = 64 * 1024;
/// What stands before the JSON of a RESULT: the invocation's id and the status.
const RESULT_HEAD: usize = 17;

const BIND: u8 = 0x01;
const INVOKE: u8 = 0x02;
const CANCEL: u8 = 0x03;
const READY: u8 = 0x81;
const BOUND: u8 = 0x82;
const LOG: u8 = 0x83;
const RESULT: u8 = 0x84;
/// Flag of a RESULT: the sandbox cannot be used again.
const SPENT: u8 = 0x01;

/// A frame from a sandbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// The bootstrap runs.
    Ready(Bytes),
    /// The function is loaded, or failed to load.
    Bound(Bytes),
    /// One log event.
    Log(Bytes),
    /// An invocation ended.
    Result {
        /// Which one.
        id: [u8; 16],
        /// How.
        status: Status,
        /// Its JSON.
        json: Bytes,
        /// Whether the sandbox cannot be used again.
        spent: bool,
    },
}

/// How an invocation ended, in the function's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// A value.
    Value,
    /// An error that the function gave as its result.
    Handled,
    /// An error that escaped the function.
    Unhandled,
    /// The value is larger than a response may be.
    TooLarge,
}

/// What a sandbox must not send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// A kind that no frame from a sandbox has.
    #[error("a frame of unknown kind {0:#04x}")]
    Kind(u8),
    /// A body longer or shorter than its kind allows.
    #[error("a frame of kind {kind:#04x} with a body of {length} bytes")]
    Length {
        /// The frame's kind.
        kind: u8,
        /// The length it announced.
        length: u32,
    },
    /// Flags or reserved bits without a meaning.
    #[error("a frame with reserved bits set")]
    Reserved,
    /// A status that no RESULT has.
    #[error("a result of unknown status {0}")]
    Status(u8),
    /// A frame that does not belong here: nobody waits for it.
    #[error("a frame out of order")]
    Order,
}

/// Takes the next whole frame off the buffer; `None` if it has not all come yet.
pub fn take(buffer: &mut BytesMut) -> Result<Option<Frame>, Violation> {
    let Some(head) = buffer.first_chunk::<HEADER>() else { return Ok(None) };
    let [a, b, c, d, kind, flags, reserved @ ..] = *head;
    let length = u32::from_le_bytes([a, b, c, d]);
    check(kind, flags, reserved, length)?;
    let length = length as usize;
    if buffer.len() < HEADER + length {
        return Ok(None);
    }
    buffer.advance(HEADER);
    let mut body = buffer.split_to(length).freeze();
    Ok(Some(match kind {
        READY => Frame::Ready(body),
        BOUND => Frame::Bound(body),
        LOG => Frame::Log(body),
        _ => {
            let mut id = [0; 16];
            body.copy_to_slice(&mut id);
            let status = match body.get_u8() {
                0 => Status::Value,
                1 => Status::Handled,
                2 => Status::Unhandled,
                3 => Status::TooLarge,
                other => return Err(Violation::Status(other)),
            };
            Frame::Result { id, status, json: body, spent: flags & SPENT != 0 }
        }
    }))
}

/// How many bytes are still missing of the frame whose beginning the buffer holds; 0 while its header is not whole.
pub fn missing(buffer: &BytesMut) -> usize {
    match buffer.first_chunk::<4>() {
        Some(length) => (HEADER + u32::from_le_bytes(*length) as usize).saturating_sub(buffer.len()),
        None => 0,
    }
}

fn check(kind: u8, flags: u8, reserved: [u8; 2], length: u32) -> Result<(), Violation> {
    let (least, most, known_flags) = match kind {
        READY => (0, READY_MAX, 0),
        BOUND => (0, BOUND_MAX, 0),
        LOG => (0, LOG_MAX, 0),
        RESULT => (RESULT_HEAD, RESULT_HEAD + RESULT_MAX, SPENT),
        _ => return Err(Violation::Kind(kind)),
    };
    if reserved != [0, 0] || flags & !known_flags != 0 {
        return Err(Violation::Reserved);
    }
    if !(least..=most).contains(&(length as usize)) {
        return Err(Violation::Length { kind, length });
    }
    Ok(())
}

fn header(kind: u8, length: usize) -> [u8; HEADER] {
    // Callers keep bodies within caps that are far below 4 GiB.
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [a, b, c, d, kind, 0, 0, 0]
}

/// A BIND frame; `None` if the description is too large to send.
pub fn bind(json: &[u8]) -> Option<Vec<u8>> {
    (json.len() <= BIND_MAX).then(|| [&header(BIND, json.len())[..], json].concat())
}

/// What an INVOKE says beside the payload.
#[derive(Clone, Copy, Debug)]
pub struct Invoke<'a> {
    /// The invocation's id.
    pub id: &'a [u8; 16],
    /// When it must have ended, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// How long the sandbox slept, in milliseconds.
    pub frozen_ms: u32,
    /// The meta JSON; empty for none.
    pub meta: &'a [u8],
    /// How many bytes of payload follow.
    pub payload_length: usize,
}

/// All of an INVOKE frame that stands before the payload; `None` if meta or payload are too large to send.
pub fn invoke(invoke: &Invoke<'_>) -> Option<Vec<u8>> {
    if invoke.meta.len() > META_MAX || invoke.payload_length > PAYLOAD_MAX {
        return None;
    }
    let before = 16 + 8 + 4 + 4 + invoke.meta.len();
    let mut head = Vec::with_capacity(HEADER + before);
    head.extend_from_slice(&header(INVOKE, before + invoke.payload_length));
    head.extend_from_slice(invoke.id);
    head.extend_from_slice(&invoke.deadline_ms.to_le_bytes());
    head.extend_from_slice(&invoke.frozen_ms.to_le_bytes());
    head.extend_from_slice(&u32::try_from(invoke.meta.len()).unwrap_or(u32::MAX).to_le_bytes());
    head.extend_from_slice(invoke.meta);
    Some(head)
}

/// A CANCEL frame: the invocation of this id, which is open, is to stop.
pub fn cancel(id: &[u8; 16]) -> [u8; HEADER + 16] {
    let mut frame = [0; HEADER + 16];
    let (head, body) = frame.split_at_mut(HEADER);
    head.copy_from_slice(&header(CANCEL, 16));
    body.copy_from_slice(id);
    frame
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, body: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::from(&header(kind, body.len())[..]);
        bytes[5] = flags;
        bytes.extend_from_slice(body);
        bytes
    }

    fn result(status: u8, json: &[u8]) -> Vec<u8> {
        [&[7; 16][..], &[status], json].concat()
    }

    #[test]
    fn each_kind_is_read() {
        assert_eq!(take(&mut frame(READY, 0, b"{}")), Ok(Some(Frame::Ready("{}".into()))));
        assert_eq!(take(&mut frame(BOUND, 0, b"{}")), Ok(Some(Frame::Bound("{}".into()))));
        assert_eq!(take(&mut frame(LOG, 0, b"")), Ok(Some(Frame::Log(Bytes::new()))));
        assert_eq!(
            take(&mut frame(RESULT, SPENT, &result(2, b"{}"))),
            Ok(Some(Frame::Result {
                id: [7; 16],
                status: Status::Unhandled,
                json: "{}".into(),
                spent: true
            }))
        );
    }

    #[test]
    fn violations_are_seen_from_the_header_alone() {
        let head = |kind, length: usize| BytesMut::from(&header(kind, length)[..]);
        for (kind, length) in [
            (READY, READY_MAX + 1),
            (BOUND, BOUND_MAX + 1),
            (LOG, LOG_MAX + 1),
            (RESULT, 16),
            (RESULT, RESULT_HEAD + RESULT_MAX + 1),
        ] {
            let length_u32 = u32::try_from(length).unwrap();
            assert_eq!(take(&mut head(kind, length)), Err(Violation::Length { kind, length: length_u32 }));
        }
        for kind in [0, BIND, INVOKE, CANCEL, 0x80, 0x85, 0xff] {
            assert_eq!(take(&mut head(kind, 0)), Err(Violation::Kind(kind)));
        }
        assert_eq!(take(&mut frame(READY, 1, b"")), Err(Violation::Reserved));
        assert_eq!(take(&mut frame(RESULT, 2, &result(0, b""))), Err(Violation::Reserved));
        let mut reserved = frame(LOG, 0, b"");
        reserved[7] = 1;
        assert_eq!(take(&mut reserved), Err(Violation::Reserved));
        assert_eq!(take(&mut frame(RESULT, 0, &result(4, b""))), Err(Violation::Status(4)));
    }

    #[test]
    fn an_invoke_says_how_much_follows() {
        let head =
            invoke(&Invoke { id: &[1; 16], deadline_ms: 2, frozen_ms: 3, meta: b"{}", payload_length: 5 })
                .unwrap();
        assert_eq!(head.len(), HEADER + 34);
        assert_eq!(u32::from_le_bytes(*head.first_chunk().unwrap()), 34 + 5);
        assert!(
            invoke(&Invoke {
                id: &[1; 16],
                deadline_ms: 2,
                frozen_ms: 3,
                meta: &[b' '; META_MAX + 1],
                payload_length: 0
            })
            .is_none()
        );
        assert!(
            invoke(&Invoke {
                id: &[1; 16],
                deadline_ms: 2,
                frozen_ms: 3,
                meta: b"",
                payload_length: PAYLOAD_MAX + 1
            })
            .is_none()
        );
        assert!(bind(&vec![b' '; BIND_MAX + 1]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_frames(
            bytes in prop::collection::vec(any::<u8>(), 0..256),
            logs in prop::collection::vec("[a-z]{0,20}", 0..6),
            cut in 1_usize..16,
        ) {
            let mut stream: Vec<u8> = logs.iter().flat_map(|log| frame(LOG, 0, log.as_bytes()).to_vec()).collect();
            stream.extend(bytes);
            let drain = |buffer: &mut BytesMut, seen: &mut Vec<Frame>| loop {
                match take(buffer) {
                    Ok(Some(frame)) => seen.push(frame),
                    Ok(None) => return None,
                    Err(violation) => return Some(violation),
                }
            };
            let (mut whole, mut in_pieces) = (Vec::new(), Vec::new());
            let ended = drain(&mut BytesMut::from(&stream[..]), &mut whole);
            let mut buffer = BytesMut::new();
            let mut ended_in_pieces = None;
            for piece in stream.chunks(cut) {
                buffer.extend_from_slice(piece);
                ended_in_pieces = drain(&mut buffer, &mut in_pieces);
                if ended_in_pieces.is_some() {
                    break;
                }
            }
            prop_assert!(whole.len() >= logs.len());
            prop_assert_eq!(whole, in_pieces);
            prop_assert_eq!(ended, ended_in_pieces);
        }
    }
}
