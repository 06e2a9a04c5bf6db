//! The times in the life of an authenticated connection.

use std::time::Duration;

use jiff::Timestamp;

use super::options::ConnectionOptions;
use crate::{
    Platform,
    platform::{Reading, wall_nanoseconds},
    redis::RedisCredentials,
};

/// A new token must reach the server this long before the old one ends (RS-40).
const LEAD: Duration = Duration::from_secs(180);

/// The wait after a refused token: the first value, doubled up to the second.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How long a blocking command may last at a time once the lead is used up.
const LATE_SLICE: Duration = Duration::from_secs(5);

/// The shortest time that a blocking command is sent with: its time is named in milliseconds.
const LEAST_SLICE: Duration = Duration::from_millis(1);

/// The time for which a connection may run on a token. Times are of the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    end: Duration,
    /// Nanoseconds since 1970 by the wall clock.
    ends_on: i64,
    /// When transactions and blocking commands must have ended.
    close_down: Duration,
    /// The latest time at which the next `AUTH` should be sent, with some spread.
    due: Duration,
}

impl Term {
    /// Returns the term of a token for a connection that is about to send it. The remaining life by
    /// both clocks counts, because the wall clock may have been set since the token came (PR-20).
    pub fn begin(
        platform: &Platform,
        credentials: &RedisCredentials,
        options: &ConnectionOptions,
    ) -> Self {
        let now = platform.clock.monotonic();
        let left = credentials.remaining(&*platform.clock);
        let unit = platform.random.unit("redis/blocking");
        Self::of(now, left, credentials.expires_on(), options, unit)
    }

    fn of(
        now: Duration,
        left: Duration,
        ends_on: Timestamp,
        options: &ConnectionOptions,
        unit: f64,
    ) -> Self {
        let margin = options.transaction_margin.min(left / 10);
        let lead = LEAD.saturating_add(options.auth_timeout);
        let lead = if lead <= left { lead } else { left / 2 };
        // Connections that block until this time must not all re-authenticate at once either.
        let early = options.spread.min((left - lead) / 4);
        Self {
            end: now + left,
            ends_on: wall_nanoseconds(ends_on),
            close_down: now + left - margin,
            due: now + left - lead - early.mul_f64(unit.clamp(0.0, 1.0)),
        }
    }

    /// Whether the token has ended by either clock (PR-20).
    pub fn is_over(&self, platform: &Platform) -> bool {
        // Every command asks. Long before the end, the clock that may lag is good enough.
        let latest = platform.clock.read().latest();
        self.is_over_at(latest) && self.is_over_at(Reading::exact(&*platform.clock))
    }

    fn is_over_at(&self, now: Reading) -> bool {
        now.elapsed() >= self.end || now.wall >= self.ends_on
    }

    /// Returns when the token ends.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// Returns when an open transaction is given up.
    pub fn close_down(&self) -> Duration {
        self.close_down
    }

    /// Returns when to send a token that has just come. `unit` is a random number in [0, 1).
    ///
    /// The time is within the spread, and 3 minutes before the old token ends if that is possible,
    /// otherwise in the first half of its remaining life (PR-35).
    pub fn place(&self, now: Duration, options: &ConnectionOptions, unit: f64) -> Duration {
        let window = match self.end.checked_sub(now + LEAD) {
            Some(room) => room.saturating_sub(options.auth_timeout.min(room / 2)),
            None => self.end.saturating_sub(now) / 2,
        };
        now + options.spread.min(window).mul_f64(unit.clamp(0.0, 1.0))
    }

    /// Returns how long a blocking command may last from `now` on; `None` when none may begin.
    pub fn slice(&self, now: Duration) -> Option<Duration> {
        let until = match now + LEAST_SLICE <= self.due {
            true => self.due,
            false => self.close_down.min(now + LATE_SLICE),
        };
        until.checked_sub(now).filter(|slice| *slice >= LEAST_SLICE)
    }
}

