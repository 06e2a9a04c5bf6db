//! For GitHub Actions: annotations beside the lines of the files, and a table in the job's summary.

use std::fmt::Write as _;

use super::{Count, Ending, Outcome, Tally, prose::real};
use crate::judge::Finding;
use crate::redact::{escaped, printable};
use crate::scenario::diagnostics::{github_property, github_text};
use crate::wording::{Number, counted};

/// GitHub shows a handful of annotations for each step; more would only hide the first ones.
pub const MOST_ANNOTATIONS: usize = 25;

/// The annotations of a run, one line each.
pub fn annotations(outcomes: &[Outcome]) -> String {
    let all: Vec<String> = outcomes.iter().flat_map(annotate).collect();
    let mut text = String::new();
    for line in all.iter().take(MOST_ANNOTATIONS) {
        let _ = writeln!(text, "{line}");
    }
    if let Some(more) = all
        .len()
        .checked_sub(MOST_ANNOTATIONS)
        .filter(|more| *more > 0)
    {
        let _ = writeln!(
            text,
            "::notice title=credsim::{} {} in the log",
            counted(more, "more failure"),
            Number::of(more).pick("is", "are")
        );
    }
    text
}

fn annotate(outcome: &Outcome) -> Vec<String> {
    match &outcome.ending {
        Ending::Judged(judged) => {
            let mut lines: Vec<String> = judged
                .verdict
                .failures()
                .map(|finding| failure(outcome, finding))
                .collect();
            if let Some(difference) = &judged.difference {
                let says = format!(
                    "event {} of seed {} is not the same in a second process\nreproduce: {}",
                    difference.event, difference.seed, outcome.reproduce
                );
                lines.push(error(outcome, 1, "nondeterminism", &says));
            }
            lines
        }
        Ending::Skipped { .. } => Vec::new(),
        Ending::Invalid(invalid) => invalid.annotations(),
        Ending::HarnessFailed { why } => {
            let says = format!("{why}\nreproduce: {}", outcome.reproduce);
            vec![error(outcome, 1, "the harness failed", &says)]
        }
    }
}

fn failure(outcome: &Outcome, finding: &Finding) -> String {
    let mut says = Vec::new();
    says.extend(finding.why.iter().map(|why| format!("because: {why}")));
    says.push(format!("expected: {}", finding.expected));
    says.push(format!("found: {}", finding.found));
    says.push(format!("reproduce: {}", outcome.reproduce));
    error(
        outcome,
        outcome.line(finding),
        &finding.name,
        &says.join("\n"),
    )
}

fn error(outcome: &Outcome, line: usize, what: &str, says: &str) -> String {
    format!(
        "::error file={},line={line},title={}::{}",
        github_property(&outcome.path),
        github_property(&format!("{}: {what}", outcome.name)),
        github_text(says),
    )
}

/// The table for the summary of the job, as Markdown.
pub fn summary(outcomes: &[Outcome], tally: &Tally) -> String {
    let mut text = format!(
        "### credsim: {tally}\n\n| | scenario | expectations | invariants | time | hash |\n\
         |---|---|---:|---:|---:|---|\n"
    );
    for outcome in outcomes {
        let (word, name) = (outcome.status().word(), cell(&outcome.name));
        let _ = match &outcome.ending {
            Ending::Judged(judged) => {
                let verdict = &judged.verdict;
                writeln!(
                    text,
                    "| {word} | `{name}` | {} | {} | {} | `{}` |",
                    held(&verdict.expectations),
                    held(&verdict.invariants),
                    real(outcome.took),
                    verdict.hash,
                )
            }
            Ending::Skipped { reason } => {
                writeln!(text, "| {word} | `{name}`: {} | | | | |", cell(reason))
            }
            Ending::Invalid(_) => writeln!(text, "| {word} | `{name}` | | | | |"),
            Ending::HarnessFailed { why } => {
                writeln!(text, "| {word} | `{name}`: {} | | | | |", cell(why))
            }
        };
    }
    text + &apart(outcomes)
}

/// `7`, or `6 of 7` when one does not hold; then what can't be said in either word.
fn held(findings: &[Finding]) -> String {
    let count = Count::of(findings);
    let mut text = match count.judged() {
        all if all == count.held => all.to_string(),
        all => format!("{} of {all}", count.held),
    };
    if count.not_observed > 0 {
        text += &format!(", {} not observed", count.not_observed);
    }
    if count.known > 0 {
        text += &format!(", {}", counted(count.known, "known failure"));
    }
    text
}

/// What could not be observed and what is known to fail, one a line, below the table.
fn apart(outcomes: &[Outcome]) -> String {
    let (mut unseen, mut known) = (String::new(), String::new());
    for outcome in outcomes {
        let Ending::Judged(judged) = &outcome.ending else {
            continue;
        };
        let name = escaped(&outcome.name);
        for (finding, reason) in judged.verdict.not_observed() {
            let _ = writeln!(unseen, "- `{name}` {}: {}", finding.name, printable(reason));
        }
        for (finding, failure) in judged.verdict.known_failures() {
            let _ = writeln!(
                known,
                "- `{name}` {}: {}",
                finding.name,
                printable(&failure.to_string())
            );
        }
    }
    let mut text = String::new();
    for (heading, lines) in [("Known failures", known), ("Not observed", unseen)] {
        if !lines.is_empty() {
            let _ = write!(text, "\n#### {heading}\n\n{lines}");
        }
    }
    text
}

fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}
