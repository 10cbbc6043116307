//! Reading a body: bounded in size, in time and in bytes held, over all requests and over those of one source address.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
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

use crate::quota::Prefix;

/// How many bytes of bodies the gateway holds at once, over all requests; of them one source address has at most half, or three
/// of the largest payloads where half is less.
///
/// What an address has is counted without knowing any: in each row of counters it has one, by a hash with a secret of this
/// process, which it shares with others, and it has no more than the least of its counters says. A flood from one address shuts out
/// another only where they share both, one of millions.
#[derive(Debug)]
pub struct Budget {
    held: AtomicU64,
    max: u64,
    /// The most that one address has.
    address_max: u64,
    of_addresses: Box<[[AtomicU64; COUNTERS]; ROWS]>,
    hasher: RandomState,
}

/// What one address may have whatever the budget is, but for what is always left to others: three payloads of 6 MiB.
const ADDRESS_BYTES: u64 = 18 << 20;
/// The part of a budget that is left to others.
const LEFT: u64 = 32;
const ROWS: usize = 2;
const COUNTERS: usize = 2048;

impl Budget {
    /// A budget of `max` bytes.
    pub fn new(max: u64) -> Arc<Self> {
        let counters = || std::array::from_fn(|_| AtomicU64::new(0));
        Arc::new(Self {
            held: AtomicU64::new(0),
            max,
            address_max: (max / 2).max(ADDRESS_BYTES.min(max - max / LEFT)),
            of_addresses: Box::new(std::array::from_fn(|_| counters())),
            hasher: RandomState::new(),
        })
    }

    /// Bytes held now.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Where an address is counted, in each row.
    fn places(&self, source: IpAddr) -> [usize; ROWS] {
        let hash = self.hasher.hash_one(Prefix::of(source));
        [hash % COUNTERS as u64, (hash >> 32) % COUNTERS as u64]
            .map(|place| usize::try_from(place).unwrap_or_default())
    }

    fn counters(&self, places: [usize; ROWS]) -> impl Iterator<Item = &AtomicU64> {
        self.of_addresses.iter().zip(places).filter_map(|(row, place)| row.get(place))
    }

    fn take(&self, places: [usize; ROWS], bytes: u64) -> bool {
        let more = |held: u64| held.checked_add(bytes).filter(|sum| *sum <= self.max);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return false;
        }
        let counted =
            self.counters(places).map(|counter| counter.fetch_add(bytes, Ordering::Relaxed) + bytes);
        let fits = counted.min().is_none_or(|least| least <= self.address_max);
        if !fits {
            self.give(places, bytes);
        }
        fits
    }

    fn give(&self, places: [usize; ROWS], bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        for counter in self.counters(places) {
            counter.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    places: [usize; ROWS],
    bytes: u64,
}

impl Held {
    /// Nothing yet.
    pub(super) fn none(budget: &Arc<Budget>, source: IpAddr) -> Self {
        Self { budget: budget.clone(), places: budget.places(source), bytes: 0 }
    }

    /// Takes what is missing to so many bytes.
    pub(super) fn grow_to(&mut self, bytes: u64) -> Result<(), BodyError> {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            if !self.budget.take(self.places, more) {
                return Err(BodyError::OverBudget);
            }
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.give(self.places, self.bytes);
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
    /// The gateway holds as many bytes as it may, of all or of this source address.
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
    source: IpAddr,
) -> Result<(Bytes, Held), BodyError> {
    let mut held = Held::none(budget, source);
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

    fn source(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    #[test]
    fn a_budget_gives_up_to_its_limit_and_takes_back() {
        let budget = Budget::new(12);
        let mut one = Held::none(&budget, source(1));
        one.grow_to(6).unwrap();
        let mut two = Held::none(&budget, source(2));
        two.grow_to(4).unwrap();
        let mut three = Held::none(&budget, source(3));
        assert_eq!(three.grow_to(3), Err(BodyError::OverBudget));
        three.grow_to(2).unwrap();
        one.grow_to(3).unwrap();
        assert_eq!(budget.held(), 12);
        drop((one, two, three));
        assert_eq!(budget.held(), 0);
        assert!(budget.of_addresses.iter().flatten().all(|counter| counter.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn one_address_leaves_half_to_others() {
        const MIB: u64 = 1 << 20;
        let budget = Budget::new(100 * MIB);
        let mut flood: Vec<_> = (0..60).map(|_| Held::none(&budget, source(1))).collect();
        let held = flood.iter_mut().filter_map(|held| held.grow_to(MIB).ok()).count();
        assert_eq!(held, 50);
        // Every other address but those few that are counted with it, in both rows, has what is left.
        let mut others: Vec<_> = (2..52).map(|number| Held::none(&budget, source(number))).collect();
        let held = others.iter_mut().filter_map(|held| held.grow_to(MIB).ok()).count();
        assert!(held >= 49, "{held}");
        // Of a small budget it may have three of the largest payloads, if something is left.
        assert_eq!(Budget::new(32 * MIB).address_max, 18 * MIB);
        assert_eq!(Budget::new(16 * MIB).address_max, 16 * MIB - MIB / 2);
        // A /64 is one address, as everywhere.
        let v6 = |text: &str| Held::none(&budget, text.parse().unwrap()).places;
        assert_eq!(v6("2001:db8::1"), v6("2001:db8::2"));
    }
}
