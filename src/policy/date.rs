//! Points in time as conditions have them: "one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX)
//! time" (IAM User Guide, "Date condition operators"; W3C note "Date and Time Formats").

/// A point in time, in nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Instant(i128);

const NANOS: i128 = 1_000_000_000;
/// The finest fraction of a second that is understood; more digits are not a date.
const FRACTION_DIGITS_MAX: usize = 9;
/// The longest number of seconds: eleven digits reach the year 5138.
const EPOCH_DIGITS_MAX: usize = 11;

impl Instant {
    /// Reads a year, a month, a day, a minute, a second or a fraction of one; with a time goes a zone, `Z` or `+hh:mm`. A
    /// number that is not four digits long is seconds since 1970, which may have a sign and a fraction; four digits are a
    /// year. What is left out is the first there is: `2024-05` is the first of May at midnight in UTC.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let is_year = date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit());
        if time.is_none() && !is_year && !date.get(1..).is_some_and(|rest| rest.contains('-')) {
            return epoch(text);
        }
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = parts.next().map(|part| digits(part, 2));
        let day = parts.next().map(|part| digits(part, 2));
        if parts.next().is_some() || (time.is_some() && day.is_none()) {
            return None;
        }
        let (month, day) = (month.unwrap_or(Some(1))?, day.unwrap_or(Some(1))?);
        if !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) {
            return None;
        }
        let midnight = since_1970(year, month, day) * 86_400 * NANOS;
        Some(Self(midnight + time.map_or(Some(0), time_of_day)?))
    }
}

/// Seconds since 1970.
fn epoch(text: &str) -> Option<Instant> {
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, part)) => (whole, fraction(part)?),
        None => (number, 0),
    };
    if whole.is_empty() || whole.len() > EPOCH_DIGITS_MAX {
        return None;
    }
    let nanos = digits(whole, whole.len())? * NANOS + fraction;
    Some(Instant(if negative { -nanos } else { nanos }))
}

/// Nanoseconds since midnight in UTC, from `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s` and a zone.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, ahead) = match text.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let at = text.rfind(['+', '-'])?;
            let (clock, zone) = text.split_at_checked(at)?;
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let ahead = (hours * 60 + minutes) * 60;
            (clock, if zone.starts_with('-') { -ahead } else { ahead })
        }
    };
    let mut parts = clock.splitn(3, ':');
    let (hours, minutes) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (digits(seconds, 2)?, 0),
            Some((seconds, part)) => (digits(seconds, 2)?, fraction(part)?),
        },
    };
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds - ahead) * NANOS + fraction)
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i128> {
    let valid = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

/// The digits after the point, in nanoseconds.
fn fraction(text: &str) -> Option<i128> {
    if text.is_empty() || text.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let missing = u32::try_from(FRACTION_DIGITS_MAX - text.len()).ok()?;
    Some(digits(text, text.len())? * 10_i128.pow(missing))
}

fn days(year: i128, month: i128) -> i128 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day comes last.
fn since_1970(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_mean_the_same_are_equal() {
        for (text, seconds) in [
            ("1970", 0),
            ("1970-01", 0),
            ("1970-01-01", 0),
            ("1970-01-01T00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:30:00.0-00:30", 0),
            ("0", 0),
            ("-1", -1),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("951825600", 951_825_600),
            ("951825600.000", 951_825_600),
            ("2024-12-31T23:59:59Z", 1_735_689_599),
            ("0001-01-01", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(Instant::parse(text), Some(Instant(seconds * NANOS)), "{text}");
        }
        assert!(Instant::parse("2024-01-01T00:00:00.5Z") > Instant::parse("2024-01-01T00:00:00.49Z"));
        assert_eq!(Instant::parse("1.5"), Some(Instant(1_500_000_000)));
    }

    #[test]
    fn agrees_with_the_clock_of_the_gateway() {
        for seconds in (0..4_000_000_000_i64).step_by(86_400 * 11 + 3_607) {
            let text = crate::base::Timestamp::from_seconds(seconds).iso8601_seconds();
            assert_eq!(Instant::parse(&text), Some(Instant(i128::from(seconds) * NANOS)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "-",
            "now",
            "T",
            "2024-",
            "2024-13",
            "2024-00",
            "2024-02-30",
            "2023-02-29",
            "1900-02-29",
            "24-01-01",
            "2024-1-1",
            "2024-01-01T",
            "2024-01-01T10Z",
            "2024-01-01T10:00",
            "2024-01-01T24:00Z",
            "2024-01-01T10:60Z",
            "2024-01-01T10:00:60Z",
            "2024-01-01T10:00:00.Z",
            "2024-01-01T10:00+1:00",
            "2024-01-01T10:00:00.0000000001Z",
            "2024-01T10:00Z",
            "2024-01-01 10:00Z",
            "1e9",
            "+5",
            "123456789012",
            "1.",
            ".5",
            "2024-01-01T10:00+24:00",
            "20240101T100000Z",
            "2024-01-01-01",
            "２０２４",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
