//! How long a token is good for, and when it is renewed (PR-20, PR-21, PR-25).

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    AccessToken,
    chain::Identity,
    hit::Terms,
    platform::{Clock, nanoseconds, wall_nanoseconds},
};

/// How long a refresh that failed, or brought nothing newer, is not repeated (PR-23, PR-25).
pub(crate) const PAUSE: Duration = Duration::from_secs(30);

/// A token of at least this life is renewed at half of it (PR-21).
const LONG_LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// What a token may have lost of its life on the way: as long as an attempt may take (PR-15). A
/// token that was issued for exactly two hours is a long one, although less is left at its receipt.
const ON_THE_WAY: Duration = Duration::from_secs(30);

/// A token of a shorter life is renewed this long before its end, or at half of its life (PR-21).
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The share of its life by which the refresh of a token is brought forward, at most (PR-21).
const SPREAD: f64 = 0.05;

/// One moment by both clocks of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) wall: Timestamp,
    pub(crate) monotonic: Duration,
}

impl Moment {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    /// How far away `at` is; zero if it is past.
    pub(crate) fn until(self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.wall)).unwrap_or_default()
    }
}

/// The life of a token, from its receipt to its end.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    received: Duration,
    length: Duration,
    end: Timestamp,
}

impl Life {
    /// That of `token` as received at `now`; `None` if it has ended already.
    pub(crate) fn of(token: &AccessToken, now: Moment) -> Option<Self> {
        let end = token.expires_on();
        let length = now.until(end);
        (!length.is_zero()).then_some(Self {
            received: now.monotonic,
            length,
            end,
        })
    }

    /// This life, received at `now`, as that of a token whose `known` life has begun before: the
    /// same token again does not live anew, whatever the wall clock says now (PR-20). `None` if it
    /// has ended already.
    pub(crate) fn continuing(self, known: Self, now: Moment) -> Option<Self> {
        let length = self.length.min(known.left(now));
        (!length.is_zero()).then_some(Self { length, ..self })
    }

    /// What is left of it by both clocks, so by the stricter one (PR-20).
    pub(crate) fn left(&self, now: Moment) -> Duration {
        let by_monotonic = self
            .length
            .saturating_sub(now.monotonic.saturating_sub(self.received));
        by_monotonic.min(now.until(self.end))
    }

    pub(crate) fn is_over(&self, now: Moment) -> bool {
        self.left(now).is_zero()
    }

    /// Those of something that is good for this life.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            monotonic_end: nanoseconds(self.received.saturating_add(self.length)),
            wall_end: wall_nanoseconds(self.end),
            ..Terms::NOTHING
        }
    }
}

/// A token in a cache.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) token: AccessToken,
    pub(super) life: Life,
    /// From its receipt to the moment of its refresh.
    refresh_after: Duration,
}

impl Held {
    /// `token` as received at `now`; `None` if it has ended already. `known` is its life if it was
    /// received before, `draw` of [0, 1) places the refresh.
    pub(super) fn new(
        token: AccessToken,
        known: Option<Life>,
        now: Moment,
        draw: f64,
    ) -> Option<Self> {
        let life = Life::of(&token, now)?;
        let life = match known {
            Some(known) => life.continuing(known, now)?,
            None => life,
        };
        // A moment that is past, or after the end, says nothing: a source that gives the same
        // token again would be asked without end, or never.
        let wanted = token
            .refresh_on()
            .map(|at| now.until(at))
            .filter(|wait| !wait.is_zero() && *wait < life.length);
        let refresh_after = refresh_after(life.length, wanted, draw);
        Some(Self {
            token,
            life,
            refresh_after,
        })
    }

    /// How long it is still valid (PR-20).
    pub(super) fn left(&self, now: Moment) -> Duration {
        self.life.left(now)
    }

