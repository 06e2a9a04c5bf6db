//! What a run tells: to a person, to a program, to a build server. A report reads verdicts, and
//! traces where they are asked for, and knows neither engine nor subject.

pub mod github;
pub mod journal;
pub mod json;
pub mod junit;
pub mod pretty;
pub mod prose;
mod tally;

use std::time::Duration;

pub use tally::Tally;

use crate::judge::Finding;
pub use crate::simulation::{Difference, Ending, Judged, Outcome, SeedsTried, Status};

/// The kinds of report that can be written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// JUnit's XML, for build servers.
    Junit,
    /// One JSON document.
    Json,
    /// The number of events of each trace, for the test that a report can show traces.
    #[cfg(test)]
    Events,
}

/// What reports show.
pub struct Whole<'a> {
    /// What came of each scenario.
    pub outcomes: &'a [Outcome],
    /// The counts.
    pub tally: &'a Tally,
    /// Real time of the whole run.
    pub took: Duration,
    /// What the process exits with.
    pub exit: u8,
}

impl ReportKind {
    /// The kind called `name` on the command line.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "junit" => Some(Self::Junit),
            "json" => Some(Self::Json),
            #[cfg(test)]
            "events" => Some(Self::Events),
            _ => None,
        }
    }

    /// Whether it shows traces, which are kept until it is written only then.
    pub fn needs_traces(self) -> bool {
        match self {
            Self::Junit | Self::Json => false,
            #[cfg(test)]
            Self::Events => true,
        }
    }

    /// The report's text.
    ///
    /// # Errors
    /// It can't be written in this format.
    pub fn document(self, whole: &Whole<'_>) -> Result<String, String> {
        let Whole {
            outcomes,
            tally,
            took,
            exit,
        } = whole;
        match self {
            Self::Junit => junit::document(outcomes, *took),
            Self::Json => Ok(json::document(outcomes, tally, *took, *exit)),
            #[cfg(test)]
            Self::Events => {
                let traces = outcomes.iter().flat_map(|outcome| &outcome.traces);
                let counts =
                    traces.map(|(seed, trace)| format!("{seed}: {}\n", trace.events.len()));
                Ok(counts.collect())
            }
        }
    }
}

/// How many of the findings hold, how many fail, and what can't be said in either word.
pub(crate) struct Count {
    /// Those that hold.
    pub held: usize,
    /// Those that fail.
    pub failed: usize,
    /// Those that could not be observed.
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
