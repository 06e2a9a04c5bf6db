//! The cost of a cached token: `identity` beside `azure_identity` as published, and beside lower
//! bounds.
//!
//! `cargo bench -p credsim-benches --bench hit` measures everything; with `-- --quick` in about a
//! minute; with `-- callers` (or `single`, `hang`, `stampede`) a part of it. First criterion
//! measures each case by itself, which is for comparing a change with the run before (groups
//! `hit/single` and `hit/callers`; `-- callers --save-baseline before`, then
//! `-- callers --baseline before`); then all cases take turns in one process, in rounds of a few
//! milliseconds, which is for comparing them with each other on a machine that is not quiet.
//!
//! Every case adds up the lengths of the tokens that it got, and the sum is checked after the time
//! is taken. Every case has its token cached before it is timed, and requests to its service are
//! counted. Callers are a closed loop: a caller asks again when it has its token.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures the real machine"
)]

mod callers;
mod case;
mod floors;
mod hang;
mod official;
mod ours;
mod service;
mod single;
mod stampede;

use std::time::Duration;

/// The result of a bench, or the error that stopped it.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The amount of measurements.
#[derive(Clone, Copy)]
struct Effort {
    /// Rounds in which every case has its turn.
    rounds: usize,
    /// How long one turn takes, about.
    turn: Duration,
    /// Whether criterion measures, too.
    criterion: bool,
    /// Callers of a stampede, at most.
    crowd: usize,
}

const QUICK: Effort = Effort {
    rounds: 15,
    turn: Duration::from_millis(4),
    criterion: false,
    crowd: 1_000,
};

const FULL: Effort = Effort {
    rounds: 101,
    turn: Duration::from_millis(10),
    criterion: true,
    crowd: 10_000,
};

/// A part of the bench: its name, and what runs it.
type Part = (&'static str, fn(Effort) -> Outcome);

const PARTS: [Part; 4] = [
    ("single", single::run),
    ("callers", callers::run),
    ("hang", hang::run),
    ("stampede", stampede::run),
];

/// The options of criterion that are followed by a value.
const WITH_VALUE: [&str; 14] = [
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--confidence-level",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--significance-level",
    "--warm-up-time",
];

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    // Without `--bench` (`cargo test --benches`) the bench only has to run, on little work.
    let effort = match has("--bench") && !has("--quick") {
        true => FULL,
        false => QUICK,
    };
    let wanted = part(&arguments)?;
    for (name, run) in PARTS {
        if wanted.is_none_or(|wanted| wanted == name) {
            run(effort)?;
        }
    }
    Ok(())
}

/// Returns the part that is named in `arguments`: at most one, because criterion takes it as its
/// filter.
fn part(arguments: &[String]) -> Outcome<Option<&str>> {
    let mut part = None;
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with('-') {
            if !PARTS.iter().any(|(name, _)| *name == argument) {
                let names = PARTS.map(|(name, _)| name).join(", ");
                return Err(format!("no part is called {argument}; there are {names}").into());
            }
            if let Some(first) = part.replace(argument) {
                return Err(format!("one part at a time: {first} or {argument}").into());
            }
        }
    }
    Ok(part)
}
