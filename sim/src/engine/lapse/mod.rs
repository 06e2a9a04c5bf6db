//! The event-driven engine: virtual time that costs nothing while nothing happens.
//!
//! One world is one fresh OS thread with one current-thread tokio runtime whose clock is paused
//! and which has no I/O driver, so a real socket is an error. Bytes travel through an in-memory
//! fabric; its events are delivered in exact (nanosecond, sequence) order at the moment when the
//! runtime is about to park, and the clock then jumps to the next one.

mod connection;
mod driver;
mod fabric;
mod host;
mod state;
mod stream;

use std::sync::Arc;

use super::{EngineError, Surroundings, World, task::on_own_thread};
use fabric::Fabric;

/// The one-way latency of every link.
const LATENCY: std::time::Duration = std::time::Duration::from_millis(1);

/// Plays `world` on a thread of its own, within `surroundings` if there are any.
///
/// # Errors
/// See [`Engine::play`](super::Engine::play).
pub fn play(world: World, surroundings: Option<Arc<dyn Surroundings>>) -> Result<(), EngineError> {
    on_own_thread("lapse", || on_this_thread(world, surroundings))
}

fn on_this_thread(
    world: World,
    surroundings: Option<Arc<dyn Surroundings>>,
) -> Result<(), EngineError> {
    let World {
        horizon,
        servers,
        driver: (driver_name, drive),
        ..
    } = world;
    // Entered before the runtime is made and left after it is gone: it keeps an instant, too.
    let _entered = surroundings.as_ref().map(|it| it.enter()).transpose()?;
    let fabric = Fabric::new(LATENCY);
    let runtime = driver::paused_runtime(&fabric, surroundings)
        .map_err(|e| EngineError(format!("no runtime for the world: {e}")))?;
    runtime.block_on(async {
        let _driving = driver::start(&fabric);
        for (name, main) in servers {
            host::start(&fabric, &name, Some(main));
        }
        let host = host::start(&fabric, &driver_name, None);
        let story = drive(host, Arc::new(host::LapseControl::new(fabric.clone())));
        // Biased: a story that ends exactly at its horizon has ended.
        let outcome = tokio::select! { biased;
            why = fabric.failure() => Err(EngineError(why)),
            () = story => Ok(()),
            () = fabric.sleep(horizon) => Err(EngineError(format!(
                "the world did not end within its {} s: something waits for what never comes",
                horizon.as_secs()
            ))),
        };
        fabric.close();
        outcome
    })
}
