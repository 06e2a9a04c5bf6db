//! Reports of outcomes that no bundled scenario produces: failures of the harness, nondeterminism.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use credsim::{
    judge::{Evidence, Finding, Judgement, Known},
    report::{Difference, Ending, Judged, Outcome, Tally, github, json, junit, pretty},
    trace::{Event, Kind, fingerprint},
    verdict::Verdict,
};

fn outcome(name: &str, ending: Ending) -> Outcome {
    Outcome {
        name: name.to_owned(),
        path: format!("scenarios/{name}.toml"),
        title: "A story".to_owned(),
        expectation_lines: vec![12],
        engine: "lapse",
        seed: 1,
        tried: None,
        took: Duration::from_micros(3_100),
        reproduce: format!("credsim run {name} --engine lapse --seed 1"),
        ending,
        traces: Vec::new(),
    }
}

fn judged(
    expectations: Vec<Finding>,
    invariants: Vec<Finding>,
    difference: Option<Difference>,
) -> Ending {
    let verdict = Verdict {
        expectations,
        invariants,
        hash: fingerprint("a trace"),
        seeds: 1,
    };
    let replayed = Duration::from_secs(86_400);
    Ending::Judged(Box::new(Judged {
        verdict,
        replayed,
        difference,
    }))
}

fn expired() -> Finding {
    let event = Event {
        at: Duration::from_secs(3_601),
        kind: Kind::World {
            what: "alice@contoso.example logs in to az".to_owned(),
        },
    };
    let mut finding = Finding::fails(
        "no-expired-token",
        "call 7 got a token that had ended 1s before",
        "no expired token is handed out, by the host's own clock",
        Evidence::of([&event]),
    );
    finding.seed = Some(3);
    finding
}

fn held() -> Finding {
    Finding::holds("expect[1] tokens", "there is 1", "1 token")
}

fn outcomes() -> Vec<Outcome> {
    let difference = Difference {
        seed: 1,
        event: 17,
        first: Some(r#"{"at":1}"#.to_owned()),
        second: None,
    };
    vec![
        outcome("cache/well", judged(vec![held()], vec![], None)),
        outcome("cache/expired", judged(vec![held()], vec![expired()], None)),
        outcome(
            "cache/unsteady",
            judged(vec![held()], vec![], Some(difference)),
        ),
        outcome(
            "entra/long",
            Ending::Skipped {
                reason: "the world lasts 10d".to_owned(),
            },
        ),
        outcome(
            "entra/broken",
            Ending::HarnessFailed {
                why: "the world has not ended | yet".to_owned(),
            },
        ),
    ]
}

#[test]
fn people_see_invariants_differences_and_failures_of_the_harness() {
    let outcomes = outcomes();
    let width = pretty::width(outcomes.iter().map(|outcome| outcome.name.as_str()));
    let mut text: String = outcomes
        .iter()
        .map(|one| pretty::outcome(one, width))
        .collect();
    text += &pretty::end(&outcomes, &Tally::of(&outcomes), Duration::from_millis(12));
    insta::assert_snapshot!("pretty", anstream::adapter::strip_str(&text).to_string());
}

#[test]
fn build_servers_see_failures_errors_and_skips() {
    let document = junit::document(&outcomes(), Duration::from_millis(12)).unwrap();
    insta::assert_snapshot!("junit", document);
}

#[test]
fn programs_see_the_same() {
    let outcomes = outcomes();
    let mut lines: Vec<String> = outcomes.iter().map(json::outcome).collect();
    lines.push(json::summary(
        &Tally::of(&outcomes),
        Duration::from_millis(12),
        3,
    ));
    insta::assert_snapshot!("json", lines.join("\n"));
}

#[test]
fn github_sees_them_beside_the_files_and_in_a_table() {
    let outcomes = outcomes();
    let table = github::summary(&outcomes, &Tally::of(&outcomes));
    insta::assert_snapshot!("github", github::annotations(&outcomes) + "\n" + &table);
}

#[test]
fn a_flood_of_annotations_is_cut() {
    let many: Vec<Outcome> = (0..30)
        .map(|number| {
            outcome(
                &format!("cache/{number}"),
                judged(vec![], vec![expired()], None),
            )
        })
        .collect();
    let text = github::annotations(&many);
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("::error "))
            .count(),
        25
    );
    assert_eq!(
        text.lines().last(),
        Some("::notice title=credsim::5 more failures are in the log")
    );
}

#[test]
fn nothing_that_failed_looks_like_a_success() {
    let tally = Tally::of(&outcomes());
    assert_eq!(tally.to_string(), "1 passed, 3 failed, 1 skipped");
    assert!(!tally.all_passed());
}

