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
mod outside;
mod state;
mod stream;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{EngineError, Surroundings, World, watchdog::on_its_thread};
use fabric::Fabric;

/// The one-way latency of every link.
const LATENCY: std::time::Duration = std::time::Duration::from_millis(1);

/// How many worlds have been played.
static WORLDS: AtomicU64 = AtomicU64::new(0);

/// Plays `world` on a thread of its own, within `surroundings` if there are any.
///
/// # Errors
/// See [`Engine::play`](super::Engine::play).
pub fn play(world: World, surroundings: Option<Arc<dyn Surroundings>>) -> Result<(), EngineError> {
    let (seed, stall_limit) = (world.seed, world.stall_limit);
    let budget = world.budget.clone();
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    // The name is no longer than Linux keeps one: see `outside`.
    on_its_thread(
        &format!("lapse-{}", number % 1_000_000_000),
        seed,
        stall_limit,
        &budget,
        move || on_this_thread(number, world, surroundings),
    )
}

fn on_this_thread(
    number: u64,
    world: World,
    surroundings: Option<Arc<dyn Surroundings>>,
) -> Result<(), EngineError> {
    let World {
        horizon,
        servers,
        driver: (driver_name, drive),
        budget,
        ..
    } = world;
    // Entered before the runtime is made and left after it is gone: it keeps an instant, too.
    let _entered = surroundings.as_ref().map(|it| it.enter()).transpose()?;
    outside::enter(number);
    let fabric = Fabric::new(LATENCY, budget);
    let runtime = driver::paused_runtime(&fabric, surroundings)
        .map_err(|e| EngineError(format!("the world's runtime could not be built: {e}")))?;
    let outcome = runtime.block_on(async {
        let _driving = driver::start(&fabric);
        for (name, main) in servers {
            host::start(&fabric, &name, Some(main));
        }
        let host = host::start(&fabric, &driver_name, None);
        let story = drive(host, Arc::new(host::LapseControl::new(fabric.clone())));
        let story = outside::watched(&fabric, story);
        // Biased: a story that ends exactly at its horizon has ended.
        let outcome = tokio::select! { biased;
            why = fabric.failure() => Err(EngineError(why)),
            () = story => Ok(()),
            () = fabric.sleep(horizon) => Err(EngineError(format!(
                "the world did not end within its limit of {} s: a task waits for something that never happens",
                horizon.as_secs()
            ))),
        };
        fabric.close();
        outcome
    });
    drop(runtime);
    let too_late = fabric.forget_wakers();
    outcome?;
    let failure = too_late.or_else(outside::left_behind);
    failure.map_or(Ok(()), |why| Err(EngineError(why)))
}

/// What is wrong with work on another thread.
fn on_another_thread(what: &str) -> String {
    format!(
        "a client does work on another thread ({what}): virtual time does not wait for other \
         threads, so nothing that follows can be trusted; let it do the work in a task"
    )
}
