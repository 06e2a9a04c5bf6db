//! Decides when a token is returned and when it is refreshed (PR-20 to PR-23, PR-25).
//!
//! There is one decision, [`Terms::decide`]. A cache calls it with the exact time, the fast path
//! with a reading that may lag, and a chain for the return to a better source. The rest of this
//! file computes the numbers that it compares.

use std::time::Duration;

use crate::{
    AccessToken,
    chain::Identity,
    platform::{Reading, nanoseconds, wall_nanoseconds},
};

/// The decision on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Return it.
    Fresh,
    /// Return it, and refresh it in the background (PR-21, PR-22).
    Due,
    /// Less life is left than is wanted: wait for a newer token, but not beyond its end (PR-22).
    Short,
    /// It has expired: never return it (PR-20).
    Ended,
}

/// The times that a decision compares, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The time for which the token is valid.
    pub(crate) life: Life,
    /// A refresh is due when no more than this is left of its life.
    pub(crate) due_left: u64,
    /// No refresh starts before this time of the monotonic clock, because the last one failed or
    /// returned nothing newer (PR-23, PR-25).
    pub(crate) paused_until: u64,
    /// Until this time of the monotonic clock a refresh is assumed to be under way.
    pub(crate) quiet_until: u64,
}

impl Terms {
    /// Decides at `now` for a caller that wants at least `wanted` nanoseconds of life.
    #[inline]
    pub(crate) fn decide(&self, now: Reading, wanted: u64) -> Decision {
        let left = self.life.nanoseconds_left(now);
        if left == 0 {
            Decision::Ended
        } else if now.monotonic < self.paused_until {
            Decision::Fresh
        } else if left < wanted {
            Decision::Short
        } else if left <= self.due_left && now.monotonic >= self.quiet_until {
            Decision::Due
        } else {
            Decision::Fresh
        }
    }

    /// Returns whether the token is fresh now and at any time up to which `now` may lag.
    #[inline]
    pub(crate) fn are_fresh(&self, now: Reading, wanted: u64) -> bool {
        self.decide(now.latest(), wanted) == Decision::Fresh
    }

    /// The terms of no token: expired.
    pub(crate) const NOTHING: Self = Self {
        life: Life::OVER,
        due_left: 0,
        paused_until: 0,
        quiet_until: 0,
    };

    /// No end, and never due.
    pub(crate) const FOREVER: Self = Self {
        life: Life::ENDLESS,
        ..Self::NOTHING
    };
}

/// The pause after a refresh that failed or returned nothing newer (PR-23, PR-25).
pub(crate) const PAUSE: Duration = Duration::from_secs(30);

/// A token with at least this life is refreshed at half of it (PR-21).
const LONG_LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// The life that a token may have lost before its receipt: the time limit of an attempt (PR-15). A
/// token issued for exactly two hours counts as a long one, although less is left at its receipt.
const ON_THE_WAY: Duration = Duration::from_secs(30);

/// A token with a shorter life is refreshed this long before its end, or at half of its life if
/// that is later (PR-21).
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The largest share of its life by which the refresh of a token is brought forward (PR-21).
const SPREAD: f64 = 0.05;

/// Returns the time from the receipt of a token to its refresh: `wanted` if the source gave one,
/// else by its `life`; in both cases brought forward by `draw` from [0, 1) times 5 % of the life
/// (PR-21).
fn refresh_after(life: Duration, wanted: Option<Duration>, draw: f64) -> Duration {
    let nominal = wanted.unwrap_or_else(|| {
        if life + ON_THE_WAY >= LONG_LIFE {
            life / 2
        } else {
            life.saturating_sub(MARGIN).max(life / 2)
        }
    });
    let forward = Duration::try_from_secs_f64(life.as_secs_f64() * SPREAD * draw);
    nominal.saturating_sub(forward.unwrap_or_default())
}

/// Returns the pause after a refresh that returned nothing newer: 30 s, plus jitter by `draw` from
/// [0, 1).
pub(super) fn pause(draw: f64) -> Duration {
    PAUSE + PAUSE.mul_f64(0.2 * draw)
}

/// The time for which a token is valid. It ends by whichever clock reaches its end first, so
/// neither a clock that is set back nor a host that sleeps prolongs it (PR-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// In nanoseconds of the monotonic clock.
    monotonic_end: u64,
    /// In nanoseconds since 1970 of the wall clock.
    wall_end: i64,
}

impl Life {
    const OVER: Self = Self {
        monotonic_end: 0,
        wall_end: i64::MIN,
    };

