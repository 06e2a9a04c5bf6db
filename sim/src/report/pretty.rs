//! For a person at a terminal. Always styled; the console strips the styles if need be.

use std::{fmt::Write as _, time::Duration};

use anstyle::{AnsiColor, Style};

use super::{
    Count, Difference, Ending, Judged, Outcome, SeedsTried, Status, Tally,
    prose::{long, paragraph, real},
};
use crate::wording::{Number, counted};
use crate::{
    judge::Finding,
    redact::{escaped, escaped_lines, printable},
    trace,
};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const LEFT_OUT: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const LOUD: Style = Style::new().bold();

/// Names longer than this don't push the other columns further.
const WIDEST_NAME: usize = 56;

/// How many failed scenarios the end of a run names.
const MOST_NAMES: usize = 20;

/// How wide the column of names is.
pub fn width<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    names
        .into_iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST_NAME)
}

/// One line for what is well, and the whole case for what is not.
pub fn outcome(outcome: &Outcome, width: usize) -> String {
    let name = escaped(&outcome.name);
    match &outcome.ending {
        Ending::Judged(judged) => match outcome.status() {
            Status::Passed => format!(
                "{GOOD}ok{GOOD:#}    {name:width$}  {}{}",
                facts(outcome, judged),
                apart(judged)
            ),
            Status::Skipped => {
                let reason = judged.verdict.nothing_observed().unwrap_or_default();
                left_out(&name, &reason, width) + &apart(judged)
            }
            Status::Failed | Status::Nondeterministic | Status::Invalid | Status::HarnessFailed => {
                failed(outcome, judged, width)
            }
        },
        Ending::Skipped { reason } => left_out(&name, reason, width),
        Ending::Invalid(invalid) => {
            let what = counted(invalid.count(), "mistake");
            format!(
                "{BAD}FAIL{BAD:#}  {LOUD}{name}{LOUD:#}  is not a valid scenario: {what}\n\n{}\n\n",
                invalid.render(true)
            )
        }
        Ending::HarnessFailed { why } => format!(
            "{BAD}FAIL{BAD:#}  {LOUD}{name}{LOUD:#}  the harness failed, so nothing can be said about the subject\n\n{}\n{}\n",
            paragraph("  ", why),
            reproduce(outcome),
        ),
    }
}

fn left_out(name: &str, reason: &str, width: usize) -> String {
    let text = paragraph(&format!("skip  {name:width$}  "), reason);
    text.replacen("skip", &format!("{LEFT_OUT}skip{LEFT_OUT:#}"), 1)
}

/// What is known to fail and what could not be observed, each on a line.
fn apart(judged: &Judged) -> String {
    let verdict = &judged.verdict;
    let mut text = String::new();
    if let Some(says) = verdict.asserts_nothing() {
        let _ = writeln!(text, "      {LEFT_OUT}note{LEFT_OUT:#}  {says}");
    }
    for (finding, known) in verdict.known_failures() {
        let name = &finding.name;
        let _ = writeln!(
            text,
            "      {LEFT_OUT}known failure{LEFT_OUT:#}  {name}: {}",
            printable(&known.to_string())
        );
    }
    // Grouped by reason: of a process outside, much is unseen for the same one.
    let mut unseen: Vec<(&str, Vec<&str>)> = Vec::new();
    for (finding, reason) in verdict.not_observed() {
        match unseen.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&finding.name),
            None => unseen.push((reason, vec![&finding.name])),
        }
    }
    for (reason, names) in unseen {
        let told = format!("{reason}: {}", names.join(", "));
        let told = paragraph("      not observed   ", &told);
        let _ = writeln!(text, "{FAINT}{}{FAINT:#}", told.trim_end());
    }
    text
}

/// What a passed scenario's line tells.
fn facts(outcome: &Outcome, judged: &Judged) -> String {
    let verdict = &judged.verdict;
    let judged = |findings| Count::of(findings).judged();
    let expectations = counted(judged(&verdict.expectations), "expectation");
    let invariants = counted(judged(&verdict.invariants), "invariant");
    let seeds = (outcome.tried.as_ref()).map_or(verdict.seeds, |tried| tried.played);
    let seeds = match seeds {
        0 | 1 => String::new(),
        many => format!("  {many} seeds"),
    };
    format!(
        "{expectations:>15}  {invariants:>13}  {FAINT}{:>9}  {}{seeds}{FAINT:#}\n",
        real(outcome.took),
        verdict.hash,
    )
}

fn failed(outcome: &Outcome, judged: &Judged, width: usize) -> String {
    let unchecked = judged.verdict.failures();
    let unchecked = unchecked.filter(|finding| finding.is_unchecked()).count();
    let broken = judged.verdict.failures().count() - unchecked;
    let mut what = Vec::new();
    if broken > 0 {
        what.push(format!(
            "{broken} of {} {} not hold",
            counted(judged.checks(), "check"),
            Number::of(broken).pick("does", "do")
        ));
    }
    if unchecked > 0 {
        let unchecked = counted(unchecked, "known failure");
        what.push(format!("{unchecked} could not be checked"));
    }
    if judged.difference.is_some() {
        what.push("two passes of the same run differ".to_owned());
    }
    let mut text = format!(
        "{BAD}FAIL{BAD:#}  {LOUD}{:width$}{LOUD:#}  {}  {FAINT}{}  {}{FAINT:#}\n",
        escaped(&outcome.name),
        what.join(", and "),
        real(outcome.took),
        judged.verdict.hash,
    );
    let _ = writeln!(text, "      {}", printable(&outcome.title));
    if let Some(tried) = &outcome.tried {
        text += &paragraph("      ", &seeds_tried(tried));
    }
    for finding in judged.verdict.failures() {
        text.push('\n');
        text += &case(outcome, finding);
    }
    if let Some(difference) = &judged.difference {
        text.push('\n');
        text += &differs(difference);
    }
    let apart = apart(judged);
    if !apart.is_empty() {
        text.push('\n');
        text += &apart;
    }
    let _ = writeln!(text, "\n{}", reproduce(outcome));
    text
}

