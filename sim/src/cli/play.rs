//! One scenario file, from its text to what came of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{lines, quote, skip, stopwatch::Stopwatch, twice};
use crate::{
    engine::{Engine, EngineError},
    judge::Run,
    report::{Ending, Judged, Outcome},
    run::{self, Options},
    scenario::{Loaded, Scenario, library},
    subject::Subject,
    verdict,
};

/// How scenarios are played.
pub struct How {
    /// What carries time and bytes.
    pub engine: Engine,
    /// The first seed.
    pub seed: u64,
    /// Each run a second time, in another process.
    pub twice: bool,
    /// Keeps the traces in the outcome.
    pub keep_traces: bool,
    /// What is under test.
    pub subject: Arc<dyn Subject>,
    /// What it is called on the command line, if it is not ours.
    pub peer: Option<String>,
    /// The command line of its driver, if it is outside.
    pub driver: Option<String>,
}

impl How {
    fn callers(&self) -> skip::Callers {
        if self.subject.is_outside() {
            skip::Callers::Driver
        } else {
            skip::Callers::Inside
        }
    }

    fn not_on_this_engine(&self) -> Option<String> {
        let asks_the_machine = self.subject.machine_clock().is_some();
        (asks_the_machine && self.engine != Engine::Lapse).then(|| {
            format!(
                "{} asks this machine for the time, and only lapse can show it a world's",
                self.subject.name()
            )
        })
    }
}

/// A scenario to play.
pub struct File {
    /// Its text.
    pub source: library::Source,
    /// The word on the command line that leads to exactly this one.
    pub selector: String,
}

impl File {
    /// The file behind `source`.
    pub fn new(source: library::Source, bundled: &[library::Source]) -> Self {
        // A file that says what the bundled scenario says is best known by that one's name.
        let selector = if bundled.contains(&source) {
            source.name.clone()
        } else {
            source.path.clone()
        };
        Self { source, selector }
    }
}

/// Reads, plays and judges a scenario.
pub fn play(file: &File, how: &How) -> Outcome {
    let stopwatch = Stopwatch::start();
    let mut outcome = Outcome {
        name: file.source.name.clone(),
        path: file.source.path.clone(),
        title: String::new(),
        expectation_lines: Vec::new(),
        engine: how.engine.name(),
        seed: how.seed,
        took: Duration::ZERO,
        reproduce: reproduce(&file.selector, how),
        ending: Ending::Fault {
            said: String::new(),
        },
        traces: Vec::new(),
    };
    outcome.ending = match file.source.parse() {
        Err(invalid) => Ending::Invalid(Box::new(invalid)),
        Ok(loaded) => {
            outcome.title = loaded.scenario.title.clone();
            outcome.expectation_lines = lines::of_expectations(&loaded.text);
            let skipped = skip::reason(&loaded.scenario, how.engine, how.callers())
                .or_else(|| how.not_on_this_engine())
                .or_else(|| how.subject.supports(&loaded.scenario).err());
            match skipped {
                Some(reason) => Ending::Skipped { reason },
                None => guarded(|| judge(file, &loaded, how, &mut outcome.traces)),
            }
        }
    };
    outcome.took = stopwatch.read();
    outcome
}

/// Even a panic of the harness is an outcome, and doesn't end the other scenarios.
fn guarded(work: impl FnOnce() -> Result<Judged, String>) -> Ending {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(judged)) => Ending::Judged(Box::new(judged)),
        Ok(Err(said)) => Ending::Fault { said },
        Err(_) => Ending::Fault {
            said: "the harness panicked; its words stand above".to_owned(),
        },
    }
}

fn judge(
    file: &File,
    loaded: &Loaded,
    how: &How,
    traces: &mut Vec<(u64, crate::trace::Trace)>,
) -> Result<Judged, String> {
    let scenario = &loaded.scenario;
    let runs = all_seeds(scenario, how).map_err(|error| error.to_string())?;
    let verdict = verdict::judge(scenario, &runs);
    let replayed = runs.iter().map(|run| run.ended).sum();
    let difference = if how.twice && scenario.unrepeatable().is_none() {
        twice::first_difference(&file.selector, &loaded.name, how, &runs)?
    } else {
        None
    };
    if how.keep_traces {
        traces.extend(runs.into_iter().map(|run| (run.seed, run.trace)));
    }
    Ok(Judged {
        verdict,
        replayed,
        difference,
    })
}

fn all_seeds(scenario: &Scenario, how: &How) -> Result<Vec<Run>, EngineError> {
    let count = scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
    (0..u64::from(count))
        .map(|number| {
            let options = Options {
                engine: how.engine,
                seed: how.seed.wrapping_add(number),
                subject: how.subject.clone(),
            };
            run::play(scenario, &options)
        })
        .collect()
}

fn reproduce(selector: &str, how: &How) -> String {
    let twice = if how.twice { " --twice" } else { "" };
    let driver = how.driver.as_deref().map_or_else(String::new, |driver| {
        format!(" --driver {}", quote::shell(driver))
    });
    let peer = how.peer.as_deref().map_or_else(String::new, |peer| {
        format!(" --subject {}", quote::shell(peer))
    });
    format!(
        "credsim run {} --engine {}{peer}{driver} --seed {}{twice}",
        quote::shell(selector),
        how.engine,
        how.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_the_harness() {
        let ending = guarded(|| Err("the world did not end".to_owned()));
        assert!(matches!(ending, Ending::Fault { said } if said == "the world did not end"));
        let ending = guarded(|| panic!("this panic belongs to the test"));
        assert!(matches!(ending, Ending::Fault { said } if said.contains("panicked")));
    }
}