    const ENDLESS: Self = Self {
        monotonic_end: u64::MAX,
        wall_end: i64::MAX,
    };

    /// Returns the life of `token`, received at `now`; `None` if it has expired.
    pub(crate) fn of(token: &AccessToken, now: Reading) -> Option<Self> {
        let wall_end = wall_nanoseconds(token.expires_on());
        let length = u64::try_from(wall_end.saturating_sub(now.wall)).unwrap_or(0);
        (length > 0).then_some(Self {
            monotonic_end: now.monotonic.saturating_add(length),
            wall_end,
        })
    }

    /// Returns this life, received at `now`, limited by the `known` life of the same token from an
    /// earlier receipt: receiving a token again does not prolong it, even if the wall clock was set
    /// back. `None` if it has expired.
    pub(crate) fn continuing(self, known: Self, now: Reading) -> Option<Self> {
        let life = Self {
            monotonic_end: self.monotonic_end.min(known.monotonic_end),
            wall_end: self.wall_end.min(known.wall_end),
        };
        (!life.is_over(now)).then_some(life)
    }

    /// Returns a life that ends by the monotonic clock alone.
    pub(crate) fn lasting_until(monotonic: u64) -> Self {
        Self {
            monotonic_end: monotonic,
            ..Self::ENDLESS
        }
    }

    /// Returns the remaining life at `now`.
    pub(crate) fn left(&self, now: Reading) -> Duration {
        Duration::from_nanos(self.nanoseconds_left(now))
    }

    #[inline]
    fn nanoseconds_left(&self, now: Reading) -> u64 {
        let by_monotonic = self.monotonic_end.saturating_sub(now.monotonic);
        let by_wall = self.wall_end.saturating_sub(now.wall);
        by_monotonic.min(u64::try_from(by_wall).unwrap_or(0))
    }

    pub(crate) fn is_over(&self, now: Reading) -> bool {
        self.nanoseconds_left(now) == 0
    }

    /// Returns whether it ends sooner than `other` by either clock.
    pub(crate) fn ends_before(&self, other: &Self) -> bool {
        self.monotonic_end < other.monotonic_end || self.wall_end < other.wall_end
    }
}

/// A token in a cache.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) token: AccessToken,
    pub(super) life: Life,
    /// The life that was left at its receipt.
    length: Duration,
    /// The remaining life at which its refresh is due, in nanoseconds.
    due_left: u64,
}

impl Held {
    /// Returns `token`, received at `now`; `None` if it has expired. `known` is its life if it was
    /// received before. `draw` from [0, 1) places the refresh.
    pub(super) fn new(
        token: AccessToken,
        known: Option<Life>,
        now: Reading,
        draw: f64,
    ) -> Option<Self> {
        let life = Life::of(&token, now)?;
        let life = match known {
            Some(known) => life.continuing(known, now)?,
            None => life,
        };
        let length = life.left(now);
        // A `refresh_on` in the past or after the end is ignored: a source that returns the same
        // token again would be asked in a loop, or never.
        let wanted = token
            .refresh_on()
            .map(|at| now.until(at))
            .filter(|wait| !wait.is_zero() && *wait < length);
        let refresh_after = refresh_after(length, wanted, draw);
        // `refresh_on` is always set, for callers that keep the token.
        let token = match wanted {
            Some(_) => token,
            None => token.with_refresh_on(now.second_after(refresh_after)),
        };
        Some(Self {
            token,
            life,
            length,
            due_left: nanoseconds(length.saturating_sub(refresh_after)),
        })
    }

