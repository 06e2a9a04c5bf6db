//! From a new token to a thousand connections that run on it.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use credsim::engine::{Engine, Runtime};
use credsim_identity::redis::{
    EntraIdCredentialsProvider, RedisEvent, RedisObserver,
    connection::{ConnectionOptions, EntraConnection, RedisEndpoint},
};
use tokio::sync::Notify;

use crate::{Effort, Outcome, median::Median, server::Server, world};

const CONNECTIONS: usize = 1000;

pub fn run(effort: Effort) -> Outcome {
    for spread in [Duration::ZERO, ConnectionOptions::default().spread] {
        let (mut wall, mut time) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            let (real, passed) = in_lapse(spread)?;
            wall.push(real);
            time.push(passed);
        }
        println!(
            "renewal, lapse, spread {} s: {CONNECTIONS} connections after {}, virtual, and {}, real, in {} \
             worlds",
            spread.as_secs(),
            Median::of(time).show(shown),
            Median::of(wall).show(shown),
            effort.rounds,
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(on_a_real_server(effort))
}

fn shown(seconds: f64) -> String {
    match seconds < 1.0 {
        true => format!("{:.1} ms", seconds * 1e3),
        false => format!("{seconds:.2} s"),
    }
}

/// Real seconds and virtual ones.
fn in_lapse(spread: Duration) -> Outcome<(f64, f64)> {
    let watch = Arc::new(Watch::default());
    let watching = Arc::clone(&watch);
    world::play(Engine::Lapse, watch, move |cast| async move {
        let _ = watching.world.set(cast.host.runtime.clone());
        let _connections = connect(&cast.provider, &cast.endpoint, spread).await?;
        Ok(watching.next().await)
    })
}

async fn on_a_real_server(effort: Effort) -> Outcome {
    let Some(server) = Server::start().await? else {
        println!("renewal, redis-server: there is none here");
        return Ok(());
    };
    let watch = Arc::new(Watch::default());
    // This share of an hour is two seconds.
    let provider = server.provider(2.0 / 3600.0, watch.clone())?;
    let _connections = connect(&provider, &server.endpoint(), Duration::ZERO).await?;
    let mut wall = Vec::new();
    for _ in 0..effort.rounds {
        wall.push(watch.next().await.0);
    }
    println!(
        "renewal, redis-server, spread 0 s: {CONNECTIONS} connections after {}, real, in {} renewals",
        Median::of(wall).show(shown),
        effort.rounds,
    );
    Ok(())
}

async fn connect(
    provider: &EntraIdCredentialsProvider,
    endpoint: &RedisEndpoint,
    spread: Duration,
) -> Outcome<Vec<EntraConnection>> {
    let mut options = ConnectionOptions::default();
    options.spread = spread;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = EntraConnection::connect(endpoint.clone(), provider, options.clone());
        connections.push(connection.await?);
    }
    Ok(connections)
}

/// Observes the arrival of a token, and the last connection that signs in with it.
#[derive(Default)]
struct Watch {
    /// The virtual clock; none on a real server.
    world: OnceLock<Arc<dyn Runtime>>,
    renewal: Mutex<Renewal>,
    done: Notify,
}

#[derive(Default)]
struct Renewal {
    /// Begins to measure: the next token counts.
    awaited: bool,
    came: Option<(Instant, Duration)>,
    left: usize,
    took: (f64, f64),
}

impl Watch {
    /// The time from the next token to the last connection: real seconds and virtual ones.
    async fn next(&self) -> (f64, f64) {
        self.renewal().awaited = true;
        self.done.notified().await;
        self.renewal().took
    }

    fn renewal(&self) -> MutexGuard<'_, Renewal> {
        self.renewal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        self.world
            .get()
            .map_or(Duration::ZERO, |world| world.elapsed())
    }
}

impl RedisObserver for Watch {
    fn event(&self, event: &RedisEvent) {
        let mut renewal = self.renewal();
        match event {
            RedisEvent::Refreshed { .. } if renewal.awaited => {
                renewal.awaited = false;
                renewal.came = Some((Instant::now(), self.elapsed()));
                renewal.left = CONNECTIONS;
            }
            RedisEvent::Reauthenticated { .. } if renewal.left > 0 => {
                renewal.left -= 1;
                if let (0, Some((real, time))) = (renewal.left, renewal.came) {
                    let passed = self.elapsed().saturating_sub(time);
                    renewal.took = (real.elapsed().as_secs_f64(), passed.as_secs_f64());
                    self.done.notify_one();
                }
            }
            _ => {}
        }
    }
}
