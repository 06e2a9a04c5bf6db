//! The clocks of a host.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::BoxFuture;

/// The clocks of a host, and its timers.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of the wall clock. It may be wrong, and may be set in either direction at
    /// any time.
    fn now(&self) -> Timestamp;
    /// Returns the time since a fixed origin. It never decreases and is never set. It may stand
    /// still while the host sleeps.
    fn monotonic(&self) -> Duration;
    /// Returns the time zone of this host, for local times in the output of tools;
    /// [`TimeZone::unknown`] if it is not known.
    fn local_zone(&self) -> TimeZone;
    /// Completes after `duration` of monotonic time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Reads both clocks at once. Called for each token from a cache, so it should be cheap. The
    /// reading may lag behind [`now`](Self::now) and [`monotonic`](Self::monotonic) by up to
    /// [`LAG`](Reading::LAG), and must never be ahead of them. The default implementation calls
    /// these two and has no lag.
    fn read(&self) -> Reading {
        Reading::new(self.now(), self.monotonic())
    }
}

/// Both clocks of a host, read at the same time, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, since 1970. Ends in the year 2262.
    pub wall: i64,
    /// The monotonic clock, since the origin of [`Clock::monotonic`].
    pub monotonic: u64,
}

impl Reading {
    /// The longest lag of a reading: two ticks of the slowest kernel (100 Hz).
    pub const LAG: Duration = Duration::from_millis(20);

    /// Reads `clock` without a lag.
    pub(crate) fn exact(clock: &dyn Clock) -> Self {
        Self::new(clock.now(), clock.monotonic())
    }

    /// Returns the latest time at which this may have been read.
    #[inline]
    pub(crate) fn latest(self) -> Self {
        const LAG: u32 = Reading::LAG.as_nanos() as u32;
        Self {
            wall: self.wall.saturating_add(i64::from(LAG)),
            monotonic: self.monotonic.saturating_add(u64::from(LAG)),
        }
    }

    /// Returns the time of the wall clock `duration` after this reading, rounded down to a whole
    /// second; `None` beyond the calendar.
    pub(crate) fn second_after(self, duration: Duration) -> Option<Timestamp> {
        let later = i128::from(self.wall) + i128::try_from(duration.as_nanos()).ok()?;
        let second = i64::try_from(later.div_euclid(1_000_000_000)).ok()?;
        Timestamp::from_second(second).ok()
    }

    /// Returns the monotonic clock, since its origin.
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_nanos(self.monotonic)
    }

    /// Returns the wall clock.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.wall)).unwrap_or_default()
    }

    /// Returns the time until `at` by the wall clock; zero if `at` is in the past.
    pub(crate) fn until(self, at: Timestamp) -> Duration {
        let nanoseconds = wall_nanoseconds(at).saturating_sub(self.wall);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    }

    /// Creates a reading. Values outside the range saturate.
    pub fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self {
            wall: wall_nanoseconds(wall),
            monotonic: nanoseconds(monotonic),
        }
    }
}

/// Returns `at` in nanoseconds since 1970. Saturates.
pub(crate) fn wall_nanoseconds(at: Timestamp) -> i64 {
    let since_1970 = at.as_nanosecond();
    i64::try_from(since_1970).unwrap_or(if since_1970 < 0 { i64::MIN } else { i64::MAX })
}

/// Returns `duration` in nanoseconds. Saturates at 584 years.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
