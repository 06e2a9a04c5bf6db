//! For programs: JSON lines, one object for each event, scenario and run.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use super::{Difference, Ending, Outcome, SeedsTried, Tally};
pub use crate::simulation::event_line as event;
use crate::{
    redact::printable_json, scenario::Diagnostic, trace::SCHEMA_VERSION, verdict::Verdict,
};

/// What came of a scenario, as one line without its end.
pub fn outcome(outcome: &Outcome) -> String {
    line(&Scenario::of(outcome))
}

/// The closing line: the counts, and what the process exits with.
pub fn summary(tally: &Tally, took: Duration, exit: u8) -> String {
    line(&Summary::of(tally, took, exit))
}

/// All of a run as one document.
pub fn document(outcomes: &[Outcome], tally: &Tally, took: Duration, exit: u8) -> String {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        scenarios: outcomes.iter().map(Scenario::of).collect(),
        summary: Summary::of(tally, took, exit),
    };
    // Strings, numbers and lists of such can always be written.
    printable_json(&serde_json::to_string_pretty(&document).unwrap_or_default()) + "\n"
}

fn line(value: &impl Serialize) -> String {
    printable_json(&serde_json::to_string(value).unwrap_or_default())
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    schema_version: u32,
    scenarios: Vec<Scenario<'a>>,
    summary: Summary<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Scenario<'a> {
    schema_version: u32,
    r#type: &'static str,
    name: &'a str,
    path: &'a str,
    title: &'a str,
    outcome: &'static str,
    engine: &'a str,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeds: Option<&'a SeedsTried>,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Verdict>,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    expectation_lines: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a Difference>,
    #[serde(skip_serializing_if = "<[Diagnostic]>::is_empty")]
    diagnostics: &'a [Diagnostic],
    #[serde(skip_serializing_if = "is_zero")]
    diagnostics_left_out: usize,
    reproduce: &'a str,
}

impl<'a> Scenario<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let mut scenario = Self {
            schema_version: SCHEMA_VERSION,
            r#type: "scenario",
            name: &outcome.name,
            path: &outcome.path,
            title: &outcome.title,
            outcome: outcome.status().word(),
            engine: outcome.engine,
            seed: outcome.seed,
            seeds: outcome.tried.as_ref(),
            duration_ms: milliseconds(outcome.took),
            virtual_ms: None,
            reason: None,
            verdict: None,
            expectation_lines: &outcome.expectation_lines,
            difference: None,
            diagnostics: &[],
            diagnostics_left_out: 0,
            reproduce: &outcome.reproduce,
        };
        match &outcome.ending {
            Ending::Judged(judged) => {
                scenario.virtual_ms = Some(milliseconds(judged.replayed));
                scenario.verdict = Some(&judged.verdict);
                scenario.difference = judged.difference.as_ref();
                let nothing = judged.verdict.nothing_observed().map(Cow::Owned);
                let asserts_nothing = || judged.verdict.asserts_nothing().map(Cow::Borrowed);
                scenario.reason = nothing.or_else(asserts_nothing);
            }
            Ending::Skipped { reason } | Ending::HarnessFailed { why: reason } => {
                scenario.reason = Some(Cow::Borrowed(reason));
            }
            Ending::Invalid(invalid) => {
                scenario.diagnostics = invalid.diagnostics();
                scenario.diagnostics_left_out = invalid.left_out();
            }
        }
        scenario
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary<'a> {
    schema_version: u32,
    r#type: &'static str,
    #[serde(flatten)]
    tally: &'a Tally,
    duration_ms: f64,
    virtual_ms: f64,
    exit: u8,
}

impl<'a> Summary<'a> {
    fn of(tally: &'a Tally, took: Duration, exit: u8) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            r#type: "summary",
            tally,
            duration_ms: milliseconds(took),
            virtual_ms: milliseconds(tally.replayed),
            exit,
        }
    }
}
