//! The sockets and the clock of this machine, loopback only.
//!
//! Every port that a host listens on is a port of 127.0.0.1, chosen by the operating system and
//! known to the other hosts by name. There is no way to make it listen anywhere else.

mod gate;
mod hosts;
mod signals;
mod socket;

use std::{io, sync::Arc, time::Duration};

use tokio::net::TcpStream;

use super::{
    EngineError, Host, Network, Runtime, Stream, World, task::guarded, watchdog::on_its_thread,
};
use hosts::{Hosts, LiveControl, Place};
pub use signals::interrupted;
pub use socket::{breathe, dial, listen};

/// How often the code of a host may be polled before it listens.
const READY_AFTER: u32 = 16;

/// How often a world looks whether it has reached a limit.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A socket of this machine as a stream.
///
/// # Errors
/// The socket is broken.
pub fn stream(tcp: TcpStream) -> io::Result<Stream> {
    Ok(Box::new(socket::free(tcp)?))
}

/// Plays `world` on a thread of its own, in real time.
///
/// # Errors
/// See [`Engine::play`](super::Engine::play).
pub fn play(world: World) -> Result<(), EngineError> {
    // Its clock is this machine's. A world that still plays then does not even see its horizon.
    let (seed, stall_limit) = (world.seed, world.horizon + world.stall_limit);
    let budget = world.budget.clone();
    on_its_thread("live", seed, stall_limit, &budget, move || {
        on_this_thread(world)
    })
}

fn on_this_thread(world: World) -> Result<(), EngineError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| EngineError(format!("the world's runtime could not be built: {e}")))?;
    let ended = runtime.block_on(until_its_end(world));
    // A blocking file operation that still runs must not keep the world from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn until_its_end(world: World) -> Result<(), EngineError> {
    let World {
        horizon,
        servers,
        driver: (driver_name, drive),
        budget,
        ..
    } = world;
    if interrupted().is_some() {
        return Err(EngineError("a signal has ended this process".to_owned()));
    }
    let hosts = Hosts::new(&driver_name);
    let signals = signals::Signals::listen();
    for (name, main) in servers {
        hosts.start(&name, main);
    }
    // As in the other engines, services that run from the beginning listen before the first call.
    for _ in 0..READY_AFTER {
        tokio::task::yield_now().await;
    }
    let place = Arc::new(Place::new(&hosts, &driver_name));
    let noticed = hosts.clone();
    let watch = async move { noticed.interrupt(signals.came().await) };
    let _watch = place.spawn(Box::pin(watch));
    let host = Host {
        name: driver_name.as_str().into(),
        network: place.clone() as Arc<dyn Network>,
        runtime: place.clone(),
    };
    let failed = hosts.failed();
    let story = guarded(drive(host, Arc::new(LiveControl::new(&hosts))), {
        let hosts = hosts.clone();
        move |why| hosts.fail(why)
    });
    let too_long = place.sleep(horizon);
    let clock = place.clone();
    let at_a_limit = async move {
        while !budget.is_over() {
            let now = clock.elapsed().as_nanos();
            budget.moved(u64::try_from(now).unwrap_or(u64::MAX));
            clock.sleep(LOOK_AGAIN).await;
        }
    };
    let ended = tokio::select! { biased;
        why = failed => Err(EngineError(why)),
        // The watchdog knows which limit it is.
        () = at_a_limit => Ok(()),
        () = story => hosts.failure().map_or(Ok(()), |why| Err(EngineError(why))),
        () = too_long => Err(EngineError(format!(
            "the world did not end within its limit of {} s",
            horizon.as_secs()
        ))),
    };
    hosts.stop_all();
    ended
}
