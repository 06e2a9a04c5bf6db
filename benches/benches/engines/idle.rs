//! Turmoil's own loop, with hosts that only sleep.

use std::time::{Duration, Instant};

/// Runs turmoil's ticks for this much virtual time, with hosts that only sleep: the lower bound of
/// any world on turmoil. Returns the real time without the setup.
#[expect(
    clippy::disallowed_methods,
    reason = "it is turmoil's clock that is measured, by the real one"
)]
pub fn idle_turmoil(hosts: u32, lasts: Duration) -> Duration {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(lasts * 2)
        .tick_duration(Duration::from_millis(1))
        .rng_seed(1)
        .build();
    for number in 1..hosts {
        sim.host(format!("service-{number}"), move || async move {
            tokio::time::sleep(lasts * 2).await;
            Ok(())
        });
    }
    sim.client("app", async move {
        tokio::time::sleep(lasts).await;
        Ok(())
    });
    let start = Instant::now();
    if let Err(error) = sim.run() {
        panic!("turmoil failed: {error}");
    }
    start.elapsed()
}
