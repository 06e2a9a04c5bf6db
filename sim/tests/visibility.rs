//! A check whose input is hidden is `NotObserved` and never `Holds`. Each bundled scenario is
//! played once; its run is reduced to what a driver reports, or to what the services record, and
//! judged.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use credsim::{
    judge::{Finding, Judgement, Run, Visibility},
    simulation::{Settings, Simulation},
    story::{Loaded, Scenario, library},
    trace::{CallOutcome, Kind},
    verdict::{self, Verdict},
};
use jiff::SignedDuration;

fn bundled(name: &str) -> Loaded {
    Simulation::bundled(name).unwrap().loaded().clone()
}

/// Its first run.
fn play(scenario: &Scenario) -> Run {
    let settings = Settings::default();
    settings.run(scenario, settings.seeds.first()).unwrap()
}

/// Returns the run without what `visibility` hides.
fn seen_with(run: &Run, visibility: Visibility) -> Run {
    let mut run = run.clone();
    run.visibility = visibility;
    run.trace.events.retain_mut(|event| match &mut event.kind {
        Kind::CallStarted { .. }
        | Kind::Built { .. }
        | Kind::NotBuilt { .. }
        | Kind::WorkStarted { .. }
        | Kind::WorkEnded { .. } => visibility.calls,
        Kind::CallEnded { outcome, .. } => {
            reduce(Arc::make_mut(outcome), visibility);
            visibility.calls
        }
        Kind::RequestSent { .. } | Kind::ResponseReceived { .. } | Kind::ExchangeEnded { .. } => {
            visibility.attempts
        }
        Kind::IdentityChanged { .. } | Kind::Log { .. } => visibility.reports,
        Kind::Leftovers { .. } => visibility.details,
        _ => true,
    });
    run
}

fn reduce(outcome: &mut CallOutcome, visibility: Visibility) {
    let (credential, tried) = match outcome {
        CallOutcome::GaveUp {} => return,
        CallOutcome::Token {
            credential, tried, ..
        } => (credential, tried),
        CallOutcome::Error {
            error,
            credential,
            tried,
            retry_at,
            ..
        } => {
            if !visibility.kinds {
                // A driver always sends the field; without kinds its value carries no information.
                "failed".clone_into(error);
            }
            *retry_at = retry_at.filter(|_| visibility.details);
            (credential, tried)
        }
    };
    if !visibility.walks {
        // A driver knows only the credential that it called.
        "OutermostCredential".clone_into(credential);
        tried.clear();
    }
}

/// Returns the kind of the check: `token-from` for `expect[2] token-from`.
fn kind(finding: &Finding) -> &str {
    finding.name.rsplit(' ').next().unwrap()
}

/// The kinds of check that could be judged, and those that could not, over the whole library.
fn judged_with(visibility: Visibility) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut held, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    for source in library::bundled() {
        let loaded = source.parse().unwrap();
        let run = seen_with(&play(&loaded.scenario), visibility);
        let verdict = verdict::judge(&loaded.scenario, &[run]);
        for finding in verdict.findings() {
            match &finding.outcome {
                // Statistics over seeds need more than one run.
                Judgement::NotObserved { reason } if reason.ends_with("was played") => false,
                Judgement::Holds => held.insert(kind(finding).to_owned()),
                Judgement::NotObserved { reason } => {
                    assert!(!reason.is_empty());
                    unseen.insert(kind(finding).to_owned())
                }
                other => panic!("{}: {finding:?} is {other:?}", loaded.name),
            };
        }
        assert_eq!(verdict.expectations.len(), loaded.scenario.expect.len());
    }
    (held, unseen)
}

/// The invariants that hold as long as the trace holds nothing against them.
const HELD_BY_SILENCE: [&str; 2] = ["no-secret-told", "known-hosts-only"];

