//! A world for code that asks the machine for the time and for random bytes.

use std::{any::Any, time::Duration};

use jiff::Timestamp;

/// What a world's clock shows; see [`enter`].
pub fn show(wall: Timestamp, elapsed: Duration) {
    credsim_interpose::show(since_1970(wall), elapsed);
}

/// Begins a world on this thread whose wall clock shows `wall`; it ends when the guard is dropped.
///
/// # Errors
/// This machine can't do it, in words.
pub fn enter(wall: Timestamp, seed: u64) -> Result<Box<dyn Any>, String> {
    let world = credsim_interpose::enter(since_1970(wall), seed);
    // It would seed itself from the number of this thread, which is another one in each run.
    fastrand::seed(seed);
    world
        .map(|world| Box::new(world) as Box<dyn Any>)
        .map_err(|error| error.to_string())
}

/// A date before 1970 is no date of these clients.
fn since_1970(wall: Timestamp) -> Duration {
    Duration::try_from(wall.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}
