//! Expectations and invariants: from a trace to a verdict.
//!
//! An *expectation* is what one scenario asserts; an *invariant* is what every run asserts. Each
//! stands in a file of its own and sees nothing but the scenario and the run. What it needs and
//! can't see (`run.visibility`) it reports as not observed, never as held.

mod known;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    invariant,
    judge::{Plan, Run, View},
    story::Scenario,
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

    /// What does not hold, or is known to fail and could not be checked.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings().filter(|finding| finding.is_failure())
    }

    /// What could not be observed, each with the reason.
    pub fn not_observed(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.findings()
            .filter_map(|finding| Some((finding, finding.unseen()?)))
    }

    /// What it means that the scenario has no `[[expect]]`, if so.
    pub fn asserts_nothing(&self) -> Option<&'static str> {
        let none = self.expectations.is_empty();
        none.then_some("this scenario asserts nothing: it has no [[expect]], and only the invariants are judged")
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
            Judgement::Fails
            | Judgement::KnownFailure(_)
            | Judgement::KnownFailureNotObserved { .. } => true,
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

/// What judging looks at in a scenario.
pub(crate) fn plan(scenario: &Scenario) -> Plan<'_> {
    Plan {
        world: &scenario.world,
        subject: &scenario.subject,
        at: &scenario.at,
        call: &scenario.call,
        seeds: scenario.seeds.as_ref().map_or(1, |seeds| seeds.count),
    }
}

/// Judges the runs of a scenario: one for each seed, the first seed first.
///
/// An expectation holds if it holds in every run; the first run in which it does not is shown.
/// What is a known failure of the subject must fail.
pub fn judge(scenario: &Scenario, runs: &[Run]) -> Verdict {
    let plan = plan(scenario);
    let shown: Vec<_> = runs.iter().map(Run::shown).collect();
    let views: Vec<View<'_>> = shown.iter().map(|run| View::of(run)).collect();
    let expectations = scenario.expect.iter().enumerate();
    let expectations = expectations
        .map(|(index, expect)| expect.judge(index + 1, &plan, &views))
        .collect();
    let invariants = invariant::ALL
        .iter()
        .filter_map(|invariant| invariant.judge_all(&plan, &views))
        .collect();
    let mut verdict = Verdict {
        expectations,
        invariants,
        hash: runs.first().map(|run| run.trace.hash()).unwrap_or_default(),
        seeds: u32::try_from(runs.len()).unwrap_or(u32::MAX),
    };
    if let Some(run) = runs.first() {
        let unshown = runs.iter().find_map(|run| run.unshown.as_ref());
        let unshown = unshown.map(|unshown| unshown.why.as_str());
        known::apply(&mut verdict, scenario, &run.subject, unshown);
    }
    verdict
}