/// Returns the wait after the `refused`-th refusal in a row, counted from 1: 1 s, doubled up to 30
/// s.
pub(super) fn retry_after(refused: u32) -> Duration {
    let doubled = RETRY.0 * 2_u32.saturating_pow(refused.saturating_sub(1));
    doubled.min(RETRY.1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{ConnectionOptions, LEAD, Term, retry_after};

    fn term(left: u64) -> Term {
        let options = ConnectionOptions::default();
        Term::of(
            Duration::from_secs(1000),
            Duration::from_secs(left),
            Timestamp::MAX,
            &options,
            0.0,
        )
    }

    proptest! {
        #[test]
        fn a_new_token_is_sent_in_time(left in 1_u64..90_000, late in 0.0..1.0_f64, unit in 0.0..1.0_f64) {
            let (term, options) = (term(left), ConnectionOptions::default());
            let now = Duration::from_secs(1000) + Duration::from_secs(left).mul_f64(late);
            let at = term.place(now, &options, unit);
            prop_assert!(at >= now && at <= now + options.spread);
            let room = term.end - now;
            if room > LEAD {
                prop_assert!(at <= term.end - LEAD);
            } else {
                prop_assert!(at <= now + room / 2);
            }
        }

        #[test]
        fn blocking_commands_end_in_time(left in 1_u64..90_000, late in 0.0..1.0_f64) {
            let term = term(left);
            let now = Duration::from_secs(1000) + Duration::from_secs(left).mul_f64(late);
            match term.slice(now) {
                Some(slice) => prop_assert!(now + slice <= term.close_down),
                None => prop_assert!(now + Duration::from_millis(1) > term.close_down),
            }
            prop_assert!(term.close_down <= term.end);
            prop_assert!(term.end - term.close_down <= Duration::from_secs(left) / 10);
        }
    }

    #[test]
    fn tokens_of_every_length_leave_time() {
        let day = term(86_400);
        assert_eq!(day.close_down, day.end - Duration::from_secs(5));
        assert_eq!(day.due, day.end - Duration::from_secs(190));
        let short = term(10);
        assert_eq!(short.close_down, short.end - Duration::from_secs(1));
        assert_eq!(short.due, short.end - Duration::from_secs(5));
        let just_enough = term(190);
        assert_eq!(just_enough.due, just_enough.end - Duration::from_secs(190));
        let waits: Vec<u64> = (1..8).map(|n| retry_after(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(retry_after(u32::MAX), Duration::from_secs(30));
    }

    /// RS-40: connections that block do not all stop at once, and none because of that too late.
    #[test]
    fn the_latest_time_is_spread_over_a_quarter_of_what_is_left() {
        let options = ConnectionOptions::default();
        for (left, early) in [(190 + 40, 10), (86_400, 60)] {
            let of = |unit| {
                let (now, left) = (Duration::from_secs(1000), Duration::from_secs(left));
                Term::of(now, left, Timestamp::MAX, &options, unit).due
            };
            let early = options.spread.min(Duration::from_secs(early));
            assert_eq!(of(0.0) - of(1.0), early, "a life of {left} s");
        }
    }

    /// RS-40: the answer to a late `AUTH` comes before the last 3 minutes, too.
    #[test]
    fn the_spread_leaves_time_for_an_answer() {
        let options = ConnectionOptions::default();
        let second = Duration::from_secs;
        for (room, most) in [(60, 50), (10, 5), (600, 60)] {
            let term = term(180 + room);
            let now = term.end - LEAD - second(room);
            let at = term.place(now, &options, 1.0);
            assert_eq!(at - now, second(most), "{room} s before the last 3 minutes");
        }
    }

    #[test]
    fn the_shortest_slice_is_a_millisecond() {
        let (term, least) = (term(86_400), Duration::from_millis(1));
        assert_eq!(term.slice(term.due - least), Some(least));
        assert_eq!(term.slice(term.due), Some(Duration::from_secs(5)));
        assert_eq!(term.slice(term.close_down - least), Some(least));
        assert_eq!(term.slice(term.close_down - least / 2), None);
        assert_eq!(term.slice(term.end), None);
    }
}
