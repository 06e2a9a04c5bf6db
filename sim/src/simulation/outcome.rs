//! What came of a scenario file, as reports show it.

use std::time::Duration;

use super::Difference;
use crate::{judge::Finding, scenario::Invalid, trace::Trace, verdict::Verdict};

/// What came of one scenario file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Its title; empty when the file is invalid.
    pub title: String,
    /// The line of each `[[expect]]` in the file.
    pub expectation_lines: Vec<usize>,
    /// The engine's name.
    pub engine: &'static str,
    /// The first seed.
    pub seed: u64,
    /// How long it took in real time.
    pub took: Duration,
    /// The command line that does the same again.
    pub reproduce: String,
    /// How it ended.
    pub ending: Ending,
    /// The traces by seed, where they are wanted.
    pub traces: Vec<(u64, Trace)>,
}

/// How the play of a scenario ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It was played and judged.
    Judged(Box<Judged>),
    /// It was left out.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The file is not a valid scenario.
    Invalid(Box<Invalid>),
    /// The harness failed, so nothing can be said about the subject.
    HarnessFailed {
        /// What failed.
        why: String,
    },
}

/// A scenario that was played and judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What holds and what does not.
    pub verdict: Verdict,
    /// Time of the world that was played, over all seeds.
    pub replayed: Duration,
    /// Where a second pass was not like the first one, if it was not.
    pub difference: Option<Difference>,
}

impl Outcome {
    /// The line of the file that a finding is about; an invariant is about the whole file.
    pub fn line(&self, finding: &Finding) -> usize {
        let index = finding.expectation.and_then(|number| number.checked_sub(1));
        index
            .and_then(|index| self.expectation_lines.get(index))
            .copied()
            .unwrap_or(1)
    }

    /// The folder that the scenario stands in, which groups it with its like.
    pub fn family(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(family, _)| family)
    }

    /// One word for how it ended.
    pub fn word(&self) -> &'static str {
        match &self.ending {
            Ending::Judged(judged) if judged.difference.is_some() => "nondeterministic",
            Ending::Judged(judged) if judged.verdict.passed() => "passed",
            Ending::Judged(judged) if judged.verdict.failures().next().is_none() => "skipped",
            Ending::Judged(_) => "failed",
            Ending::Skipped { .. } => "skipped",
            Ending::Invalid(_) => "invalid",
            Ending::HarnessFailed { .. } => "fault",
        }
    }
}

impl Judged {
    /// How many things were checked; what could not be observed was not.
    pub fn checks(&self) -> usize {
        self.verdict.findings().count() - self.verdict.not_observed().count()
    }
}
