//! What the benches share. They live in `benches/benches/`; `cargo bench` runs all of them.

pub mod rows;
pub mod service;

use std::thread;

use credsim::{
    engine::Engine,
    judge::Run,
    limits::Limits,
    simulation::Settings,
    story::{Loaded, Scenario, library, parse},
};

/// Plays a scenario once, without judging it.
///
/// # Panics
/// When the harness fails: a bench must not measure that.
pub fn play(scenario: &Scenario, engine: Engine, seed: u64) -> Run {
    let settings = Settings {
        engine,
        // A day of 10,000 clients has more events than a scenario may have by default.
        limits: Limits::NONE,
        ..Settings::default()
    };
    let run = settings.run(scenario, seed);
    run.unwrap_or_else(|error| panic!("the harness failed: {error}"))
}

/// The bundled scenarios.
///
/// # Panics
/// When one of them is invalid.
pub fn bundled() -> Vec<Loaded> {
    let read = |source: library::Source| {
        source
            .parse()
            .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)))
    };
    library::bundled().into_iter().map(read).collect()
}

/// Plays all seeds of all scenarios, as `credsim run` does, on `threads` threads.
pub fn play_all(scenarios: &[Loaded], engine: Engine, threads: usize) -> usize {
    let settings = Settings::default();
    let worlds: Vec<(&Scenario, u64)> = scenarios
        .iter()
        .map(|loaded| &loaded.scenario)
        .flat_map(|scenario| {
            settings
                .seeds
                .of(scenario)
                .map(move |seed| (scenario, seed))
        })
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut events = 0;
                    loop {
                        let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some((scenario, seed)) = worlds.get(index) else {
                            return events;
                        };
                        events += play(scenario, engine, *seed).trace.events.len();
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default())
            .sum()
    })
}

/// An application that gets its token every virtual second, with hourly tokens, for this long.
///
/// # Panics
/// Never: the text is fixed.
pub fn steady_service(lasts: &str) -> Scenario {
    let text = format!(
        r#"
title = "a steady service"
story = "Asks for its token every second."
[world]
start = "2026-01-01T00:00:00Z"
lasts = "{lasts}"
[world.imds]
token-life = "1h"
system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
[subject]
credential.managed-identity = {{}}
[[call]]
every = "1s"
do.get-token = {{ scopes = ["https://vault.azure.net/.default"] }}
[[expect]]
that.token-from = {{ credential = "ManagedIdentityCredential" }}
"#
    );
    read("steady-service", &text)
}

/// A fleet of clients with a credential each and hourly tokens. They begin one after another, and
/// call at this interval for this long.
///
/// # Panics
/// If the times do not make a valid scenario.
pub fn fleet(clients: u32, lasts: &str, every: &str) -> Scenario {
    let text = format!(
        r#"
title = "a fleet"
story = "Each client has a credential of its own."
[world]
start = "2026-01-01T00:00:00Z"
lasts = "{lasts}"
[world.imds]
token-life = "1h"
system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
[subject]
credential.managed-identity = {{}}
[[call]]
callers = {clients}
ramp-up = "{every}"
every = "{every}"
credential = "each-its-own"
do.get-token = {{ scopes = ["https://vault.azure.net/.default"] }}
[[expect]]
that.token-from = {{ credential = "ManagedIdentityCredential" }}
"#
    );
    read("fleet", &text)
}

fn read(name: &str, text: &str) -> Scenario {
    match parse(name, &format!("{name}.toml"), text) {
        Ok(loaded) => loaded.scenario,
        Err(invalid) => panic!("{}", invalid.render(false)),
    }
}
