//! Outcomes, counted.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Ending, Outcome};

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
    pub faults: usize,
    /// Expectations looked at.
    #[serde(skip)]
    pub expectations: usize,
    /// Invariants looked at.
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
        match outcome.word() {
            "passed" => self.passed += 1,
            "skipped" => self.skipped += 1,
            _ => self.failed += 1,
        }
        match &outcome.ending {
            Ending::Judged(judged) => {
                self.expectations += judged.verdict.expectations.len();
                self.invariants += judged.verdict.invariants.len();
                self.replayed += judged.replayed;
                self.nondeterministic += usize::from(judged.difference.is_some());
            }
            Ending::Skipped { .. } => {}
            Ending::Invalid(_) => self.invalid += 1,
            Ending::Fault { .. } => self.faults += 1,
        }
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
