//! Known failures of other subjects, checked both ways: what is listed must fail, and what fails
//! must be listed.

use super::{Evidence, Finding, Judgement, Known, Verdict};
use crate::scenario::{KnownFailure, Scenario, expectation_number, sdk_of};

/// Compares the verdict with what the scenario knows of `subject`, by its exact name and version.
pub(super) fn apply(verdict: &mut Verdict, scenario: &Scenario, subject: &str) {
    let of_subject = |entry: &&KnownFailure| entry.subject == subject;
    for entry in scenario.known_failure.iter().filter(of_subject) {
        for listed in &entry.fails {
            compare(verdict, entry, listed);
        }
    }
    let others: Vec<&KnownFailure> = scenario
        .known_failure
        .iter()
        .filter(|entry| entry.sdk() == sdk_of(subject) && entry.subject != subject)
        .collect();
    let listed_here = |finding: &Finding| {
        let mut entries = scenario.known_failure.iter().filter(of_subject);
        entries.any(|entry| entry.fails.iter().any(|listed| is_about(finding, listed)))
    };
    let findings = verdict
        .expectations
        .iter_mut()
        .chain(&mut verdict.invariants);
    for finding in findings {
        if finding.is_failure() && !listed_here(finding) {
            other_versions(finding, &others);
        }
    }
}

fn is_about(finding: &Finding, listed: &str) -> bool {
    match expectation_number(listed) {
        Some(number) => finding.expectation == Some(number),
        None => finding.expectation.is_none() && finding.name == listed,
    }
}

fn compare(verdict: &mut Verdict, entry: &KnownFailure, listed: &str) {
    let mut findings = verdict
        .expectations
        .iter_mut()
        .chain(&mut verdict.invariants);
    let Some(finding) = findings.find(|finding| is_about(finding, listed)) else {
        let nothing = "the run has nothing that it speaks about";
        let mut finding = Finding::not_observed(listed, nothing, "");
        judge(&mut finding, entry, listed);
        verdict.invariants.push(finding);
        return;
    };
    judge(finding, entry, listed);
}

fn judge(finding: &mut Finding, entry: &KnownFailure, listed: &str) {
    let which = if entry.fails.len() == 1 {
        "the entry".to_owned()
    } else {
        format!("`{listed}` from the entry")
    };
    let found = match &finding.outcome {
        Judgement::Fails => {
            finding.outcome = Judgement::KnownFailure(Known {
                subject: entry.subject.clone(),
                breaks: entry.breaks.clone(),
                fact: entry.fact.clone(),
                reason: entry.reason.clone(),
            });
            return;
        }
        // A finding has one entry: the validator sees to that.
        Judgement::KnownFailure(_) => return,
        Judgement::Holds => format!("this no longer fails: remove {which}"),
        Judgement::NotObserved { reason } => format!("cannot be checked: {reason}"),
    };
    let expected = format!(
        "it fails, as a [[known-failure]] says: {} breaks {} ({}): {}",
        entry.subject, entry.breaks, entry.fact, entry.reason
    );
    *finding = Finding {
        expectation: finding.expectation,
        why: finding.why.take(),
        ..Finding::fails(&finding.name, found, expected, Evidence::none())
    };
}

/// Says of a failure what is known of other versions of the same subject.
fn other_versions(finding: &mut Finding, others: &[&KnownFailure]) {
    let Some(first) = others.first() else { return };
    let same = others
        .iter()
        .find(|entry| entry.fails.iter().any(|listed| is_about(finding, listed)));
    let known = match same {
        Some(entry) => format!("this is a known failure of {}", entry.subject),
        None => format!("the known failures here are of {}", first.subject),
    };
    finding.found += &format!("; {known}, which is another version");
}
