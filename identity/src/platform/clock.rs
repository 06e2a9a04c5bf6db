//! Time, as one host sees it.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::BoxFuture;

/// Time, as one host sees it.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, UTC. It may be wrong, and it may be stepped in either direction.
    fn now(&self) -> Timestamp;
    /// Time since some fixed origin. Never goes back and is never stepped.
    fn monotonic(&self) -> Duration;
    /// The zone that local times of this host are written in; [`TimeZone::unknown`] where nothing
    /// tells it.
    fn local_zone(&self) -> TimeZone;
    /// Completes after `duration` of monotonic time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Reads both clocks at once, for callers that do so very often. The reading may lag behind
    /// [`now`](Self::now) and [`monotonic`](Self::monotonic) by [`LAG`](Reading::LAG), and is never
    /// ahead of them.
    /// Default: no lag.
    fn read(&self) -> Reading {
        Reading::new(self.now(), self.monotonic())
    }
}

/// Both clocks of a host at one moment, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since 1970, until the year 2262.
    pub wall: i64,
    /// Since the origin of [`Clock::monotonic`].
    pub monotonic: u64,
}

impl Reading {
    /// How far behind a reading may be: two ticks of the slowest kernel (100 Hz).
    pub const LAG: Duration = Duration::from_millis(20);

    /// What `clock` shows at this moment, without a lag.
    pub(crate) fn exact(clock: &dyn Clock) -> Self {
        Self::new(clock.now(), clock.monotonic())
    }

    /// The latest moment that it may have been when this was read.
    #[inline]
    pub(crate) fn latest(self) -> Self {
        const LAG: u32 = Reading::LAG.as_nanos() as u32;
        Self {
            wall: self.wall.saturating_add(i64::from(LAG)),
            monotonic: self.monotonic.saturating_add(u64::from(LAG)),
        }
    }

    /// The whole second of the wall clock at or before `duration` from now; `None` beyond its
    /// calendar.
    pub(crate) fn second_after(self, duration: Duration) -> Option<Timestamp> {
        let later = i128::from(self.wall) + i128::try_from(duration.as_nanos()).ok()?;
        let second = i64::try_from(later.div_euclid(1_000_000_000)).ok()?;
        Timestamp::from_second(second).ok()
    }

    /// The monotonic clock, since its origin.
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_nanos(self.monotonic)
    }

    /// The wall clock.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.wall)).unwrap_or_default()
    }

    /// How far away `at` is by the wall clock; zero if it is past.
    pub(crate) fn until(self, at: Timestamp) -> Duration {
        let nanoseconds = wall_nanoseconds(at).saturating_sub(self.wall);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    }

    /// The reading of these two clocks.
    pub fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self {
            wall: wall_nanoseconds(wall),
            monotonic: nanoseconds(monotonic),
        }
    }
}

/// What a wall clock that shows `at` reads.
pub(crate) fn wall_nanoseconds(at: Timestamp) -> i64 {
    let since_1970 = at.as_nanosecond();
    i64::try_from(since_1970).unwrap_or(if since_1970 < 0 { i64::MIN } else { i64::MAX })
}

/// What is longer than 584 years is that long.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
