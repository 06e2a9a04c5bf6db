//! Known failures of other subjects, checked both ways: what is listed must fail, and what fails
//! must be listed.

use super::Verdict;
use crate::judge::{Evidence, Finding, Judgement, Known};
use crate::story::{KnownFailure, Scenario, expectation_number, sdk_of};

/// Compares the verdict with what the scenario knows of `subject`, by its exact name and version.
/// `unshown` is why a part of the run could not be shown to it, if that is so: what is known to
/// fail then need not fail, and nothing is said of it.
pub(crate) fn apply(
    verdict: &mut Verdict,
    scenario: &Scenario,
    subject: &str,
    unshown: Option<&str>,
) {
    let of_subject = |entry: &&KnownFailure| entry.subject == subject;
    for entry in scenario.known_failure.iter().filter(of_subject) {
        for listed in &entry.fails {
            if let Some(why) = unshown
                && !fails(verdict, listed)
            {
                leave_open(verdict, listed, why);
            } else {
                compare(verdict, entry, listed);
            }
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

/// Whether what is `listed` fails in the part of the run that was shown.
fn fails(verdict: &Verdict, listed: &str) -> bool {
    let mut findings = verdict.expectations.iter().chain(&verdict.invariants);
    findings.any(|finding| is_about(finding, listed) && finding.outcome == Judgement::Fails)
}

/// Says that a known failure was not observed.
fn leave_open(verdict: &mut Verdict, listed: &str, why: &str) {
    let mut findings = verdict
        .expectations
        .iter_mut()
        .chain(&mut verdict.invariants);
    let Some(finding) = findings.find(|finding| is_about(finding, listed)) else {
        return;
    };
    finding.outcome = Judgement::NotObserved {
        reason: why.to_owned(),
    };
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
    let known = || Known {
        subject: entry.subject.clone(),
        breaks: entry.breaks.clone(),
        fact: entry.fact.clone(),
        reason: entry.reason.clone(),
    };
    let (outcome, found) = match &finding.outcome {
        Judgement::Fails => {
            finding.outcome = Judgement::KnownFailure(known());
            return;
        }
        // A finding has one entry: the validator sees to that.
        Judgement::KnownFailure(_) | Judgement::KnownFailureNotObserved { .. } => return,
        Judgement::Holds => (
            Judgement::Fails,
            format!("this no longer fails: remove {which}"),
        ),
        Judgement::NotObserved { reason } => (
            Judgement::KnownFailureNotObserved {
                known: known(),
                not_observed: reason.clone(),
            },
            format!("cannot be checked: {reason}"),
        ),
    };
    let expected = format!(
        "it fails, as a [[known-failure]] says: {} breaks {} ({}): {}",
        entry.subject, entry.breaks, entry.fact, entry.reason
    );
    *finding = Finding {
        expectation: finding.expectation,
        why: finding.why.take(),
        outcome,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::parse;

    const SCENARIO: &str = r#"
title = "Two callers"
story = "Two callers, one token."
promises = ["PR-04", "PR-24"]
[world]
start = "2026-01-01T00:00:00Z"
lasts = "1d"
[world.imds]
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
[subject]
credential.managed-identity = {}
[[call]]
callers = 2
do.get-token = { scopes = ["https://vault.azure.net/.default"] }
[[expect]]
that.token-from = {}
[[expect]]
that.tokens = { exactly = 1 }
[[known-failure]]
subject = "an-sdk 1.2.3"
fails = ["expect[2]", "single-flight"]
breaks = "PR-24"
fact = "CA-12"
reason = "every caller sends a request of its own"
[[known-failure]]
subject = "an-sdk 1.2.3"
fails = ["reported-identity"]
breaks = "PR-04"
fact = "CH-24"
reason = "no more than an info log"
"#;

    fn holds(name: &str) -> Finding {
        Finding::holds(name, "found", "expected")
    }

    fn fails(name: &str) -> Finding {
        Finding::fails(name, "found", "expected", Evidence::none())
    }

    fn unseen(name: &str) -> Finding {
        Finding::not_observed(name, "nobody looks", "expected")
    }

    /// Judged: two expectations and some invariants of a run of `subject`.
    fn verdict(subject: &str, tokens: Finding, invariants: Vec<Finding>) -> Verdict {
        let scenario = parse("two", "two.toml", SCENARIO).unwrap().scenario;
        let mut expectations = vec![holds("expect[1] token-from"), tokens];
        for (index, finding) in expectations.iter_mut().enumerate() {
            finding.expectation = Some(index + 1);
        }
        let mut verdict = Verdict {
            expectations,
            invariants,
            hash: Default::default(),
            seeds: 1,
        };
        apply(&mut verdict, &scenario, subject, None);
        verdict
    }

    fn failures(verdict: &Verdict) -> Vec<(&str, &str)> {
        let failures = verdict.failures();
        failures
            .map(|finding| (finding.name.as_str(), finding.found.as_str()))
            .collect()
    }

    const TOKENS: &str = "expect[2] tokens";

    #[test]
    fn what_is_known_to_fail_is_no_failure() {
        let invariants = vec![fails("single-flight"), fails("reported-identity")];
        let verdict = verdict("an-sdk 1.2.3", fails(TOKENS), invariants);
        assert!(verdict.passed());
        let known: Vec<_> = verdict
            .known_failures()
            .map(|(finding, known)| (finding.name.as_str(), known.breaks.as_str()))
            .collect();
        assert_eq!(
            known,
            [
                (TOKENS, "PR-24"),
                ("single-flight", "PR-24"),
                ("reported-identity", "PR-04")
            ]
        );
        assert_eq!(verdict.expectations[1].found, "found");
    }

    #[test]
    fn what_no_longer_fails_must_go() {
        let invariants = vec![fails("single-flight"), holds("reported-identity")];
        let verdict = verdict("an-sdk 1.2.3", holds(TOKENS), invariants);
        assert_eq!(
            failures(&verdict),
            [
                (
                    TOKENS,
                    "this no longer fails: remove `expect[2]` from the entry"
                ),
                (
                    "reported-identity",
                    "this no longer fails: remove the entry"
                )
            ]
        );
        assert_eq!(verdict.expectations[1].expectation, Some(2));
        assert!(verdict.expectations[1].expected.contains("PR-24 (CA-12)"));
    }

    #[test]
    fn what_is_listed_must_be_observed() {
        let verdict = verdict("an-sdk 1.2.3", unseen(TOKENS), vec![fails("single-flight")]);
        assert_eq!(
            failures(&verdict),
            [
                (TOKENS, "cannot be checked: nobody looks"),
                (
                    "reported-identity",
                    "cannot be checked: the run has nothing that it speaks about"
                )
            ]
        );
        let unchecked = |finding: &&Finding| finding.is_unchecked();
        assert_eq!(verdict.failures().filter(unchecked).count(), 2);
        let json = serde_json::to_value(&verdict.expectations[1]).unwrap();
        assert_eq!(json["outcome"], "known-failure-not-observed");
        assert_eq!(json["not-observed"], "nobody looks");
        assert_eq!(json["breaks"], "PR-24");
    }

    #[test]
    fn what_is_not_listed_fails_as_always() {
        let invariants = vec![
            fails("single-flight"),
            fails("reported-identity"),
            fails("no-expired-token"),
        ];
        let verdict = verdict("an-sdk 1.2.3", fails(TOKENS), invariants);
        assert_eq!(failures(&verdict), [("no-expired-token", "found")]);
    }

    #[test]
    fn another_version_is_another_subject_and_is_told_of() {
        let invariants = vec![holds("single-flight"), fails("no-expired-token")];
        let verdict = verdict("an-sdk 1.3.0", fails(TOKENS), invariants);
        assert_eq!(
            failures(&verdict),
            [
                (
                    TOKENS,
                    "found; this is a known failure of an-sdk 1.2.3, which is another version"
                ),
                (
                    "no-expired-token",
                    "found; the known failures here are of an-sdk 1.2.3, which is another version"
                )
            ]
        );
    }

    #[test]
    fn other_subjects_have_nothing_to_do_with_it() {
        for subject in ["identity", "another-sdk 1.2.3", "an-sdk"] {
            let failing = verdict(subject, fails(TOKENS), vec![]);
            let is_told = subject == "an-sdk";
            let found = failures(&failing)[0].1;
            assert_eq!(found.contains("another version"), is_told, "{found}");
            let well = verdict(subject, holds(TOKENS), vec![]);
            assert!(well.passed() && well.invariants.is_empty());
        }
    }
}
