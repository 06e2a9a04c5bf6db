//! The end of a command that played something: reports, the last line, the exit code.

use std::time::Duration;

use super::{
    Console, Format, exit,
    files::{self, ReportFile},
};
use crate::{
    report::{Tally, Whole, github, json, pretty},
    simulation::{Ending, Outcome},
};

/// What a command ends with.
pub(super) struct Conclusion<'a> {
    /// What came of each scenario.
    pub outcomes: &'a [Outcome],
    /// Exit codes of what went wrong besides.
    pub codes: Vec<u8>,
    /// Real time of the whole command.
    pub took: Duration,
    /// The reports that are asked for.
    pub reports: &'a [ReportFile],
    /// How the results are written.
    pub format: Format,
    /// The exit code if a signal ended the command.
    pub interrupted: Option<u8>,
}

/// Writes the reports and the last line, and returns the exit code.
pub(super) fn conclude(conclusion: Conclusion<'_>, console: &mut Console) -> u8 {
    let Conclusion {
        outcomes,
        mut codes,
        took,
        reports,
        format,
        interrupted,
    } = conclusion;
    let tally = &Tally::of(outcomes);
    codes.extend(outcomes.iter().flat_map(codes_of));
    if tally.passed + tally.failed == 0 {
        codes.push(exit::NOTHING);
    }
    let mut exit = exit::first_of(&codes);
    let whole = Whole {
        outcomes,
        tally,
        took,
        exit,
    };
    let mut unwritten = Vec::new();
    unwritten.extend(
        reports
            .iter()
            .filter_map(|report| report.write(&whole).err()),
    );
    if format == Format::Github {
        console.data(&github::annotations(outcomes));
        unwritten.extend(files::add_to_job_summary(&whole).err());
    }
    for message in &unwritten {
        console.error(message, None);
        exit = exit::first_of(&[exit, exit::HARNESS]);
    }
    let exit = interrupted.unwrap_or(exit);
    if format == Format::Json {
        console.data(&(json::summary(tally, took, exit) + "\n"));
        console.say(&format!("{tally}\n"));
    } else {
        console.say(&pretty::end(outcomes, tally, took));
    }
    exit
}

/// The exit codes that an outcome asks for.
fn codes_of(outcome: &Outcome) -> Vec<u8> {
    match &outcome.ending {
        Ending::Judged(judged) => {
            let failed = judged.verdict.failures().next().map(|_| exit::FAILED);
            let differs = judged.difference.is_some().then_some(exit::NONDETERMINISM);
            failed.into_iter().chain(differs).collect()
        }
        Ending::Skipped { .. } => Vec::new(),
        Ending::Invalid(_) => vec![exit::USAGE],
        Ending::HarnessFailed { .. } => vec![exit::HARNESS],
    }
}
