//! Outcomes, counted.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{Count, Ending, Outcome, Status};
use crate::wording::counted;

/// How many scenarios ended how. Whatever is neither passed nor skipped has failed, so that an
/// invalid file never looks like a success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// Everything held.
    pub passed: usize,
    /// Something did not hold, or nothing could be said.
    pub failed: usize,
    /// Left out by name.
    pub skipped: usize,
    /// Of the failed ones: the file is invalid.
    pub invalid: usize,
    /// Of the failed ones: two passes differed.
    pub nondeterministic: usize,
    /// Of the failed ones: the harness failed.
    #[serde(rename = "faults")]
    pub harness_failures: usize,
    /// Checks that could not be observed.
    pub not_observed: usize,
    /// Known failures, by subject.
    pub known_failures: BTreeMap<String, usize>,
    /// Expectations that hold or fail.
    #[serde(skip)]
    pub expectations: usize,
    /// Invariants that hold or fail.
    #[serde(skip)]
    pub invariants: usize,
    /// Virtual time.
    #[serde(skip)]
    pub replayed: Duration,
}

impl Tally {
    /// Counts `outcomes`.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.add(outcome);
        }
        tally
    }

    fn add(&mut self, outcome: &Outcome) {
        match outcome.status() {
            Status::Passed => self.passed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Failed | Status::Invalid | Status::Nondeterministic | Status::HarnessFailed => {
                self.failed += 1
            }
        }
        match &outcome.ending {
            Ending::Judged(judged) => {
                self.expectations += Count::of(&judged.verdict.expectations).judged();
                self.invariants += Count::of(&judged.verdict.invariants).judged();
                self.not_observed += judged.verdict.not_observed().count();
                for (_, known) in judged.verdict.known_failures() {
                    let count = self.known_failures.entry(known.subject.clone());
                    *count.or_default() += 1;
                }
                self.replayed += judged.replayed;
                self.nondeterministic += usize::from(judged.difference.is_some());
            }
            Ending::Skipped { .. } => {}
            Ending::Invalid(_) => self.invalid += 1,
            Ending::HarnessFailed { .. } => self.harness_failures += 1,
        }
    }

    /// What was neither held nor failed, in words: `12 not observed`, `3 known failures of
    /// azure-identity-js 4.13.1`.
    pub fn apart(&self) -> Vec<String> {
        let mut apart = Vec::new();
        if self.not_observed > 0 {
            apart.push(format!("{} not observed", self.not_observed));
        }
        for (subject, count) in &self.known_failures {
            apart.push(format!("{} of {subject}", counted(*count, "known failure")));
        }
        apart
    }

    /// Whether something was played and nothing failed.
    pub fn all_passed(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

impl fmt::Display for Tally {
    /// The last line of every run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}
