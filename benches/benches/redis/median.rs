//! Medians, and what is known of them.

/// A median with its 95 % interval.
#[derive(Clone, Copy)]
pub struct Median {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Median {
    /// Of measurements in any order. With fewer than six the interval is the whole range, and less
    /// sure than 95 %.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        let at = |index: usize| values.get(index.min(last)).copied().unwrap_or(f64::NAN);
        // As many on each side of the median as a fair coin leaves with 97.5 %.
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

/// How many of `count` values may be left out at each end so that the rest holds the median with a
/// probability of 95 %.
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
