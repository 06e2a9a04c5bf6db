//! The machine's clock and randomness, as the thread of a world sees them.

use std::{any::Any, time::Duration};

use credsim::subject::MachineClock;
use jiff::Timestamp;

/// Replaces the C library's functions, on Linux with glibc.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interposed;

impl MachineClock for Interposed {
    fn enter(&self, wall: Timestamp, seed: u64) -> Result<Box<dyn Any>, String> {
        let world = credsim_interpose::enter(since_1970(wall), seed);
        // It would seed itself from the number of this thread, which is another one in each run.
        fastrand::seed(seed);
        world
            .map(|world| Box::new(world) as Box<dyn Any>)
            .map_err(|error| error.to_string())
    }

    fn show(&self, wall: Timestamp, elapsed: Duration) {
        credsim_interpose::show(since_1970(wall), elapsed);
    }
}

/// A date before 1970 is no date of these clients.
fn since_1970(wall: Timestamp) -> Duration {
    Duration::try_from(wall.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}