/// With which of several seeds a scenario failed.
fn seeds_tried(tried: &SeedsTried) -> String {
    let named = tried.failed.iter().take(MOST_NAMES).map(u64::to_string);
    let named = named.collect::<Vec<String>>().join(", ");
    let more = match tried.failed.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "fails with {} of {}: {named}{more}; the first is shown",
        tried.failed.len(),
        counted(tried.played, "seed"),
    )
}

/// A finding that does not hold.
fn case(outcome: &Outcome, finding: &Finding) -> String {
    let mut text = match finding.expectation {
        Some(_) => {
            let line = outcome.line(finding);
            format!(
                "  {LOUD}{}{LOUD:#}  {}:{line}\n",
                finding.name,
                escaped(&outcome.path)
            )
        }
        None => format!(
            "  {LOUD}{}{LOUD:#}  an invariant: it must hold in every run\n",
            finding.name
        ),
    };
    if finding.is_unchecked() {
        text += "    a known failure that could not be checked, not one that no longer fails\n";
    }
    if let Some(why) = &finding.why {
        text += &paragraph("    because   ", why);
    }
    text += &paragraph("    expected  ", &finding.expected);
    text += &paragraph("    found     ", &finding.found);
    if let Some(seed) = finding.seed.filter(|seed| *seed != outcome.seed) {
        let says = format!("{seed}, which `--seed {seed}` plays alone");
        text += &paragraph("    seed      ", &says);
    }
    if !finding.evidence.is_empty() {
        text += "    trace\n";
    }
    for line in &finding.evidence {
        let _ = writeln!(text, "    {FAINT}{}{FAINT:#}", escaped(line));
    }
    text
}

fn differs(difference: &Difference) -> String {
    let ended = || "the trace has ended".to_owned();
    format!(
        "  {LOUD}nondeterminism{LOUD:#}  event {} of seed {} is not the same in a second process\n\
         \x20   first   {}\n\
         \x20   second  {}\n",
        difference.event,
        difference.seed,
        escaped(&difference.first.clone().unwrap_or_else(ended)),
        escaped(&difference.second.clone().unwrap_or_else(ended)),
    )
}

fn reproduce(outcome: &Outcome) -> String {
    format!(
        "  reproduce: {LOUD}{}{LOUD:#}\n",
        escaped_lines(&outcome.reproduce)
    )
}

/// The end of a run: what was done, if all is well, and the count.
pub fn end(outcomes: &[Outcome], tally: &Tally, took: Duration) -> String {
    // The report of a failure ends in an empty line.
    let last = outcomes.last();
    let has_empty_line = last.is_some_and(|last| last.status().is_failure());
    let mut text = String::from(if has_empty_line { "" } else { "\n" });
    let apart = tally.apart();
    if tally.all_passed() {
        let mut counts = vec![
            counted(tally.passed, "scenario"),
            counted(tally.expectations, "expectation"),
            counted(tally.invariants, "invariant check"),
        ];
        counts.extend(apart);
        let (verb, kind) = if outcomes.iter().any(|outcome| outcome.engine == "live") {
            ("played", "real")
        } else {
            ("replayed", "virtual")
        };
        let _ = writeln!(
            text,
            "{}: {verb} {} of {kind} time in {}",
            counts.join(", "),
            long(tally.replayed),
            real(took),
        );
    } else if !apart.is_empty() {
        let _ = writeln!(text, "{}", apart.join(", "));
    }
    text += &failures(outcomes);
    let style = match (tally.failed, tally.passed) {
        (0, 0) => LEFT_OUT,
        (0, _) => GOOD,
        _ => BAD,
    };
    let _ = writeln!(text, "{style}{tally}{style:#}");
    text
}

/// The names of those that failed, so that they need not be searched for in a long run.
fn failures(outcomes: &[Outcome]) -> String {
    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| match outcome.status() {
            Status::Passed | Status::Skipped => None,
            Status::Failed => Some(outcome.name.clone()),
            other @ (Status::Invalid | Status::Nondeterministic | Status::HarnessFailed) => {
                Some(format!("{} ({})", outcome.name, other.word()))
            }
        })
        .collect();
    if failed.is_empty() {
        return String::new();
    }
    let mut names = failed[..failed.len().min(MOST_NAMES)].join(", ");
    if failed.len() > MOST_NAMES {
        names += &format!(" and {} more", failed.len() - MOST_NAMES);
    }
    paragraph("failed: ", &names)
}

/// The whole traces of a scenario, with repeats folded.
pub fn traces(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (seed, trace) in &outcome.traces {
        let _ = writeln!(
            text,
            "{LOUD}# {}, {}, seed {seed}, {}, {}{LOUD:#}",
            escaped(&outcome.name),
            outcome.engine,
            counted(trace.events.len(), "event"),
            trace.hash(),
        );
        for line in trace::fold(&trace.events.iter().collect::<Vec<_>>()) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    text
}
