//! Bodies that come compressed: `Content-Encoding: gzip` on Invoke.
//!
//! The signature is over the bytes as they were sent, so it is checked before anything here runs. What comes out is bounded
//! by the payload's limit, by a ratio to what was sent, and by the budget of bytes that all requests hold.

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{HeaderMap, StatusCode, header::CONTENT_ENCODING};

use super::body::{BodyError, Held};
use crate::api::ApiError;

/// How many bytes may come out for each that was sent. Deflate makes up to 1,032 of one.
const RATIO_MAX: usize = 100;
/// How much is inflated at once.
const PIECE: usize = 16 * 1024;
/// What a gzip member begins with (RFC 1952, 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How a body was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// One gzip member.
    Gzip,
}

/// Why a compressed body was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompressedError {
    /// It is no gzip, or not all of one.
    Broken(&'static str),
    /// Something follows the one member.
    Trailing(&'static str),
    /// More comes out than a payload may have.
    TooLarge,
    /// More comes out of each byte than may.
    TooDense,
    /// The gateway holds as many bytes as it may.
    OverBudget,
}

impl Encoding {
    /// What the head says. Other codings than gzip are refused, and gzip too where it is switched off.
    ///
    /// # Errors
    /// 415 `UnsupportedMediaTypeException`.
    pub fn of(headers: &HeaderMap, takes_gzip: bool) -> Result<Self, ApiError> {
        let mut lines = headers.get_all(CONTENT_ENCODING).iter();
        let Some(line) = lines.next() else { return Ok(Self::Identity) };
        let coding = line.to_str().unwrap_or("?").trim();
        let is = |name: &str| coding.eq_ignore_ascii_case(name);
        if lines.next().is_some() {
            return Err(unsupported("A body may be compressed once"));
        }
        match () {
            () if coding.is_empty() || is("identity") => Ok(Self::Identity),
            // RFC 9110, 8.4.1.3: the two are the same.
            () if (is("gzip") || is("x-gzip")) && takes_gzip => Ok(Self::Gzip),
            () if is("gzip") || is("x-gzip") => Err(unsupported("This gateway takes no compressed requests")),
            () => {
                let shown: String = coding.chars().take(64).collect();
                Err(unsupported(&format!("Invoke takes the content encoding gzip, not {shown}")))
            }
        }
    }

    /// The body as it was before it was compressed, at most `max` bytes. `held` grows with it.
    ///
    /// # Errors
    /// Never for [`Self::Identity`].
    pub fn undo(self, body: Bytes, max: usize, held: &mut Held) -> Result<Bytes, CompressedError> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => inflate(&body, max, held),
        }
    }
}

fn unsupported(what: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaTypeException",
        format!("{what}: send the body as it is, without Content-Encoding."),
    )
}

fn inflate(body: &[u8], max: usize, held: &mut Held) -> Result<Bytes, CompressedError> {
    let densest = body.len().saturating_mul(RATIO_MAX);
    let limit = max.min(densest);
    let mut decoder = GzDecoder::new(body);
    let mut piece = [0; PIECE];
    let mut out = Vec::new();
    loop {
        let read = match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(CompressedError::Broken("it ends before it is whole"));
            }
            Err(_) => return Err(CompressedError::Broken("it is no valid gzip, or its checksum is wrong")),
        };
        let sum = out.len() + read;
        if sum > limit {
            return Err(if densest < max { CompressedError::TooDense } else { CompressedError::TooLarge });
        }
        if sum > out.capacity() {
            // What it says of its own length is a claim: the limit holds whatever it says.
            let claimed = claimed_length(body).min(limit);
            let room = sum.max(claimed).max((2 * out.capacity()).min(limit));
            grow(held, body.len() + room)?;
            out.reserve_exact(room - out.len());
        }
        out.extend_from_slice(&piece[..read]);
    }
    match decoder.into_inner() {
        [] => Ok(out.into()),
        rest if rest.starts_with(&MAGIC) => Err(CompressedError::Trailing("another gzip member")),
        _ => Err(CompressedError::Trailing("something else")),
    }
}

fn grow(held: &mut Held, bytes: usize) -> Result<(), CompressedError> {
    held.grow_to(bytes as u64).map_err(|_: BodyError| CompressedError::OverBudget)
}

/// The length that the last four bytes give (RFC 1952, 2.3.1: ISIZE).
fn claimed_length(body: &[u8]) -> usize {
    body.last_chunk().map_or(0, |last| u32::from_le_bytes(*last) as usize)
}

#[cfg(test)]
mod tests;
