//! One moment by both clocks of a host.

use std::time::Duration;

use jiff::Timestamp;

use crate::platform::{Clock, Reading};

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

impl From<Moment> for Reading {
    fn from(moment: Moment) -> Self {
        Self::new(moment.wall, moment.monotonic)
    }
}