    /// Until when it may be handed out without a closer look; for as long as it stands alone.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            due_left: nanoseconds(self.life.length.saturating_sub(self.refresh_after)),
            ..self.life.terms()
        }
    }

    /// Whether it is of more use than `other`: another token of the same identity that ends sooner.
    pub(super) fn outlasts(&self, other: &Self, now: Moment) -> bool {
        self.left(now) > other.left(now)
            && self.token.secret() != other.token.secret()
            && Identity::of(&self.token) == Identity::of(&other.token)
    }

    /// Whether the moment of its refresh has come, when `left` of it is left.
    pub(super) fn is_due(&self, left: Duration) -> bool {
        left <= self.life.length.saturating_sub(self.refresh_after)
    }

    /// How long after its receipt no other is asked for. `previous` is the token that it replaces,
    /// `draw` of [0, 1) the jitter.
    pub(super) fn pause(&self, previous: Option<&Self>, draw: f64) -> Duration {
        let is_newer =
            previous.is_none_or(|previous| self.token.expires_on() > previous.token.expires_on());
        if is_newer {
            // Whatever its source or its caller wants, not in a loop.
            pause(draw).min(refresh_after(self.life.length, None, draw))
        } else {
            pause(draw)
        }
    }
}

/// Half of the life of a token that was asked for at `sent` and ends at `expires_on`, if that is a
/// long one (PR-21).
pub(crate) fn half_of_a_long_life(sent: Timestamp, expires_on: Timestamp) -> Option<Timestamp> {
    let life = Duration::try_from(expires_on.duration_since(sent)).ok()?;
    (life + ON_THE_WAY >= LONG_LIFE).then(|| sent.checked_add(life / 2).ok())?
}

/// How long nothing is tried after a refresh that brought nothing: 30 s with jitter, but never
/// less than those 30 s.
pub(super) fn pause(draw: f64) -> Duration {
    PAUSE + PAUSE.mul_f64(0.2 * draw)
}

/// From the receipt of a token to its refresh (PR-21): `wanted` if its source gave it, else by its
/// `life`, in both cases brought forward by `draw` of [0, 1) times 5 % of its life.
pub(super) fn refresh_after(life: Duration, wanted: Option<Duration>, draw: f64) -> Duration {
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn moment(seconds: u64) -> Moment {
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds as i64);
        Moment {
            wall,
            monotonic: Duration::from_secs(seconds),
        }
    }

    fn token(expires: u64, refresh: Option<u64>) -> AccessToken {
        let at = |seconds| moment(seconds).wall;
        AccessToken::new("t".to_owned(), at(expires), "Test").with_refresh_on(refresh.map(at))
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
    fn pr_20_the_stricter_clock_counts() {
        let held = Held::new(token(100, None), None, moment(0), 0.0).unwrap();
        let at = |wall, monotonic| Moment {
            wall: moment(wall).wall,
            ..moment(monotonic)
        };
        assert_eq!(held.left(at(40, 40)), Duration::from_secs(60));
        assert_eq!(
            held.left(at(0, 99)),
            Duration::from_secs(1),
            "the clock was set back"
        );
        assert_eq!(
            held.left(at(99, 0)),
            Duration::from_secs(1),
            "the host slept"
        );
        assert_eq!(held.left(at(0, 100)), Duration::ZERO);
        assert_eq!(held.left(at(100, 0)), Duration::ZERO);
    }

    #[test]
    fn pr_25_a_useless_refresh_on_is_ignored() {
        for useless in [0, 50, 1000, 2000] {
            let held = Held::new(token(1000, Some(useless)), None, moment(50), 0.0).unwrap();
            assert_eq!(
                held.refresh_after,
                Duration::from_secs(650),
                "refresh_on {useless}"
            );
        }
        assert!(
            Held::new(token(50, None), None, moment(50), 0.0).is_none(),
            "it has ended"
        );
    }

    #[test]
    fn pr_25_the_same_token_again_is_followed_by_a_pause() {
        let held = |at| Held::new(token(100, Some(at + 1)), None, moment(at), 0.0).unwrap();
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