fn set(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

#[test]
fn of_an_application_only_what_arrives_is_judged() {
    let (held, unseen) = judged_with(Visibility::endpoints_only());
    let arrives = [
        "in-flight",
        "no-expired-connection",
        "rate",
        "redis-closed",
        "requests",
        "resource-saw",
        "whole-transactions",
    ];
    assert_eq!(held, &set(&arrives) | &set(&HELD_BY_SILENCE));
    let all = [
        "attempts",
        "disposed-is-silent",
        "error",
        "http-reply",
        "identity-change",
        "issued-here",
        "log",
        "no-expired-token",
        "not-built",
        "nothing-stops-for-good",
        "passed-over",
        "percentile",
        "recovery",
        "redis-failure",
        "redis-received",
        "redis-replies",
        "redis-reported",
        "reported-identity",
        "retries-in-bounds",
        "share",
        "single-flight",
        "token-from",
        "tokens",
        "valid-token-kept",
        "waited",
    ];
    assert_eq!(unseen, set(&all));
}

#[test]
fn of_a_driver_all_is_judged_but_what_it_does_not_tell() {
    let (held, unseen) = judged_with(Visibility::of_a_driver());
    let partly = [
        "attempts",
        "error",
        "redis-failure",
        "token-from",
        "valid-token-kept",
    ];
    let never = [
        "disposed-is-silent",
        "log",
        "passed-over",
        "retries-in-bounds",
        "single-flight",
    ];
    assert_eq!(unseen, &set(&partly) | &set(&never));
    for kind in partly.iter().chain(&["waited", "reported-identity"]) {
        assert!(held.contains(*kind), "{kind}");
    }
    assert!(never.iter().all(|kind| !held.contains(*kind)));
}

fn judge(loaded: &Loaded, run: Run) -> Verdict {
    verdict::judge(&loaded.scenario, &[run])
}

fn expectation(verdict: &Verdict, number: usize) -> &Finding {
    &verdict.expectations[number - 1]
}

#[test]
fn what_can_be_seen_of_a_check_can_still_fail() {
    let mut loaded = bundled("chain/silent-fallback-identity-removed");
    let run = seen_with(&play(&loaded.scenario), Visibility::of_a_driver());
    let verdict = judge(&loaded, run.clone());
    let first = expectation(&verdict, 1);
    assert_eq!(kind(first), "token-from");
    assert!(first.unseen().unwrap().contains("which one answered"));
    // With another principal it fails, whichever member answered.
    let credsim::expectation::That::TokenFrom(wanted) = &mut loaded.scenario.expect[0].that else {
        panic!("{first:?}");
    };
    wanted.principal = Some("00000000-0000-0000-0000-000000000000".to_owned());
    assert!(expectation(&judge(&loaded, run), 1).is_failure());
}

#[test]
fn a_kind_of_error_that_is_not_visible_is_not_judged() {
    // In this scenario the error is `unavailable`.
    let mut loaded = bundled("managed-identity/connection-refused");
    let visibility = Visibility {
        kinds: false,
        ..Visibility::everything()
    };
    let run = seen_with(&play(&loaded.scenario), visibility);
    let all = judge(&loaded, run.clone());
    let number = all
        .expectations
        .iter()
        .position(|finding| kind(finding) == "error")
        .unwrap();
    let unseen = all.expectations[number].unseen().unwrap();
    assert!(unseen.contains("all of one kind"), "{unseen}");
    // The message is visible, so a wrong one still fails.
    let credsim::expectation::That::Error(wanted) = &mut loaded.scenario.expect[number].that else {
        panic!("{all:?}");
    };
    wanted.contains = vec!["what nobody says".to_owned()];
    assert!(judge(&loaded, run).expectations[number].is_failure());
}

#[test]
fn a_silent_change_is_seen_by_the_principal_alone() {
    let loaded = bundled("chain/silent-fallback-identity-removed");
    let mut run = seen_with(&play(&loaded.scenario), Visibility::of_a_driver());
    let convicts = |run: &Run| {
        let verdict = judge(&loaded, run.clone());
        let failures: Vec<_> = verdict.failures().map(|f| f.name.clone()).collect();
        failures
    };
    assert_eq!(convicts(&run), Vec::<String>::new());
    let mut misreported = run.clone();
    for event in &mut misreported.trace.events {
        if let Kind::IdentityChanged { to, .. } = &mut event.kind {
            "AzureCliCredential as bob@contoso.example".clone_into(to);
        }
    }
    assert_eq!(convicts(&misreported), ["reported-identity"]);
    let is_report = |kind: &Kind| matches!(kind, Kind::IdentityChanged { .. });
    run.trace.events.retain(|event| !is_report(&event.kind));
    assert_eq!(
        convicts(&run),
        ["expect[4] identity-change", "reported-identity"]
    );
}

#[test]
fn waits_are_judged_from_what_the_service_saw() {
    let loaded = bundled("managed-identity/503-for-a-few-seconds");
    // Of an application, the retries of a call cannot be told from further calls.
    let run = seen_with(&play(&loaded.scenario), Visibility::endpoints_only());
    assert!(expectation(&judge(&loaded, run), 1).unseen().is_some());
    let mut run = seen_with(&play(&loaded.scenario), Visibility::of_a_driver());
    assert!(expectation(&judge(&loaded, run.clone()), 1).is_held());
    // Two seconds later, and the last wait is out of bounds: 3.2 s, give or take 20 %.
    let last = run.trace.events.iter_mut().rev();
    for event in last.take_while(|event| event.at > Duration::from_secs(4)) {
        event.at += Duration::from_secs(2);
    }
    assert!(expectation(&judge(&loaded, run), 1).is_failure());
    // A service that is out of reach records no requests.
    let loaded = bundled("entra/black-holed-entra");
    let run = seen_with(&play(&loaded.scenario), Visibility::of_a_driver());
    let verdict = judge(&loaded, run);
    let reason = expectation(&verdict, 1).unseen();
    assert_eq!(reason, Some("attempts that reach no service are not seen"));
}

#[test]
fn what_would_have_come_later_is_not_observed() {
    let loaded = bundled("cache/who-comes-late-while-entra-is-down");
    let whole = play(&loaded.scenario);
    let mut run = whole.clone();
    run.ended = Duration::from_secs(200);
    run.trace.events.retain(|event| event.at < run.ended);
    run.last_repair = None;
    let verdict = judge(&loaded, run);
    for number in 1..=4 {
        let finding = expectation(&verdict, number);
        assert_eq!(
            finding.unseen(),
            Some("the run ended before"),
            "{finding:?}"
        );
    }
    assert!(verdict.passed(), "the invariants were observed");
    assert!(judge(&loaded, whole).not_observed().next().is_none());

    // A fault that ends when it has struck often enough may not have ended by then.
    let loaded = bundled("entra/secret-deployed-too-early");
    let mut run = play(&loaded.scenario);
    run.ended -= Duration::from_secs(1);
    run.last_repair = None;
    let verdict = judge(&loaded, run);
    assert!(expectation(&verdict, 2).unseen().is_some());

    let mut run = play(&loaded.scenario);
    run.ended = Duration::from_secs(15);
    run.trace.events.retain(|event| event.at < run.ended);
    run.last_repair = None;
    let verdict = judge(&loaded, run);
    assert!(expectation(&verdict, 1).is_held());
    assert_eq!(
        expectation(&verdict, 2).unseen(),
        Some("the run ended before")
    );
}

/// The loaded scenario with no expectation but this one, which is written as in a file.
fn expecting(mut loaded: Loaded, that: &str) -> Loaded {
    #[derive(serde::Deserialize)]
    struct File {
        expect: Vec<credsim::expectation::Expect>,
    }
    let file: File = toml::from_str(&format!("[[expect]]\nthat.{that}")).unwrap();
    loaded.scenario.expect = file.expect;
    loaded
}

#[test]
fn a_window_that_the_run_does_not_live_through_is_not_observed() {
    const WITHIN: Option<&str> = Some("the run ended within the time that it is about");
    // One connection has ended, and another one may end later in the window.
    let loaded = bundled("redis/transaction-longer-than-its-token");
    let mut run = play(&loaded.scenario);
    let lasts = loaded.scenario.world.lasts;
    let is_end =
        |kind: &Kind| matches!(kind, Kind::Redis(credsim::trace::RedisEvent::Closed { .. }));
    let ends = run
        .trace
        .events
        .iter()
        .filter(|event| is_end(&event.kind))
        .count();
    let wanted = |count: &str| {
        let that = format!("redis-closed = {{ {count}, between = [\"0s\", \"{lasts}\"] }}");
        expecting(loaded.clone(), &that)
    };
    let exactly = wanted(&format!("exactly = {ends}"));
    assert!(expectation(&judge(&exactly, run.clone()), 1).is_held());
    run.ended -= Duration::from_secs(1);
    assert_eq!(
        expectation(&judge(&exactly, run.clone()), 1).unseen(),
        WITHIN
    );
    let too_many = judge(&wanted(&format!("at-most = {}", ends - 1)), run.clone());
    assert!(expectation(&too_many, 1).is_failure(), "too many stay so");
    let enough = judge(&wanted(&format!("at-least = {ends}")), run);
    assert!(expectation(&enough, 1).is_held(), "enough stay so");

    // The same for attempts that only the service sees.
    let loaded = bundled("managed-identity/503-for-a-few-seconds");
    let mut run = seen_with(&play(&loaded.scenario), Visibility::of_a_driver());
    let mut early = loaded.clone();
    let lasts = early.scenario.world.lasts;
    let credsim::expectation::That::Attempts(wanted) = &mut early.scenario.expect[0].that else {
        panic!("expect[1] is about attempts");
    };
    wanted.until = Some(lasts);
    assert!(expectation(&judge(&early, run.clone()), 1).is_held());
    run.ended = lasts.0 - Duration::from_secs(1);
    assert_eq!(expectation(&judge(&early, run), 1).unseen(), WITHIN);
}

/// A check that counted hidden calls as none would find more once the trace holds them again. Only
/// the checks of [`HELD_BY_SILENCE`] may read whatever there is.
#[test]
fn what_is_judged_without_the_calls_is_judged_alike_with_them() {
    for source in library::bundled() {
        let loaded = source.parse().unwrap();
        if loaded.scenario.seeds.is_some() {
            continue;
        }
        let hides_calls = Visibility::endpoints_only();
        let mut whole = play(&loaded.scenario);
        let without = judge(&loaded, seen_with(&whole, hides_calls));
        whole.visibility = hides_calls;
        let with = judge(&loaded, whole);
        let judged = |verdict: &Verdict| -> Vec<Finding> {
            let findings = verdict.findings();
            let judged = findings.filter(|finding| finding.unseen().is_none());
            let judged = judged.filter(|finding| !HELD_BY_SILENCE.contains(&kind(finding)));
            judged.cloned().collect()
        };
        assert_eq!(judged(&without), judged(&with), "{}", loaded.name);
    }
}

#[test]
fn moments_count_from_the_start_of_the_run() {
    let loaded = bundled("managed-identity/retry-after-longer-than-the-cap");
    let mut run = play(&loaded.scenario);
    let later = SignedDuration::from_hours(31);
    run.start += later;
    let verdict = judge(&loaded, run.clone());
    let found = &expectation(&verdict, 1).found;
    assert!(found.contains("it says to come back at"), "{found}");
    for event in &mut run.trace.events {
        if let Kind::CallEnded { outcome, .. } = &mut event.kind
            && let CallOutcome::Error { retry_at, .. } = Arc::make_mut(outcome)
        {
            *retry_at = retry_at.map(|at| at + later);
        }
    }
    assert!(expectation(&judge(&loaded, run), 1).is_held());
}

#[test]
fn a_run_of_which_nothing_can_be_seen_is_not_passed() {
    let loaded = bundled("developer/az-past-ten-seconds");
    let run = seen_with(&play(&loaded.scenario), Visibility::endpoints_only());
    let verdict = judge(&loaded, run);
    assert!(verdict.failures().next().is_none());
    assert!(!verdict.passed());
    let reason = verdict.nothing_observed().unwrap();
    assert!(
        reason.starts_with("nothing could be observed: callers are outside this process"),
        "{reason}"
    );
}

#[test]
fn a_subject_that_keeps_the_promise_has_no_known_failure() {
    let loaded = bundled("cache/one-az-for-ten-callers");
    let mut run = play(&loaded.scenario);
    assert_eq!(run.subject, "identity");
    assert!(judge(&loaded, run.clone()).passed());
    run.subject = "azure-identity-js 4.13.1".to_owned();
    let verdict = judge(&loaded, run);
    let failures: Vec<_> = verdict.failures().map(|f| f.found.as_str()).collect();
    assert_eq!(
        failures,
        [
            "this no longer fails: remove `expect[1]` from the entry",
            "this no longer fails: remove `expect[2]` from the entry",
            "this no longer fails: remove `expect[3]` from the entry",
        ]
    );
}

#[test]
fn the_end_of_a_token_may_be_rounded_by_a_driver_and_no_more() {
    let loaded = bundled("managed-identity/reset-before-the-request");
    let whole = play(&loaded.scenario);
    let convicts = |visibility, late| {
        let mut run = seen_with(&whole, visibility);
        for event in &mut run.trace.events {
            if let Kind::CallEnded {
                outcome, host_time, ..
            } = &mut event.kind
                && let CallOutcome::Token { expires_on, .. } = Arc::make_mut(outcome)
            {
                *expires_on = *host_time - SignedDuration::from_millis(late);
            }
        }
        let verdict = judge(&loaded, run);
        let mut failures = verdict.failures();
        failures.any(|finding| finding.name == "no-expired-token")
    };
    assert!(convicts(Visibility::everything(), 0));
    assert!(!convicts(Visibility::everything(), -1));
    assert!(!convicts(Visibility::of_a_driver(), 999));
    assert!(convicts(Visibility::of_a_driver(), 1_000));
}
