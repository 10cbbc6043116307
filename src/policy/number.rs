//! Decimal numbers of any length, compared exactly: a comparison by floating point would call neighbours equal.

use std::cmp::Ordering;

/// A number as it stands in a text, without zeros that say nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Number<T> {
    negative: bool,
    whole: T,
    fraction: T,
}

impl<'a> Number<&'a str> {
    /// Reads `-12.50` and its like: digits, with a sign and a fraction if need be, no exponent.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// The same number with a text of its own.
    pub(super) fn into_owned(self) -> Number<Box<str>> {
        Number { negative: self.negative, whole: self.whole.into(), fraction: self.fraction.into() }
    }

    /// Compares by value.
    pub(super) fn compare(&self, other: &Number<Box<str>>) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (negative, _) => {
                // Without leading zeros the longer whole part is greater; fractions compare as texts.
                let size = (self.whole.len(), self.whole, self.fraction).cmp(&(
                    other.whole.len(),
                    &*other.whole,
                    &*other.fraction,
                ));
                if negative { size.reverse() } else { size }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let ascending =
            ["-10", "-9.5", "-9.05", "-1", "0", "0.05", "0.5", "1", "9", "10", "9007199254740993"];
        for (i, left) in ascending.iter().enumerate() {
            for (j, right) in ascending.iter().enumerate() {
                let right_number = Number::parse(right).unwrap().into_owned();
                let compared = Number::parse(left).unwrap().compare(&right_number);
                assert_eq!(compared, i.cmp(&j), "{left} and {right}");
            }
        }
        for (left, right) in [("1", "1.0"), ("01", "1"), ("-0", "0"), ("0.50", "0.5")] {
            assert_eq!(Number::parse(left), Number::parse(right), "{left} and {right}");
        }
        let neighbour = Number::parse("9007199254740992").unwrap().into_owned();
        assert_eq!(Number::parse("9007199254740993").unwrap().compare(&neighbour), Ordering::Greater);
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", "1,5", "0x10", " 1", "١", "1.2.3", "--1", "NaN"]
        {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
    }
}
