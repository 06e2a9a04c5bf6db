//! Real time: how long the command itself takes. Nothing inside a world sees it.

use std::time::{Duration, Instant};

/// Started once, read whenever.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[allow(
        clippy::disallowed_methods,
        reason = "measures the command, outside of any world"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn read(self) -> Duration {
        self.0.elapsed()
    }
}
