//! The clocks of the real machine.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::platform::{BoxFuture, Clock, Reading};

pub(super) struct SystemClock(machine::Origin);

impl SystemClock {
    pub(super) fn new() -> Self {
        Self(machine::Origin::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn local_zone(&self) -> TimeZone {
        TimeZone::system()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn read(&self) -> Reading {
        self.0.read()
    }
}

/// Linux has coarse clocks, which advance with the kernel's ticks; reading one costs a fifth of an
/// exact one.
#[cfg(target_os = "linux")]
mod machine {
    use std::{cell::Cell, time::Duration};

    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::Reading;

    /// The exact monotonic clock at the creation; both the exact and the coarse clock count from
    /// here.
    pub(super) struct Origin(u64);

    thread_local! {
        /// A tick of the monotonic clock, and the wall clock at that tick. Both advance together,
        /// so the wall clock is read once per tick.
        static WALL: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
    }

    impl Origin {
        pub(super) fn now() -> Self {
            Self(monotonic(ClockId::Monotonic))
        }

        pub(super) fn elapsed(&self) -> Duration {
            Duration::from_nanos(monotonic(ClockId::Monotonic).saturating_sub(self.0))
        }

        #[inline]
        pub(super) fn read(&self) -> Reading {
            let tick = monotonic(ClockId::MonotonicCoarse);
            let (known, mut wall) = WALL.get();
            if known != tick {
                wall = nanoseconds(clock_gettime(ClockId::RealtimeCoarse));
                WALL.set((tick, wall));
            }
            Reading {
                wall,
                monotonic: tick.saturating_sub(self.0),
            }
        }
    }

    #[inline]
    fn monotonic(clock: ClockId) -> u64 {
        u64::try_from(nanoseconds(clock_gettime(clock))).unwrap_or(0)
    }

    #[inline]
    fn nanoseconds(time: Timespec) -> i64 {
        time.tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(time.tv_nsec)
    }
}

/// Other systems: reads the exact clocks.
#[cfg(not(target_os = "linux"))]
mod machine {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::Reading;

    pub(super) struct Origin(Instant);

    impl Origin {
        pub(super) fn now() -> Self {
            Self(Instant::now())
        }

        pub(super) fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }

        pub(super) fn read(&self) -> Reading {
            Reading::new(Timestamp::now(), self.elapsed())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

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
            // On a busy machine some readings may be later.
            let wall_lag = before.wall.saturating_sub(read.wall);
            let monotonic_lag = before.monotonic.saturating_sub(read.monotonic);
            in_time +=
                u32::from(monotonic_lag <= lag && u64::try_from(wall_lag).is_ok_and(|l| l <= lag));
        }
        assert!(in_time > 0);
        assert!(clock.read().monotonic > 0, "it moves");
    }
}
