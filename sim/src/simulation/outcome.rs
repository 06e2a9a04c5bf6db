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
    /// The seed that it was played with, or the first of several.
    pub seed: u64,
    /// Where each of several seeds was judged by itself: this is the outcome with the first that
    /// failed, or with the first of all.
    pub tried: Option<SeedsTried>,
    /// How long it took in real time.
    pub took: Duration,
    /// The command line that does the same again.
    pub reproduce: String,
    /// How it ended.
    pub ending: Ending,
    /// The traces by seed, where they are wanted.
    pub traces: Vec<(u64, Trace)>,
}

/// A scenario was played with each of these seeds, and each run was judged by itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SeedsTried {
    /// How many seeds there were.
    pub played: u32,
    /// Those with which it failed.
    pub failed: Vec<u64>,
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

    /// How it ended, as reports count it.
    pub fn status(&self) -> Status {
        match &self.ending {
            Ending::Judged(judged) if judged.difference.is_some() => Status::Nondeterministic,
            Ending::Judged(judged) if judged.verdict.passed() => Status::Passed,
            Ending::Judged(judged) if judged.verdict.failures().next().is_none() => Status::Skipped,
            Ending::Judged(_) => Status::Failed,
            Ending::Skipped { .. } => Status::Skipped,
            Ending::Invalid(_) => Status::Invalid,
            Ending::HarnessFailed { .. } => Status::HarnessFailed,
        }
    }
}

/// How a scenario ended, as reports count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything held.
    Passed,
    /// Something did not hold.
    Failed,
    /// It was left out, or nothing in it could be observed.
    Skipped,
    /// The file is not a valid scenario.
    Invalid,
    /// A second pass was not like the first one.
    Nondeterministic,
    /// The harness failed.
    HarnessFailed,
}

impl Status {
    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Invalid => "invalid",
            Self::Nondeterministic => "nondeterministic",
            Self::HarnessFailed => "fault",
        }
    }

    /// Whether the outcome of a scenario is no success. An invalid file never looks like one.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Passed | Self::Skipped => false,
            Self::Failed | Self::Invalid | Self::Nondeterministic | Self::HarnessFailed => true,
        }
    }
}

impl Judged {
    /// How many things were checked; what could not be observed was not.
    pub fn checks(&self) -> usize {
        self.verdict.findings().count() - self.verdict.not_observed().count()
    }
}
