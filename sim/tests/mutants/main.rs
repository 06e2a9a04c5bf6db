//! Deliberately wrong subjects, a few lines each. For every invariant and every promise there is
//! one that fails a bundled scenario which `identity` passes, with exactly the findings that the
//! [table](table) lists. It also passes another scenario, which shows that it works otherwise.
//!
//! `INVARIANT/SUBJECT` and `PROMISE/SUBJECT` are the tests; `cargo test --test mutants PR-12` runs
//! those of one promise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod chains;
mod redis;
mod subjects;
mod table;
mod tools;
mod wrappers;

use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

use credsim::{
    facts, invariant,
    simulation::Simulation,
    subject::{Identity, Subject},
};
use libtest_mimic::{Arguments, Failed, Trial};

/// A wrong subject, and the findings that it must cause.
pub struct Case {
    /// The invariant or promise that it breaks.
    breaks: &'static str,
    /// What is wrong with it.
    name: &'static str,
    subject: fn() -> Arc<dyn Subject>,
    /// The bundled scenario that it fails.
    scenario: &'static str,
    /// The names of all findings that fail there.
    convicted_by: &'static [&'static str],
    /// A bundled scenario that it passes.
    passes: &'static str,
}

/// Invariants about external processes only: their wrong subjects are clients in the test target
/// `live`.
const OUTSIDE: &[&str] = &["known-hosts-only"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("complete/invariants", every_invariant_has_its_subject),
        Trial::test("complete/promises", every_promise_has_its_subject),
        Trial::test("complete/breaks-by-hand", the_breaks_by_hand_are_here),
    ];
    for case in table::INVARIANTS {
        let name = format!("{}/{}", case.breaks, case.name);
        trials.push(Trial::test(name, || breaks_one_invariant(case)));
    }
    for case in table::PROMISES {
        let name = format!("{}/{}", case.breaks, case.name);
        trials.push(Trial::test(name, || breaks_its_promise(case)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Of all invariants, exactly the one that it breaks must fail.
fn breaks_one_invariant(case: &Case) -> Result<(), Failed> {
    convict(case)?;
    let invariants = case.convicted_by.iter().filter(|name| is_invariant(name));
    let invariants: Vec<_> = invariants.copied().collect();
    same("convicting invariants", &invariants, &[case.breaks])
}

/// The scenario that it fails must cite the promise.
fn breaks_its_promise(case: &Case) -> Result<(), Failed> {
    let scenario = bundled(case.scenario)?;
    let promises = &scenario.loaded().scenario.promises;
    if !promises.iter().any(|promise| promise == case.breaks) {
        return Err(format!("{} does not cite {}", case.scenario, case.breaks).into());
    }
    convict(case)
}

fn convict(case: &Case) -> Result<(), Failed> {
    let scenario = bundled(case.scenario)?;
    let ours = failures(&scenario, Arc::new(Identity))?;
    same("what convicts ours", &ours, &[])?;
    let convicted_by = failures(&scenario, (case.subject)())?;
    same("what convicts it", &convicted_by, case.convicted_by)?;
    if case.convicted_by.is_empty() {
        return Err("nothing convicts it".into());
    }
    let elsewhere = failures(&bundled(case.passes)?, (case.subject)())?;
    same("what convicts it elsewhere", &elsewhere, &[])
}

/// The names of the findings that fail.
fn failures(simulation: &Simulation, subject: Arc<dyn Subject>) -> Result<Vec<String>, Failed> {
    let simulation = simulation.clone().subject(subject);
    let played = simulation.play().map_err(|error| error.to_string())?;
    let failures = played.verdict.failures();
    Ok(failures.map(|finding| finding.name.clone()).collect())
}

fn bundled(name: &str) -> Result<Simulation, Failed> {
    Simulation::bundled(name).map_err(|error| error.to_string().into())
}

fn same<T: AsRef<str>>(what: &str, found: &[T], expected: &[&str]) -> Result<(), Failed> {
    let found: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}:\n  found:    {found:?}\n  expected: {expected:?}").into())
    }
}

fn is_invariant(name: &str) -> bool {
    invariant::ALL
        .iter()
        .any(|invariant| invariant.name == name)
}

fn every_invariant_has_its_subject() -> Result<(), Failed> {
    let all = invariant::ALL.iter().map(|invariant| invariant.name);
    let here = all.filter(|name| !OUTSIDE.contains(name));
    complete(here.collect(), table::INVARIANTS)
}

fn every_promise_has_its_subject() -> Result<(), Failed> {
    let all = facts::promises().keys().map(String::as_str);
    complete(all.collect(), table::PROMISES)
}

fn complete(all: BTreeSet<&str>, cases: &[Case]) -> Result<(), Failed> {
    let broken: BTreeSet<&str> = cases.iter().map(|case| case.breaks).collect();
    let (all, broken): (Vec<_>, Vec<_>) = (all.into_iter().collect(), broken.into_iter().collect());
    same("what is broken by somebody", &broken, &all)
}

/// The most obvious mistakes each have a wrong subject, in both tables.
fn the_breaks_by_hand_are_here() -> Result<(), Failed> {
    let breaks = [
        "ignores_retry_after",
        "drops_single_flight",
        "returns_an_expired_token",
        "retries_once_too_often",
        "swallows_the_fallback_report",
    ];
    for cases in [table::INVARIANTS, table::PROMISES] {
        let found = breaks
            .iter()
            .filter(|name| cases.iter().any(|case| case.name == **name));
        same("in the table", &found.collect::<Vec<_>>(), &breaks)?;
    }
    Ok(())
}
