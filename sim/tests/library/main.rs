//! The bundled library, one test for each scenario and engine.
//!
//! `lapse/NAME` plays the scenario, requires every expectation and invariant to hold, plays it
//! again and requires the same hash, and compares the trace with the approved one. `turmoil/NAME`
//! plays it on the second engine and requires the same verdict and the same application events in
//! the same order. Where runs with one seed may differ, several runs are played and only verdicts
//! compared.

mod counts;
mod differential;
mod play;

use std::{process::ExitCode, sync::Arc};

use credsim::{
    engine::Engine,
    simulation::{Played, Simulation},
    story::{Loaded, library},
    trace,
};
use libtest_mimic::{Arguments, Failed, Trial};
use play::play;

/// Above this many lines, counts for each lane and the hash are approved instead of the trace.
const READABLE: usize = 300;

/// How many more times a scenario is played whose runs may differ.
const LUCKY: usize = 5;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for source in library::bundled() {
        let loaded = match source.parse() {
            Ok(loaded) => Arc::new(loaded),
            Err(invalid) => {
                let text = invalid.render(false);
                trials.push(Trial::test(format!("lapse/{}", source.name), move || {
                    Err(Failed::from(text))
                }));
                continue;
            }
        };
        let name = loaded.name.clone();
        let (first, second) = (loaded.clone(), loaded.clone());
        trials.push(Trial::test(format!("lapse/{name}"), move || {
            on_lapse(&first)
        }));
        let left_out = Simulation::of(loaded.clone())
            .engine(Engine::Turmoil)
            .skip_reason();
        let engine = match &left_out {
            Some(_) => Trial::test(format!("turmoil/{name}"), || Ok(())).with_ignored_flag(true),
            None => Trial::test(format!("turmoil/{name}"), move || on_turmoil(&second)),
        };
        trials.push(engine.with_kind(left_out.unwrap_or_default()));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn on_lapse(loaded: &Loaded) -> Result<(), Failed> {
    let played = play(loaded, Engine::Lapse)?;
    let again = play(loaded, Engine::Lapse)?;
    if loaded.scenario.unrepeatable().is_some() {
        // Two runs may have passed by chance. Their traces differ, so none is approved.
        for _ in 0..LUCKY {
            play(loaded, Engine::Lapse)?;
        }
        return Ok(());
    }
    if let Some(run) = played
        .runs
        .iter()
        .zip(&again.runs)
        .find(|(one, two)| one.trace.hash() != two.trace.hash())
    {
        return Err(format!("seed {} gives two different traces", run.0.seed).into());
    }
    approve(loaded, &played);
    Ok(())
}

/// Compares with the approved trace. insta reports a difference by a panic.
fn approve(loaded: &Loaded, Played { runs, verdict }: &Played) {
    let events: Vec<_> = runs[0].trace.events.iter().collect();
    let lines = trace::fold(&events);
    let mut text = format!("{}\n\n", loaded.scenario.title);
    for finding in verdict.expectations.iter().chain(&verdict.invariants) {
        text += &format!(
            "{}: {}; {}\n",
            finding.name, finding.expected, finding.found
        );
    }
    text += &format!("\n{} events, hash {}\n\n", events.len(), verdict.hash);
    if lines.len() <= READABLE {
        text += &lines.join("\n");
    } else {
        text += &format!("the trace has {} lines folded; its counts:\n", lines.len());
        text += &counts::counts(&runs[0].trace.events).join("\n");
    }
    let mut settings = insta::Settings::clone_current();
    let (family, name) = loaded.name.split_once('/').unwrap_or(("", &loaded.name));
    settings.set_snapshot_path(format!("../traces/{family}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn on_turmoil(loaded: &Loaded) -> Result<(), Failed> {
    let turmoil = play(loaded, Engine::Turmoil)?;
    if loaded.scenario.unrepeatable().is_some() {
        return Ok(());
    }
    let lapse = play(loaded, Engine::Lapse)?;
    for (lapse, turmoil) in lapse.runs.iter().zip(&turmoil.runs) {
        let turmoil = differential::Other {
            name: "turmoil",
            trace: &turmoil.trace,
            apart: differential::Apart::TICKS,
        };
        differential::compare(&lapse.trace, &turmoil)?;
    }
    Ok(())
}
