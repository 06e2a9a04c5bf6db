//! What a run tells: to a person, to a program, to a build server. A report reads verdicts, and
//! traces where somebody asked for them, and knows neither engine nor subject.

pub mod github;
pub mod journal;
pub mod json;
pub mod junit;
pub mod pretty;
pub mod prose;
mod tally;

use std::time::Duration;

pub use tally::Tally;

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
    /// The file is no scenario.
    Invalid(Box<Invalid>),
    /// The harness failed, so nothing can be said.
    Fault {
        /// What happened.
        said: String,
    },
}

/// A played scenario.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What holds and what does not.
    pub verdict: Verdict,
    /// Time of the world that was played, over all seeds.
    pub replayed: Duration,
    /// Where a second pass was not like the first one, if it was not.
    pub difference: Option<Difference>,
}

/// The first event in which two passes of the same run differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// The seed of the run.
    pub seed: u64,
    /// The event's number in the trace, from 1.
    pub event: usize,
    /// The event in the first pass; none if that had ended.
    pub first: Option<String>,
    /// The event in the second pass; none if that had ended.
    pub second: Option<String>,
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
            Ending::Fault { .. } => "fault",
        }
    }
}

impl Judged {
    /// How many things were checked; what nobody could observe was not.
    pub fn checks(&self) -> usize {
        self.verdict.findings().count() - self.verdict.not_observed().count()
    }
}

/// How many of the findings hold, how many fail, and what can't be said in either word.
pub(crate) struct Count {
    /// Those that hold.
    pub held: usize,
    /// Those that fail.
    pub failed: usize,
    /// Those that nobody could observe.
    pub not_observed: usize,
    /// Those that are known to fail.
    pub known: usize,
}

impl Count {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let count = |is: fn(&&Finding) -> bool| findings.iter().filter(is).count();
        Self {
            held: count(|finding| finding.is_held()),
            failed: count(|finding| finding.is_failure()),
            not_observed: count(|finding| finding.unseen().is_some()),
            known: count(|finding| finding.known().is_some()),
        }
    }

    /// Those of which one can say whether they hold as they should.
    pub(crate) fn judged(&self) -> usize {
        self.held + self.failed
    }
}

/// `1 expectation`, `2 expectations`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
