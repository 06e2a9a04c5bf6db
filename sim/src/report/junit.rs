//! For build servers: JUnit XML, one suite for each family of scenarios.

use std::{collections::BTreeMap, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Ending, Judged, Outcome, Status};
use crate::judge::Finding;
use crate::redact::{escaped, escaped_lines, masked};
use crate::wording::counted;

/// The document.
///
/// # Errors
/// The XML can't be written.
pub fn document(outcomes: &[Outcome], took: Duration) -> Result<String, String> {
    let mut families: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for outcome in outcomes {
        let family = Some(outcome.family()).filter(|family| !family.is_empty());
        let family = family.unwrap_or("scenarios");
        let suite = families
            .entry(family)
            .or_insert_with(|| TestSuite::new(family));
        suite.time = Some(suite.time.unwrap_or_default() + outcome.took);
        suite.add_test_case(case(outcome));
        suite.add_test_cases(apart(outcome));
    }
    let mut report = Report::new("credsim");
    report
        .set_time(took)
        .add_test_suites(families.into_values());
    report.to_string().map_err(|error| error.to_string())
}

fn case(outcome: &Outcome) -> TestCase {
    let mut case = TestCase::new(escaped(&outcome.name).as_ref(), status(outcome));
    case.set_time(outcome.took)
        .set_classname(escaped(&outcome.path).as_ref());
    case.add_property(("engine", outcome.engine));
    if let Ending::Judged(judged) = &outcome.ending
        && let Some(says) = judged.verdict.asserts_nothing()
    {
        case.add_property(("note", says));
    }
    case.add_property(("seed", outcome.seed.to_string().as_str()));
    if let Ending::Judged(judged) = &outcome.ending {
        case.set_assertions(judged.checks());
        case.add_property(("hash", judged.verdict.hash.to_string().as_str()));
        let seeds = outcome.tried.as_ref().map(|tried| tried.played);
        let seeds = seeds.unwrap_or(judged.verdict.seeds);
        case.add_property(("seeds", seeds.to_string().as_str()));
    }
    case
}

/// A skipped case for each check that could not be observed or that is known to fail.
fn apart(outcome: &Outcome) -> Vec<TestCase> {
    let Ending::Judged(judged) = &outcome.ending else {
        return Vec::new();
    };
    let case = |finding: &Finding, kind: &str, message: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_type(kind).set_message(shown(&message));
        let name = format!("{} {}", escaped(&outcome.name), finding.name);
        let mut case = TestCase::new(name, status);
        case.set_classname(escaped(&outcome.path).as_ref());
        case
    };
    let unseen = judged.verdict.not_observed().map(|(finding, reason)| {
        let message = format!("not observed: {reason}");
        case(finding, "not-observed", message)
    });
    let known = judged.verdict.known_failures().map(|(finding, known)| {
        let message = format!("known failure: {known}");
        case(finding, "known-failure", message)
    });
    unseen.chain(known).collect()
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let (kind, message, text) = match &outcome.ending {
        Ending::Judged(_) if outcome.status() == Status::Passed => {
            return TestCaseStatus::success();
        }
        Ending::Judged(judged) if outcome.status() == Status::Skipped => {
            return skipped(judged.verdict.nothing_observed().unwrap_or_default());
        }
        Ending::Skipped { reason } => return skipped(reason.clone()),
        Ending::Judged(judged) => (
            NonSuccessKind::Failure,
            headline(judged),
            body(outcome, judged),
        ),
        Ending::Invalid(invalid) => {
            let count = counted(invalid.count(), "mistake");
            (
                NonSuccessKind::Error,
                format!("the file is invalid: {count}"),
                invalid.render(false),
            )
        }
        Ending::HarnessFailed { why } => (
            NonSuccessKind::Error,
            "the harness failed".to_owned(),
            why.clone(),
        ),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(kind_of(outcome));
    status.set_message(shown(&message));
    let text = format!("{text}\n\nreproduce: {}\n", outcome.reproduce);
    status.set_description(shown(&text));
    status
}

/// The type of a case that did not succeed. Known failures that could not be checked, with no other
/// failure beside them, have one of their own.
fn kind_of(outcome: &Outcome) -> &'static str {
    match &outcome.ending {
        Ending::Judged(judged)
            if outcome.status() == Status::Failed
                && judged.verdict.failures().all(Finding::is_unchecked) =>
        {
            "known-failure-not-observed"
        }
        Ending::Judged(_)
        | Ending::Skipped { .. }
        | Ending::Invalid(_)
        | Ending::HarnessFailed { .. } => outcome.status().word(),
    }
}

fn skipped(reason: String) -> TestCaseStatus {
    let mut skipped = TestCaseStatus::skipped();
    skipped.set_message(shown(&reason));
    skipped
}

/// A text of several lines as it may be shown. XML forbids most of what a terminal would obey.
fn shown(text: &str) -> String {
    escaped_lines(&masked(text)).into_owned()
}

fn headline(judged: &Judged) -> String {
    let mut failures = judged.verdict.failures();
    match (failures.next(), failures.count()) {
        (Some(first), more) => {
            let known = if first.is_unchecked() {
                "known failure not observed: "
            } else {
                ""
            };
            let more = match more {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            format!("{known}{}: {}{more}", first.name, first.found)
        }
        (None, _) => "two passes of the same run differ".to_owned(),
    }
}

fn body(outcome: &Outcome, judged: &Judged) -> String {
    let mut parts: Vec<String> = judged
        .verdict
        .failures()
        .map(|finding| tell(outcome, finding))
        .collect();
    if let Some(difference) = &judged.difference {
        parts.push(format!(
            "event {} of seed {} differs\nfirst   {}\nsecond  {}",
            difference.event,
            difference.seed,
            difference.first.as_deref().unwrap_or("the trace has ended"),
            difference
                .second
                .as_deref()
                .unwrap_or("the trace has ended"),
        ));
    }
    parts.join("\n\n")
}

fn tell(outcome: &Outcome, finding: &Finding) -> String {
    let mut lines = vec![format!(
        "{}  {}:{}",
        finding.name,
        outcome.path,
        outcome.line(finding)
    )];
    lines.extend(finding.why.iter().map(|why| format!("because   {why}")));
    lines.push(format!("expected  {}", finding.expected));
    lines.push(format!("found     {}", finding.found));
    lines.extend(finding.seed.iter().map(|seed| format!("seed      {seed}")));
    lines.extend(finding.evidence.iter().cloned());
    lines.join("\n")
}
