//! An answer as it is kept for whoever sends the call again.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    base::RequestId,
    dispatch::{FunctionError, Outcome},
};

/// What came of a run, and which run it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The id of the request that ran, which is the invocation's.
    pub id: RequestId,
    /// What came of it.
    pub outcome: Outcome,
}

const HANDLED: u8 = 1;
const UNHANDLED: u8 = 2;
/// The longest version is a number of u64.
const VERSION_BYTES_MAX: usize = 64;

impl Answer {
    /// A copy that holds on to no buffer of a connection or sandbox.
    pub(super) fn of(id: RequestId, outcome: &Outcome) -> Self {
        let payload = Bytes::copy_from_slice(&outcome.payload);
        Self { id, outcome: Outcome { payload, cold: None, ..outcome.clone() } }
    }

    /// How many bytes it holds.
    pub(super) fn bytes(outcome: &Outcome) -> u64 {
        (outcome.payload.len() + outcome.version.len() + outcome.log_tail.as_ref().map_or(0, Vec::len)) as u64
    }

    /// Its form on disk, before it is sealed: request id (16 bytes), kind of error (1), version and log tail, each with its
    /// length (4, big-endian; a length of 2³²−1 says that there is none), and the payload.
    pub(super) fn encode(id: RequestId, outcome: &Outcome) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + usize::try_from(Self::bytes(outcome)).unwrap_or(0));
        out.extend_from_slice(id.as_bytes());
        out.push(match outcome.function_error {
            None => 0,
            Some(FunctionError::Handled) => HANDLED,
            Some(FunctionError::Unhandled) => UNHANDLED,
        });
        part(&mut out, Some(outcome.version.as_bytes()));
        part(&mut out, outcome.log_tail.as_deref());
        out.extend_from_slice(&outcome.payload);
        out
    }

    /// Reads that form; `None` if these bytes are none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (error, mut rest) = rest.split_first()?;
        let function_error = match *error {
            0 => None,
            HANDLED => Some(FunctionError::Handled),
            UNHANDLED => Some(FunctionError::Unhandled),
            _ => return None,
        };
        let version = take(&mut rest)??;
        let log_tail = take(&mut rest)?;
        if version.len() > VERSION_BYTES_MAX {
            return None;
        }
        Some(Self {
            id: RequestId::from_bytes(*id),
            outcome: Outcome {
                payload: Bytes::copy_from_slice(rest),
                function_error,
                version: Arc::from(std::str::from_utf8(version).ok()?),
                log_tail: log_tail.map(<[u8]>::to_vec),
                cold: None,
            },
        })
    }
}

fn part(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let length = bytes.map_or(u32::MAX, |bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes.unwrap_or_default());
}

/// The next part; `None` if the bytes end too early, `Some(None)` for a part that is not there.
#[expect(clippy::option_option, reason = "absent and broken are two answers")]
fn take<'b>(from: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length);
    if length == u32::MAX {
        *from = rest;
        return Some(None);
    }
    let (part, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *from = rest;
    Some(Some(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::rng::SeededRng;

    fn outcome() -> Outcome {
        Outcome {
            payload: Bytes::from_static(b"{\"a\":1}"),
            function_error: Some(FunctionError::Handled),
            version: "17".into(),
            log_tail: Some(b"log".to_vec()),
            cold: None,
        }
    }

    #[test]
    fn an_answer_comes_back_as_it_was() {
        let id = RequestId::draw(&SeededRng::new(1));
        for outcome in [
            outcome(),
            Outcome { function_error: None, log_tail: None, payload: Bytes::new(), ..outcome() },
            Outcome {
                function_error: Some(FunctionError::Unhandled),
                log_tail: Some(Vec::new()),
                ..outcome()
            },
        ] {
            let back = Answer::decode(&Answer::encode(id, &outcome)).unwrap();
            assert_eq!(back, Answer { id, outcome });
        }
    }

    proptest! {
        #[test]
        fn other_bytes_are_refused_or_read_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answer::decode(&bytes);
        }

        #[test]
        fn a_cut_head_is_refused(at in 0_usize..30) {
            let encoded = Answer::encode(RequestId::draw(&SeededRng::new(1)), &outcome());
            prop_assert!(Answer::decode(&encoded[..at]).is_none());
        }
    }
}
