//! Expectations and invariants: from a trace to a verdict.
//!
//! An *expectation* is what one scenario asserts; an *invariant* is what every run asserts. Each
//! stands in a file of its own and sees nothing but the scenario and the run. What it needs and
//! can't see (`run.sight`) it reports as not observed, never as held.

mod known;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    expectation, invariant,
    judge::{Run, statistics},
    scenario::Scenario,
    trace::Fingerprint,
};

pub use crate::judge::{Evidence, Finding, Judgement, Known};

/// What came of a scenario under one engine: all its seeds together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// One entry for each expectation, in the order of the file.
    pub expectations: Vec<Finding>,
    /// One entry for each invariant that had anything to look at.
    pub invariants: Vec<Finding>,
    /// The hash of the first seed's trace.
    pub hash: Fingerprint,
    /// How many seeds were played.
    pub seeds: u32,
}

impl Verdict {
    /// Whether nothing fails that is not known to, and something could be observed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none() && self.nothing_observed().is_none()
    }

    /// Every finding, expectations first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.expectations.iter().chain(&self.invariants)
    }

    /// What does not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings().filter(|finding| finding.is_failure())
    }

    /// What nobody can tell, each with the reason.
    pub fn not_observed(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.findings()
            .filter_map(|finding| Some((finding, finding.unseen()?)))
    }

    /// What does not hold and is known not to.
    pub fn known_failures(&self) -> impl Iterator<Item = (&Finding, &Known)> {
        self.findings()
            .filter_map(|finding| Some((finding, finding.known()?)))
    }

    /// Why nothing can be said about the subject, if so: all that was asked is out of sight.
    ///
    /// That no secret is told holds of a run in which nothing happened, too: alone it says
    /// nothing.
    pub fn nothing_observed(&self) -> Option<String> {
        let says_something = |finding: &Finding| match finding.outcome {
            Judgement::Holds => !invariant::is_held_by_silence(&finding.name),
            Judgement::Fails | Judgement::KnownFailure(_) => true,
            Judgement::NotObserved { .. } => false,
        };
        if self.findings().any(says_something) {
            return None;
        }
        let reasons: BTreeSet<&str> = self.not_observed().map(|(_, reason)| reason).collect();
        let reasons: Vec<&str> = reasons.into_iter().collect();
        (!reasons.is_empty()).then(|| format!("nothing could be observed: {}", reasons.join("; ")))
    }
}

/// Judges the runs of a scenario: one for each seed, the first seed first.
///
/// An expectation holds if it holds in every run; the first run in which it does not is shown.
/// What is a known failure of the subject must fail.
pub fn judge(scenario: &Scenario, runs: &[Run]) -> Verdict {
    let mut expectations = Vec::new();
    for (index, expect) in scenario.expect.iter().enumerate() {
        let number = index + 1;
        let mut finding = statistics::judge(&expect.that, runs).unwrap_or_else(|| {
            let judged = runs.iter().map(|run| {
                let finding = expectation::judge(scenario, run, &expect.that);
                with_seed(finding, run.seed)
            });
            worst(judged)
                .unwrap_or_else(|| Finding::not_observed("nothing", "there was no run", ""))
        });
        finding.name = format!("expect[{number}] {}", finding.name);
        finding.expectation = Some(number);
        finding.why = expect.why.clone();
        expectations.push(finding);
    }
    let invariants = invariant::ALL
        .iter()
        .filter_map(|invariant| {
            worst(runs.iter().filter_map(|run| {
                let finding = (invariant.judge)(scenario, run)?;
                Some(with_seed(finding, run.seed))
            }))
        })
        .collect();
    let mut verdict = Verdict {
        expectations,
        invariants,
        hash: runs.first().map(|run| run.hash).unwrap_or_default(),
        seeds: u32::try_from(runs.len()).unwrap_or(u32::MAX),
    };
    if let Some(run) = runs.first() {
        known::apply(&mut verdict, scenario, &run.subject);
    }
    verdict
}

/// The first finding that fails, else the first that is not observed, else the last.
fn worst(findings: impl Iterator<Item = Finding>) -> Option<Finding> {
    let mut worst: Option<Finding> = None;
    for finding in findings {
        if finding.is_failure() {
            return Some(finding);
        }
        if worst.as_ref().is_none_or(Finding::is_held) {
            worst = Some(finding);
        }
    }
    worst
}

fn with_seed(mut finding: Finding, seed: u64) -> Finding {
    if finding.is_failure() {
        finding.seed = Some(seed);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_runs_the_worst_counts() {
        let held = || Finding::holds("a", "found", "expected");
        let unseen = || Finding::not_observed("b", "nobody looks", "expected");
        let failed = || Finding::fails("c", "found", "expected", Evidence::none());
        let name = |findings: Vec<Finding>| worst(findings.into_iter()).map(|worst| worst.name);
        assert_eq!(name(vec![unseen(), held(), failed()]).unwrap(), "c");
        assert_eq!(name(vec![held(), unseen(), held()]).unwrap(), "b");
        assert_eq!(name(vec![held(), held()]).unwrap(), "a");
        assert_eq!(name(vec![]), None);
    }
}
