//! The clocks of the real machine.

use std::time::{Duration, Instant};

use jiff::{Timestamp, tz::TimeZone};

use crate::platform::{BoxFuture, Clock, Reading};

pub(super) struct SystemClock {
    origin: Instant,
    /// What the coarse monotonic clock showed then.
    coarse: coarse::Origin,
}

impl SystemClock {
    pub(super) fn new() -> Self {
        Self {
            coarse: coarse::Origin::now(),
            origin: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn local_zone(&self) -> TimeZone {
        TimeZone::system()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn read(&self) -> Reading {
        coarse::read(self)
    }
}

/// The clocks that Linux advances with each of its ticks cost a fifth of the exact ones.
#[cfg(target_os = "linux")]
mod coarse {
    use std::cell::Cell;

    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::{Reading, SystemClock};

    #[derive(Clone, Copy)]
    pub(super) struct Origin(u64);

    impl Origin {
        /// Taken from the exact clock: a coarse one lags, and what it shows later is counted from
        /// here.
        pub(super) fn now() -> Self {
            Self(nanoseconds(clock_gettime(ClockId::Monotonic)))
        }
    }

    thread_local! {
        /// What the wall clock showed at this tick: both move together, so one look a tick will do.
        static WALL: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
    }

    pub(super) fn read(clock: &SystemClock) -> Reading {
        let tick = nanoseconds(clock_gettime(ClockId::MonotonicCoarse));
        let (known, mut wall) = WALL.get();
        if known != tick {
            wall = wall_nanoseconds(clock_gettime(ClockId::RealtimeCoarse));
            WALL.set((tick, wall));
        }
        Reading {
            wall,
            monotonic: tick.saturating_sub(clock.coarse.0),
        }
    }

    fn nanoseconds(time: Timespec) -> u64 {
        u64::try_from(wall_nanoseconds(time)).unwrap_or(0)
    }

    fn wall_nanoseconds(time: Timespec) -> i64 {
        time.tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(time.tv_nsec)
    }
}

/// Elsewhere the exact clocks are read.
#[cfg(not(target_os = "linux"))]
mod coarse {
    use super::{Clock as _, Reading, SystemClock};

    #[derive(Clone, Copy)]
    pub(super) struct Origin;

    impl Origin {
        pub(super) fn now() -> Self {
            Self
        }
    }

    pub(super) fn read(clock: &SystemClock) -> Reading {
        Reading::new(clock.now(), clock.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::nanoseconds;

    #[test]
    fn a_reading_lags_a_little_and_is_never_ahead() {
        let clock = SystemClock::new();
        let exact = || Reading::new(clock.now(), clock.monotonic());
        let lag = nanoseconds(Reading::LAG);
        let start = Instant::now();
        let mut in_time = 0;
        while start.elapsed() < Duration::from_millis(50) {
            let (before, read, after) = (exact(), clock.read(), exact());
            assert!(read.monotonic <= after.monotonic, "{read:?} {after:?}");
            assert!(read.wall <= after.wall, "{read:?} {after:?}");
            // A machine that was held up may be later with a few of them.
            let wall_lag = before.wall.saturating_sub(read.wall);
            let monotonic_lag = before.monotonic.saturating_sub(read.monotonic);
            in_time +=
                u32::from(monotonic_lag <= lag && u64::try_from(wall_lag).is_ok_and(|l| l <= lag));
        }
        assert!(in_time > 0);
        assert!(clock.read().monotonic > 0, "it moves");
    }
}
