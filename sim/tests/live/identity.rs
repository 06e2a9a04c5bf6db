//! `identity/NAME`: `identity` in a process of its own, behind the driver protocol, with the real
//! HTTP client, a proxy, TLS and real commands. Verdict and application events are those of lapse.

use std::{collections::BTreeSet, sync::Arc};

use credsim::{
    engine::Engine,
    simulation::{Callers, skip_reason},
    story::Loaded,
    trace::{Event, Kind, Trace},
};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{
    bundled, dates,
    differential::{Other, compare},
    play::play,
    process::{CREDSIM, Ended, command, finish, this},
};

/// The scenarios in which a real machine necessarily differs: name, result of the comparison,
/// reason.
const DIFFERS: &[(&str, &str, &str)] = &[
    ("live/failure-required-variable", NOT_BUILT, NO_CLASS),
    ("live/failure-two-ids", NOT_BUILT, NO_CLASS),
];

const NOT_BUILT: &str = "built: event 1 differs";
const NO_CLASS: &str = "a constructor that fails makes nothing that has a class, so credsim calls \
                        it by the kind that it asked for";

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = bundled::scenarios().into_iter().map(trial).collect();
    trials.push(Trial::test("identity/differences-are-of-scenarios", known));
    trials
}

fn trial(loaded: Arc<Loaded>) -> Trial {
    let name = format!("identity/{}", loaded.name);
    let left_out = skip_reason(&loaded.scenario, Engine::Live, Callers::Driver);
    Trial::test(name, move || for_real(&loaded))
        .with_ignored_flag(left_out.is_some())
        .with_kind(left_out.unwrap_or_default())
}

fn known() -> Result<(), Failed> {
    let scenarios = bundled::scenarios();
    let is_known = |name: &str| scenarios.iter().any(|loaded| loaded.name == name);
    match DIFFERS.iter().find(|(name, ..)| !is_known(name)) {
        Some((name, ..)) => Err(format!("there is no scenario {name}").into()),
        None => Ok(()),
    }
}

fn for_real(loaded: &Loaded) -> Result<(), Failed> {
    let driver = format!("'{}' driver", this().display());
    let ended = finish(
        command(CREDSIM)
            .args(["run", "--engine", "live", "--driver", &driver])
            .args([&loaded.name, "--format", "json", "--trace"]),
    );
    passed(&ended).or_else(|why| nothing_observed(&ended).ok_or(why))?;
    let events: Result<Vec<Event>, _> = lines_of(&ended, "event")
        .map(serde_json::from_value)
        .collect();
    let trace = Trace {
        events: events.map_err(|error| error.to_string())?,
    };
    let trace = without_missing_commands(trace);
    let lapse = play(loaded, Engine::Lapse)?;
    let real = Other {
        name: "identity",
        trace: &trace,
        apart: dates::apart(loaded),
    };
    let compared = compare(
        &without_missing_commands(lapse.runs[0].trace.clone()),
        &real,
    );
    let known = DIFFERS.iter().find(|(name, ..)| *name == loaded.name);
    match (compared, known) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some((.., why))) => {
            Err(format!("this no longer differs: remove the entry ({why})").into())
        }
        (Err(found), Some((_, what, _))) if found.contains(what) => Ok(()),
        (Err(found), _) => Err(found.into()),
    }
}

/// Where neither the world nor this machine has a command, a real process finds none and no attempt
/// is recorded.
fn without_missing_commands(mut trace: Trace) -> Trace {
    let missing: BTreeSet<u64> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::CommandEnded { command, why, .. } if &**why == "not installed" => Some(*command),
            _ => None,
        })
        .collect();
    trace.events.retain(|event| match &event.kind {
        Kind::CommandStarted { command, .. } | Kind::CommandEnded { command, .. } => {
            !missing.contains(command)
        }
        _ => true,
    });
    trace
}

/// Returns whether the output of `credsim run --format json` reports its one scenario as passed.
pub fn passed(ended: &Ended) -> Result<(), Failed> {
    let outcome = lines_of(ended, "scenario").next();
    let outcome = outcome.ok_or_else(|| format!("nothing was played:\n{}", ended.err))?;
    if outcome["outcome"] == "passed" && ended.code() == Some(0) {
        return Ok(());
    }
    let mut text = format!("{}\n{}", outcome["outcome"], outcome["reason"]);
    let verdict = &outcome["verdict"];
    for findings in [&verdict["expectations"], &verdict["invariants"]] {
        let findings = findings.as_array().into_iter().flatten();
        for finding in findings.filter(|finding| finding["outcome"] == "fails") {
            text += &format!("\n{finding:#}");
        }
    }
    Err(text.into())
}

/// Returns whether no expectation could be observed: the text of an error of another process, for
/// example, is not visible. Then only the comparison with lapse counts.
fn nothing_observed(ended: &Ended) -> Option<()> {
    let outcome = lines_of(ended, "scenario").next()?;
    let reason = outcome["reason"].as_str()?;
    (outcome["outcome"] == "skipped" && reason.starts_with("nothing could be observed"))
        .then_some(())
}

/// The lines of this type that it printed.
fn lines_of<'a>(ended: &'a Ended, of_type: &'a str) -> impl Iterator<Item = Value> + 'a {
    let lines = ended.out.lines();
    let values = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter(move |value| value["type"] == of_type)
}