    /// Returns its terms, without a pause and without a refresh under way.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            life: self.life,
            due_left: self.due_left,
            ..Terms::NOTHING
        }
    }

    /// Returns whether `other` is another token of the same identity that ends sooner.
    pub(super) fn outlasts(&self, other: &Self, now: Reading) -> bool {
        self.life.left(now) > other.life.left(now)
            && self.token.secret() != other.token.secret()
            && Identity::of(&self.token).is_same_as(&Identity::of(&other.token))
    }

    /// Returns the pause before the next refresh after its receipt. `previous` is the token that it
    /// replaces; `draw` from [0, 1) is the jitter.
    pub(super) fn pause(&self, previous: Option<&Self>, draw: f64) -> Duration {
        let is_newer =
            previous.is_none_or(|previous| self.token.expires_on() > previous.token.expires_on());
        if is_newer {
            // A new token is not refreshed at once either, whatever `refresh_on` or a caller wants.
            pause(draw).min(refresh_after(self.length, None, draw))
        } else {
            pause(draw)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: Duration = Duration::from_secs(3600);

    fn at(wall: u64, monotonic: u64) -> Reading {
        Reading {
            wall: i64::try_from(wall * SECOND).unwrap(),
            monotonic: monotonic * SECOND,
        }
    }

    fn second(at: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(at).unwrap())
    }

    fn token(expires: u64, refresh: Option<u64>) -> AccessToken {
        AccessToken::new("t".to_owned(), second(expires), "Test")
            .with_refresh_on(refresh.map(second))
    }

    fn held(received: u64, expires: u64, refresh: Option<u64>) -> Held {
        let now = at(received, received);
        Held::new(token(expires, refresh), None, now, 0.0).unwrap()
    }

    /// An hour, due 5 minutes before its end.
    fn hour() -> Terms {
        held(0, 3600, None).terms()
    }

    #[test]
    fn pr_20_the_stricter_clock_counts() {
        let life = held(0, 100, None).life;
        assert_eq!(life.left(at(40, 40)), Duration::from_secs(60));
        assert_eq!(
            life.left(at(0, 99)),
            Duration::from_secs(1),
            "the clock was set back"
        );
        assert_eq!(
            life.left(at(99, 0)),
            Duration::from_secs(1),
            "the host slept"
        );
        for over in [at(0, 100), at(100, 0)] {
            assert!(life.is_over(over));
            assert_eq!(hour().decide(at(3600, 0), 0), Decision::Ended);
        }
        assert_eq!(Terms::NOTHING.decide(at(0, 0), 0), Decision::Ended);
        let late = at(1 << 33, 1 << 33);
        assert_eq!(Terms::FOREVER.decide(late, SECOND), Decision::Fresh);
    }

    #[test]
    fn pr_20_a_life_ends_before_another_if_it_does_by_either_clock() {
        let life = |monotonic_end, wall_end| Life {
            monotonic_end,
            wall_end,
        };
        let known = life(10, 10);
        for sooner in [life(9, 10), life(10, 9), life(9, 11), life(11, 9)] {
            assert!(sooner.ends_before(&known), "{sooner:?}");
        }
        for not in [known, life(11, 10), life(10, 11), life(11, 11)] {
            assert!(!not.ends_before(&known), "{not:?}");
        }
    }

    /// PR-23: only what is of more use is worth keeping against a newer token.
    #[test]
    fn pr_23_a_token_outlasts_another_of_its_identity_that_ends_sooner() {
        let now = at(0, 0);
        let held = |secret: &str, by: &str, end| {
            let token = AccessToken::new(secret.to_owned(), second(end), by);
            Held::new(token, None, now, 0.0).unwrap()
        };
        let known = held("a", "Test", 100);
        assert!(known.outlasts(&held("b", "Test", 99), now));
        for (secret, by, end) in [("b", "Test", 100), ("a", "Test", 99), ("b", "Other", 99)] {
            assert!(
                !known.outlasts(&held(secret, by, end), now),
                "{secret} {by} {end}"
            );
        }
    }

    #[test]
    fn pr_22_due_or_short() {
        let decide = |now, wanted| hour().decide(at(now, now), wanted * SECOND);
        assert_eq!(decide(3299, 300), Decision::Fresh);
        assert_eq!(decide(3300, 300), Decision::Due);
        assert_eq!(decide(3300, 301), Decision::Short);
        assert_eq!(decide(1000, 2600), Decision::Fresh);
        assert_eq!(decide(1000, 2601), Decision::Short);
        assert_eq!(decide(3600, 0), Decision::Ended);
    }

    #[test]
    fn pr_23_in_a_pause_nothing_is_due_and_nothing_is_short() {
        let paused = Terms {
            paused_until: 3400 * SECOND,
            ..hour()
        };
        assert_eq!(paused.decide(at(3399, 3399), 600 * SECOND), Decision::Fresh);
        assert_eq!(paused.decide(at(3400, 3400), 0), Decision::Due);
        let ended = Terms {
            paused_until: u64::MAX,
            ..hour()
        };
        assert_eq!(ended.decide(at(3600, 3600), 0), Decision::Ended);
    }

    #[test]
    fn pr_22_while_a_refresh_is_under_way_only_the_short_is_looked_at() {
        let quiet = Terms {
            quiet_until: 3400 * SECOND,
            ..hour()
        };
        assert_eq!(quiet.decide(at(3399, 3399), 201 * SECOND), Decision::Fresh);
        assert_eq!(quiet.decide(at(3399, 3399), 202 * SECOND), Decision::Short);
        assert_eq!(quiet.decide(at(3400, 3400), 0), Decision::Due);
    }

    proptest! {
        /// A token that the fast path returns, by a clock that lags, is fresh by the exact clock.
        #[test]
        fn pr_20_the_fast_path_hands_out_what_is_fresh(
            now in 0..4000 * SECOND,
            lag in 0..=u64::try_from(Reading::LAG.as_nanos()).unwrap(),
            step in -100..100_i64,
            wanted in 0..4000 * SECOND,
            paused in 0..4000 * SECOND,
            quiet in 0..4000 * SECOND,
        ) {
            let terms = Terms { paused_until: paused, quiet_until: quiet, ..hour() };
            let reading = |now: u64| Reading {
                wall: i64::try_from(now).unwrap() + step * 1_000_000_000,
                monotonic: now,
            };
            if terms.are_fresh(reading(now), wanted) {
                prop_assert_eq!(terms.decide(reading(now + lag), wanted), Decision::Fresh);
            }
        }

        /// A token that is fresh for the longest lag is always a hit.
        #[test]
        fn what_stays_fresh_is_handed_out(now in 0..4000 * SECOND, wanted in 0..4000 * SECOND) {
            let reading = |now: u64| Reading {
                wall: i64::try_from(now).unwrap(),
                monotonic: now,
            };
            let lag = u64::try_from(Reading::LAG.as_nanos()).unwrap();
            if hour().decide(reading(now + lag), wanted) == Decision::Fresh {
                prop_assert!(hour().are_fresh(reading(now), wanted));
            }
        }
    }

    #[test]
    fn pr_21_the_moment_of_the_refresh() {
        let minute = HOUR / 60;
        for (life, expected) in [
            (24 * HOUR, 12 * HOUR),
            (2 * HOUR, HOUR),
            (2 * HOUR - minute / 2, HOUR - minute / 4),
            (2 * HOUR - minute, HOUR + 54 * minute),
            (HOUR, 55 * minute),
            (11 * minute, 6 * minute),
            (10 * minute, 5 * minute),
            (4 * minute, 2 * minute),
        ] {
            assert_eq!(
                refresh_after(life, None, 0.0),
                expected,
                "a life of {life:?}"
            );
            assert_eq!(refresh_after(life, None, 0.5), expected - life / 40);
        }
        assert_eq!(refresh_after(HOUR, Some(minute), 0.0), minute);
        assert_eq!(refresh_after(HOUR, Some(minute), 0.5), Duration::ZERO);
    }

    #[test]
    fn pr_25_a_useless_refresh_on_is_ignored() {
        for useless in [0, 50, 1000, 2000] {
            let held = held(50, 1000, Some(useless));
            assert_eq!(held.due_left, 300 * SECOND, "refresh_on {useless}");
            assert_eq!(held.token.refresh_on(), Some(second(700)));
        }
        let now = at(50, 50);
        assert!(
            Held::new(token(50, None), None, now, 0.0).is_none(),
            "it has ended"
        );
    }

    #[test]
    fn pr_21_a_kept_token_has_a_refresh_time() {
        assert_eq!(held(0, 3600, None).token.refresh_on(), Some(second(3300)));
        assert_eq!(held(0, 3600, Some(60)).token.refresh_on(), Some(second(60)));
    }

    #[test]
    fn pr_25_the_same_token_again_is_followed_by_a_pause() {
        let held = |at| held(at, 100, Some(at + 1));
        assert_eq!(held(0).pause(None, 0.0), Duration::from_secs(30));
        assert_eq!(
            held(60).pause(None, 0.0),
            Duration::from_secs(20),
            "half of what is left"
        );
        assert_eq!(held(60).pause(Some(&held(0)), 0.0), Duration::from_secs(30));
    }

    proptest! {
        #[test]
        fn pr_21_within_five_percent(life in 1_u64..10_000_000, draw in 0.0..1.0_f64) {
            let life = Duration::from_millis(life);
            let (latest, drawn) = (refresh_after(life, None, 0.0), refresh_after(life, None, draw));
            prop_assert!(latest >= life / 2 && latest < life);
            prop_assert!(drawn <= latest);
            prop_assert!(latest - drawn <= life / 20);
        }

        #[test]
        fn pr_23_thirty_seconds_with_jitter(draw in 0.0..1.0_f64) {
            prop_assert!(pause(draw) >= PAUSE && pause(draw) <= PAUSE + PAUSE / 5);
        }
    }
}
