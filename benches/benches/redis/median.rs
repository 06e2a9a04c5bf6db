//! Medians with their confidence intervals.

/// A median with its 95 % interval.
#[derive(Clone, Copy)]
pub struct Median {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Median {
    /// The median of measurements in any order. With fewer than six, the interval is the whole
    /// range, and its confidence is below 95 %.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        let at = |index: usize| values.get(index.min(last)).copied().unwrap_or(f64::NAN);
        // At most 2.5 % of the probability beyond each end, by the binomial distribution.
        let outside = outside(values.len());
        Self {
            value: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
            low: at(outside),
            high: at(last.saturating_sub(outside)),
        }
    }

    /// The value and the interval, each as `show` writes a number.
    pub fn show(&self, show: impl Fn(f64) -> String) -> String {
        let (value, low, high) = (show(self.value), show(self.low), show(self.high));
        format!("{value} (95 %: {low} to {high})")
    }
}

/// Returns how many of `count` values can be dropped at each end so that the rest still contains
/// the median with a probability of 95 %.
fn outside(count: usize) -> usize {
    let mut term = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let (mut sum, mut out) = (0.0, 0);
    loop {
        sum += term;
        if sum > 0.025 || out >= count / 2 {
            return out;
        }
        term *= (count - out) as f64 / (out + 1) as f64;
        out += 1;
    }
}
