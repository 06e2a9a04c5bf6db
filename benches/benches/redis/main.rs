//! What Redis costs: our connection layer beside the bare `redis` crate, commands of the simulated
//! Redis, and the time from a new token to a thousand connections that run on it.
//!
//! `cargo bench -p credsim-benches --bench redis` measures everything, one line per figure; with
//! `-- --quick` in less than a minute, with `-- layer` (or `simulated`, `renewal`) a part of it. A
//! range is the 95 % interval of the median by order statistics: no shape of the noise is assumed.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures the real machine"
)]

mod layer;
mod median;
mod renewal;
mod server;
mod simulated;
mod work;
mod world;

use std::time::Duration;

/// The result of a bench, or the error that stopped it.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The amount of measurements. A figure has this many rounds, or fewer when they take too long, but
/// enough for an interval.
#[derive(Clone, Copy)]
struct Effort {
    /// Pairs of ours and bare.
    pairs: usize,
    /// How long the pairs of one figure may take.
    at_most: Duration,
    /// Worlds, and renewals, of one figure.
    rounds: usize,
}

const QUICK: Effort = Effort {
    pairs: 60,
    at_most: Duration::from_secs(5),
    rounds: 6,
};

const FULL: Effort = Effort {
    pairs: 400,
    at_most: Duration::from_secs(60),
    rounds: 15,
};

/// A part of the bench: its name, and what runs it.
type Part = (&'static str, fn(Effort) -> Outcome);

const PARTS: [Part; 3] = [
    ("layer", layer::run),
    ("simulated", simulated::run),
    ("renewal", renewal::run),
];

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    // Without `--bench` (`cargo test --benches`) the bench only has to run, on little work.
    let effort = match has("--bench") && !has("--quick") {
        true => FULL,
        false => QUICK,
    };
    let wanted = arguments.iter().filter(|word| !word.starts_with('-'));
    let all = wanted.clone().next().is_none();
    for (name, run) in PARTS {
        if all || wanted.clone().any(|word| name.contains(word.as_str())) {
            run(effort)?;
        }
    }
    Ok(())
}