fn unseen(name: &str) -> Finding {
    let reason = "callers are outside this process";
    Finding::not_observed(name, reason, "every caller waits 1s or less")
}

fn known(name: &str) -> Finding {
    let mut finding = Finding::fails(name, "there are 9", "1 request", Evidence::none());
    finding.outcome = Judgement::KnownFailure(Known {
        subject: "azure-identity-js 4.13.1".to_owned(),
        breaks: "PR-24".to_owned(),
        fact: "CA-12".to_owned(),
        reason: "every caller sends a request of its own".to_owned(),
    });
    finding
}

/// An outcome in which some checks were not observed, of a subject with a known failure.
fn half_seen() -> Vec<Outcome> {
    vec![
        outcome(
            "cache/partly",
            judged(
                vec![
                    held(),
                    unseen("expect[2] waited"),
                    known("expect[3] requests"),
                ],
                vec![unseen("single-flight")],
                None,
            ),
        ),
        outcome(
            "cache/unseen",
            judged(
                vec![unseen("expect[1] waited")],
                vec![Finding::holds("no-secret-told", "12 events", "no secret")],
                None,
            ),
        ),
        outcome(
            "cache/only-known",
            judged(vec![known("expect[1] requests")], vec![], None),
        ),
    ]
}

#[test]
fn what_could_not_be_observed_is_counted_apart_and_never_as_passed() {
    let mut outcomes = half_seen();
    let width = pretty::width(outcomes.iter().map(|outcome| outcome.name.as_str()));
    let took = Duration::from_millis(12);
    let tell = |outcomes: &[Outcome]| {
        let text = outcomes.iter().map(|one| pretty::outcome(one, width));
        let end = pretty::end(outcomes, &Tally::of(outcomes), took);
        anstream::adapter::strip_str(&(text.collect::<String>() + &end)).to_string()
    };
    let tally = Tally::of(&outcomes);
    assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped");
    insta::assert_snapshot!("half-seen-pretty", tell(&outcomes));
    insta::assert_snapshot!("half-seen-junit", junit::document(&outcomes, took).unwrap());
    let mut lines: Vec<String> = outcomes.iter().map(json::outcome).collect();
    lines.push(json::summary(&tally, took, 0));
    insta::assert_snapshot!("half-seen-json", lines.join("\n"));
    insta::assert_snapshot!("half-seen-github", github::summary(&outcomes, &tally));
    assert_eq!(github::annotations(&outcomes), "");

    let failing = vec![expired(), unseen("single-flight")];
    outcomes.push(outcome("cache/bad", judged(vec![held()], failing, None)));
    insta::assert_snapshot!("half-seen-and-failed", tell(&outcomes[2..]));
}

#[test]
fn a_known_failure_that_could_not_be_checked_is_told_apart_from_a_failure() {
    let mut finding = known("expect[2] requests");
    "cannot be checked: nobody looks".clone_into(&mut finding.found);
    let Judgement::KnownFailure(entry) = finding.outcome else {
        panic!("it is known");
    };
    finding.outcome = Judgement::KnownFailureNotObserved {
        known: entry,
        not_observed: "nobody looks".to_owned(),
    };
    let outcome = outcome(
        "cache/unchecked",
        judged(vec![held(), finding], vec![], None),
    );
    assert!(outcome.status().is_failure(), "it has not passed either");
    let text = anstream::adapter::strip_str(&pretty::outcome(&outcome, 12)).to_string();
    assert!(
        text.contains("  1 known failure could not be checked  "),
        "{text}"
    );
    assert!(
        text.contains("a known failure that could not be checked"),
        "{text}"
    );
    assert!(!text.contains("not hold"), "{text}");
    let json = json::outcome(&outcome);
    assert!(
        json.contains(r#""outcome":"known-failure-not-observed""#),
        "{json}"
    );
    assert!(json.contains(r#""not-observed":"nobody looks""#), "{json}");
    let junit = junit::document(&[outcome], Duration::ZERO).unwrap();
    assert!(
        junit.contains(r#"type="known-failure-not-observed""#),
        "{junit}"
    );
    assert!(
        junit.contains("known failure not observed: expect[2] requests: cannot"),
        "{junit}"
    );
}

#[test]
fn not_observed_is_dimmed_and_no_more() {
    let text = pretty::outcome(&half_seen()[0], 12);
    let dimmed = text.lines().find(|line| line.contains("not observed"));
    assert!(dimmed.unwrap().contains("\u{1b}[2m"), "{text}");
}
