//! Medians and their intervals. These machines are noisy, so a figure is a ratio of interleaved runs with an interval, and a
//! ratio whose interval contains 1 shows no difference.

/// The median and an interval that holds the true median with about 95 % certainty, by order statistics: no assumption
/// about the noise's shape.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Median {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let middle = count / 2;
        let median = if count.is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        // The largest rank whose chance of lying above the median, both sides together, is at most 5 %.
        let mut rank = 0;
        let mut chance = 0.0;
        let mut binomial = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
        for k in 0..middle {
            chance += 2.0 * binomial;
            if chance > 0.05 {
                break;
            }
            rank = k + 1;
            binomial *= (count - k) as f64 / (k + 1) as f64;
        }
        let low = values[rank.saturating_sub(1)];
        let high = values[count - rank.max(1)];
        Self { median, low, high }
    }
}

impl std::fmt::Display for Median {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} [{:.3}..{:.3}]", self.median, self.low, self.high)
    }
}
