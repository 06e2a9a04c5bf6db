//! Expectations and invariants: from a trace to a verdict.
//!
//! An *expectation* is what one scenario asserts; an *invariant* is what every run asserts. Each
//! stands in a file of its own and sees nothing but the scenario and the trace.

mod evidence;
mod expectations;
pub mod invariants;
mod statistics;
mod view;

use serde::Serialize;

use crate::{run::Run, scenario::Scenario, trace::Fingerprint};

pub use evidence::Evidence;

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
    /// Whether everything holds.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// What does not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.expectations
            .iter()
            .chain(&self.invariants)
            .filter(|finding| !finding.holds)
    }
}

/// Whether one thing holds, and why one thinks so.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What it is: `expect[2] token-from`, or the invariant's name: `no-expired-token`.
    pub name: String,
    /// Which expectation of the file, from 1; none for an invariant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectation: Option<usize>,
    /// Whether it holds.
    pub holds: bool,
    /// What was looked at and found, in a sentence: also when it holds.
    pub found: String,
    /// What was expected, in a sentence.
    pub expected: String,
    /// Why it matters: the scenario's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The seed that shows it, if it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The few trace lines that matter, if it does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// Judges the runs of a scenario: one for each seed, the first seed first.
///
/// An expectation holds if it holds in every run; the first run in which it does not is shown.
pub fn judge(scenario: &Scenario, runs: &[Run]) -> Verdict {
    let mut expectations = Vec::new();
    for (index, expect) in scenario.expect.iter().enumerate() {
        let number = index + 1;
        let mut finding = statistics::judge(&expect.that, runs).unwrap_or_else(|| {
            first_failure_or_last(runs, |run| expectations::judge(scenario, run, &expect.that))
        });
        finding.name = format!("expect[{number}] {}", finding.name);
        finding.expectation = Some(number);
        finding.why = expect.why.clone();
        expectations.push(finding);
    }
    let invariants = invariants::ALL
        .iter()
        .filter_map(|invariant| {
            let judged: Vec<(u64, Finding)> = runs
                .iter()
                .filter_map(|run| Some((run.seed, (invariant.judge)(scenario, run)?)))
                .collect();
            let failed = judged.iter().position(|(_, finding)| !finding.holds);
            let index = failed.or(judged.len().checked_sub(1))?;
            judged
                .into_iter()
                .nth(index)
                .map(|(seed, finding)| with_seed(finding, seed))
        })
        .collect();
    Verdict {
        expectations,
        invariants,
        hash: runs.first().map(|run| run.hash).unwrap_or_default(),
        seeds: u32::try_from(runs.len()).unwrap_or(u32::MAX),
    }
}

fn first_failure_or_last(runs: &[Run], judge: impl Fn(&Run) -> Finding) -> Finding {
    let mut last = Finding::holds("nothing", "there was no run", "");
    for run in runs {
        last = with_seed(judge(run), run.seed);
        if !last.holds {
            break;
        }
    }
    last
}

fn with_seed(mut finding: Finding, seed: u64) -> Finding {
    if !finding.holds {
        finding.seed = Some(seed);
    }
    finding
}

impl Finding {
    fn new(name: &str, holds: bool, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            expectation: None,
            holds,
            found: found.into(),
            expected: expected.into(),
            why: None,
            seed: None,
            evidence: Vec::new(),
        }
    }

    /// It holds: what was found, and what was expected.
    pub fn holds(name: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(name, true, found, expected)
    }

    /// It does not hold: what was found, what was expected, and the lines that show it.
    pub fn fails(
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        evidence: Evidence,
    ) -> Self {
        Self {
            evidence: evidence.lines(),
            ..Self::new(name, false, found, expected)
        }
    }
}
