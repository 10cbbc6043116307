//! Reading a body: bounded in size, in time and, over all requests, in bytes held.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::future::poll_immediate;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// How many bytes of bodies the gateway holds at once, over all requests.
#[derive(Debug)]
pub struct Budget {
    held: AtomicU64,
    max: u64,
}

impl Budget {
    /// A budget of `max` bytes.
    pub fn new(max: u64) -> Arc<Self> {
        Arc::new(Self { held: AtomicU64::new(0), max })
    }

    /// Bytes held now.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        self.held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                held.checked_add(bytes).filter(|sum| *sum <= self.max)
            })
            .is_ok()
    }
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Held {
    /// Nothing yet.
    pub(super) fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Takes what is missing to so many bytes.
    pub(super) fn grow_to(&mut self, bytes: u64) -> Result<(), BodyError> {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            if !self.budget.take(more) {
                return Err(BodyError::OverBudget);
            }
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a body was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// More bytes than the operation takes. `announced` is the length the client gave, if it gave one.
    TooLarge {
        /// `Content-Length`.
        announced: Option<u64>,
    },
    /// It did not come in time.
    TooSlow,
    /// The gateway holds as many bytes as it may.
    OverBudget,
    /// The client's connection or framing broke.
    Broken(String),
}

/// Reads a whole body of at most `max` bytes within `time`. Nothing is allocated for a body that is announced as too large.
pub async fn read(
    body: Incoming,
    max: usize,
    time: Duration,
    budget: &Arc<Budget>,
) -> Result<(Bytes, Held), BodyError> {
    let mut held = Held::none(budget);
    let announced = body.size_hint().exact();
    if let Some(length) = announced {
        if length > max as u64 {
            return Err(BodyError::TooLarge { announced });
        }
        held.grow_to(length)?;
    }
    // Most bodies arrive with their head: those need no timer.
    let mut reading = Box::pin(collect(body, max, held));
    match poll_immediate(&mut reading).await {
        Some(done) => done,
        None => tokio::time::timeout(time, reading).await.unwrap_or(Err(BodyError::TooSlow)),
    }
}

async fn collect(mut body: Incoming, max: usize, mut held: Held) -> Result<(Bytes, Held), BodyError> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = rest.as_ref().map_or(first.len(), BytesMut::len);
        let sum = so_far.saturating_add(data.len());
        if sum > max {
            return Err(BodyError::TooLarge { announced: None });
        }
        held.grow_to(sum as u64)?;
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                let mut joined = BytesMut::with_capacity(usize::try_from(held.bytes).unwrap_or(sum).max(sum));
                joined.extend_from_slice(&first);
                joined.extend_from_slice(&data);
                rest = Some(joined);
            }
        }
    }
    Ok((rest.map_or(first, BytesMut::freeze), held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_up_to_its_limit_and_takes_back() {
        let budget = Budget::new(10);
        let mut one = Held::none(&budget);
        one.grow_to(6).unwrap();
        let mut two = Held::none(&budget);
        assert_eq!(two.grow_to(5), Err(BodyError::OverBudget));
        two.grow_to(4).unwrap();
        one.grow_to(3).unwrap();
        assert_eq!(budget.held(), 10);
        drop(one);
        drop(two);
        assert_eq!(budget.held(), 0);
    }
}
