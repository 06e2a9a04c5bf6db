//! Until when a token may be handed out without a closer look.

use crate::platform::Reading;

/// What a lagging clock may hide, in nanoseconds.
const LAG: u64 = Reading::LAG.as_nanos() as u64;

/// The times that decide about a token, as plain numbers of nanoseconds. They may be asked with a
/// [`Reading`] that lags behind: what is closer than that lag to a boundary gets the closer look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// When it ends, by the monotonic clock.
    pub(crate) monotonic_end: u64,
    /// When it ends, by the wall clock, since 1970.
    pub(crate) wall_end: i64,
    /// A refresh is due when no more than this is left of it.
    pub(crate) due_left: u64,
    /// Monotonic: before, no refresh may start, so nothing is due and nothing is too short.
    pub(crate) paused_until: u64,
    /// Monotonic: before, a refresh is known to be under way, so that none is due.
    pub(crate) quiet_until: u64,
}

impl Terms {
    /// Those of nothing: they allow nothing.
    pub(crate) const NOTHING: Self = Self {
        monotonic_end: 0,
        wall_end: i64::MIN,
        due_left: 0,
        paused_until: 0,
        quiet_until: 0,
    };

    /// No end, and nothing ever due.
    pub(crate) const FOREVER: Self = Self {
        monotonic_end: u64::MAX,
        wall_end: i64::MAX,
        ..Self::NOTHING
    };

    /// Whether it may be handed out at `now` to somebody who wants at least `min_remaining`
    /// nanoseconds, and nothing else is to be done about it (PR-20 to PR-23).
    #[inline]
    pub(crate) fn allow(&self, now: Reading, min_remaining: u64) -> bool {
        let left = self.left(now);
        if left <= LAG {
            return false;
        }
        let surely = now.monotonic.saturating_add(LAG);
        if surely < self.paused_until {
            return true;
        }
        let wanted = if surely < self.quiet_until {
            min_remaining
        } else {
            self.due_left.max(min_remaining)
        };
        left > wanted.saturating_add(LAG)
    }

    /// Whether these end sooner than `others`, by either clock.
    pub(crate) fn ends_before(&self, others: &Self) -> bool {
        self.monotonic_end < others.monotonic_end || self.wall_end < others.wall_end
    }

    /// By the stricter clock (PR-20).
    #[inline]
    fn left(&self, now: Reading) -> u64 {
        let by_monotonic = self.monotonic_end.saturating_sub(now.monotonic);
        let by_wall = self.wall_end.saturating_sub(now.wall);
        by_monotonic.min(u64::try_from(by_wall).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::platform::nanoseconds;

    const SECOND: u64 = 1_000_000_000;

    fn at(wall: u64, monotonic: u64) -> Reading {
        Reading {
            wall: i64::try_from(wall * SECOND).unwrap(),
            monotonic: monotonic * SECOND,
        }
    }

    fn hour() -> Terms {
        Terms {
            monotonic_end: 3600 * SECOND,
            wall_end: i64::try_from(3600 * SECOND).unwrap(),
            due_left: 300 * SECOND,
            ..Terms::NOTHING
        }
    }

    #[test]
    fn pr_20_the_stricter_clock_counts() {
        assert!(hour().allow(at(0, 3299), 0));
        assert!(hour().allow(at(3299, 0), 0));
        assert!(!hour().allow(at(0, 3600), 0), "the clock was set back");
        assert!(!hour().allow(at(3600, 0), 0), "the host slept");
        assert!(!Terms::NOTHING.allow(at(0, 0), 0));
        assert!(Terms::FOREVER.allow(at(1 << 33, 1 << 33), SECOND));
    }

    #[test]
    fn pr_22_due_or_short_is_looked_at() {
        assert!(!hour().allow(at(3300, 3300), 0), "due");
        assert!(!hour().allow(at(1000, 1000), 2600 * SECOND), "short");
        assert!(hour().allow(at(1000, 1000), 2599 * SECOND));
    }

    #[test]
    fn pr_23_in_a_pause_nothing_is_due_and_nothing_is_short() {
        let paused = Terms {
            paused_until: 3400 * SECOND,
            ..hour()
        };
        assert!(paused.allow(at(3399, 3399), 600 * SECOND));
        assert!(!paused.allow(at(3400, 3400), 0));
        let ended = Terms {
            paused_until: u64::MAX,
            ..hour()
        };
        assert!(!ended.allow(at(3600, 3600), 0), "it has ended");
    }

    #[test]
    fn pr_22_while_a_refresh_is_under_way_only_the_short_is_looked_at() {
        let quiet = Terms {
            quiet_until: 3400 * SECOND,
            ..hour()
        };
        assert!(quiet.allow(at(3399, 3399), 200 * SECOND));
        assert!(!quiet.allow(at(3399, 3399), 201 * SECOND));
        assert!(!quiet.allow(at(3400, 3400), 0));
    }

    proptest! {
        /// Whatever is allowed by a clock that lags is allowed by one that does not.
        #[test]
        fn pr_20_a_lag_allows_nothing(
            now in 0..4000 * SECOND,
            lag in 0..=LAG,
            step in -100..100_i64,
            least in 0..4000 * SECOND,
            paused in 0..4000 * SECOND,
            quiet in 0..4000 * SECOND,
        ) {
            let terms = Terms { paused_until: paused, quiet_until: quiet, ..hour() };
            let reading = |now: u64| Reading {
                wall: i64::try_from(now).unwrap() + step * 1_000_000_000,
                monotonic: now,
            };
            if terms.allow(reading(now), least) {
                let later = now + lag;
                prop_assert!(terms.left(reading(later)) > 0);
                prop_assert!(
                    later < paused
                        || terms.left(reading(later)) >= least
                            && (later < quiet || terms.left(reading(later)) > terms.due_left)
                );
            }
        }
    }

    #[test]
    fn what_is_too_long_for_the_numbers_is_very_long() {
        assert_eq!(nanoseconds(Duration::MAX), u64::MAX);
        assert!(!hour().allow(at(0, 0), nanoseconds(Duration::MAX)));
    }
}
