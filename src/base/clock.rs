//! Time as a parameter: everything that asks what time it is takes a [`Clock`].

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar form in UTC. Moments outside the calendar's years show as its first moment.
    fn civil(self) -> jiff::civil::DateTime {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|at| jiff::tz::Offset::UTC.to_datetime(at))
            .unwrap_or(jiff::civil::DateTime::MIN)
    }

    /// `2015-07-01T12:00:00.000Z`, as log lines have it.
    pub fn iso8601_millis(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// `2015-07-01T12:00:00Z`, as IAM and STS answer.
    pub fn iso8601_seconds(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `2015-07-01T12:00:00.000+0000`, as Lambda answers `LastModified`.
    pub fn iso8601_offset(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
    }

    /// `2015/07/01`, as log streams begin.
    pub fn date_path(self) -> String {
        self.civil().strftime("%Y/%m/%d").to_string()
    }

    /// `20150701T120000Z`, as SigV4 has it.
    pub fn sigv4(self) -> String {
        self.civil().strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Reads SigV4's `20150701T120000Z`; `None` for any other form or a date that does not exist.
    pub fn parse_sigv4(text: &str) -> Option<Self> {
        if text.len() != 16
            || !text.bytes().enumerate().all(|(i, b)| {
                matches!((i, b), (8, b'T') | (15, b'Z')) || (i != 8 && i != 15 && b.is_ascii_digit())
            })
        {
            return None;
        }
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<i16>().ok());
        let small = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<i8>().ok());
        let date = jiff::civil::Date::new(number(0..4)?, small(4..6)?, small(6..8)?).ok()?;
        let time = jiff::civil::Time::new(small(9..11)?, small(11..13)?, small(13..15)?, 0).ok()?;
        let at = jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(time)).ok()?;
        Some(Self(at.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso8601_millis())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The wall clock's time; it may be set back.
    fn now(&self) -> Timestamp;

    /// Time since an origin of this clock's own; it never runs backwards.
    fn monotonic(&self) -> Duration;
}

/// A clock that can be shared.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// Starts the monotonic origin here.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A clock for tests: it stands still until it is moved.
#[derive(Debug)]
pub struct MockClock {
    millis: std::sync::atomic::AtomicI64,
    elapsed_nanos: std::sync::atomic::AtomicU64,
}

impl MockClock {
    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { millis: now.millis().into(), elapsed_nanos: 0.into() })
    }

    /// Moves both the wall clock and the monotonic one.
    pub fn advance(&self, by: Duration) {
        use std::sync::atomic::Ordering::SeqCst;
        self.millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), SeqCst);
        self.elapsed_nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.millis.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_each_protocol_wants_them() {
        let at = Timestamp::from_millis(1_435_752_000_123);
        assert_eq!(at.iso8601_millis(), "2015-07-01T12:00:00.123Z");
        assert_eq!(at.iso8601_seconds(), "2015-07-01T12:00:00Z");
        assert_eq!(at.iso8601_offset(), "2015-07-01T12:00:00.123+0000");
        assert_eq!(at.date_path(), "2015/07/01");
        assert_eq!(at.sigv4(), "20150701T120000Z");
    }

    #[test]
    fn sigv4_dates_are_read_strictly() {
        assert_eq!(Timestamp::parse_sigv4("20150701T120000Z"), Some(Timestamp::from_seconds(1_435_752_000)));
        for bad in [
            "",
            "20150701T120000",
            "2015-07-01T12:00",
            "20150732T120000Z",
            "20150701T250000Z",
            "+0150701T120000Z",
        ] {
            assert_eq!(Timestamp::parse_sigv4(bad), None, "{bad:?}");
        }
    }
}
