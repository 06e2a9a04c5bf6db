//! The Redis expectations and invariants count exactly what is in the trace.

#![allow(clippy::unwrap_used, reason = "a test")]

use credsim::{
    judge::Judgement,
    simulation::{Played, Simulation},
    trace::{Kind, RedisEvent},
};

/// Plays a world with one Redis, with the options `client` of the subject and with `rest`: the
/// timeline, the calls and the expectations. Returns what fails.
fn failures(client: &str, rest: &str) -> Vec<String> {
    failures_of(client, rest, |_| {})
}

/// As [`failures`], after `change` has altered the events of the run.
fn failures_of(client: &str, rest: &str, change: impl Fn(&mut Kind)) -> Vec<String> {
    let text = format!(
        r#"
title = "A world"
story = "A story."
sources = ["a test"]
facts = ["RD-01"]
promises = ["PR-30"]
world.start = "2026-01-01T00:00:00Z"
world.lasts = "10m"
world.imds.system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
world.redis.principals = ["5e29463d-0000-0000-0000-000000000001"]
subject.credential.managed-identity = {{}}
subject.redis = {{ {client} }}
{rest}"#
    );
    let simulation = Simulation::text("test", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut runs = simulation.play().unwrap().runs;
    let events = runs[0].trace.events.iter_mut();
    events.for_each(|event| change(&mut event.kind));
    let verdict = Played::judge(&simulation.loaded().scenario, runs).verdict;
    let findings = verdict.findings();
    let failed = findings.filter(|finding| finding.outcome != Judgement::Holds);
    failed.map(|finding| format!("{finding:?}")).collect()
}

#[test]
fn a_connection_that_stays_broken_by_its_kind_may() {
    let story = r#"
at = [
    { time = "1m", do.crash = { service = "redis" } },
    { time = "2m", do.restart = { service = "redis" } },
]
call = [{ every = "10s", do.redis = { send = ["INCR visits"] } }]
[[expect]]
why = "before, all is well"
that.redis-replies = { until = "1m" }
"#;
    let stays = failures("client = \"single\"", story);
    assert!(stays.is_empty(), "{stays:?}");
    let again = failures("client = \"managed\"", story);
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn a_single_server_is_node_1() {
    let failed = failures(
        "",
        r#"
call = [{ at = "1s", do.redis = { send = ["SET a 1"] } }]
[[expect]]
why = "there is no other"
that.requests = { to.redis = { command = "SET", node = 1 }, exactly = 1 }
"#,
    );
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_long_message_is_the_one_that_was_published() {
    let failed = failures(
        "",
        r#"
call = [
    { at = "1s", do.redis-subscribe = { channels = ["news"] } },
    { at = "5s", do.redis = { send = ["PUBLISH news 'a message that is a little longer than forty characters'"] } },
]
[[expect]]
why = "it is heard"
that.redis-received = { at-least = 1 }
"#,
    );
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_message_published_in_a_transaction_is_published_by_exec() {
    let failed = failures(
        "",
        r#"
call = [
    { at = "1s", do.redis-subscribe = { channels = ["news"] } },
    { at = "5s", do.redis = { how = "transaction", send = ["PUBLISH news one", "SET a 1", "PUBLISH news two"] } },
    { at = "6s", do.redis = { send = ["MULTI", "PUBLISH news three", "DISCARD", "PUBLISH news four"] } },
]
[[expect]]
why = "what EXEC runs is published, and what DISCARD forgets is not"
that.redis-received = { at-least = 3 }
"#,
    );
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn messages_are_compared_in_full() {
    let begins = "a message that is a little longer than forty characters, and";
    let story = format!(
        r#"
call = [
    {{ at = "1s", do.redis-subscribe = {{ channels = ["the news"] }} }},
    {{ at = "5s", do.redis = {{ send = ["PUBLISH 'the news' '{begins} ends'"] }} }},
]
[[expect]]
why = "it is heard"
that.redis-received = {{ at-least = 1 }}
"#
    );
    let failed = failures("", &story);
    assert!(failed.is_empty(), "{failed:?}");
    let failed = failures_of("", &story, |kind| {
        if let Kind::Redis(RedisEvent::Received { message, .. }) = kind {
            *message = format!("{begins} is torn");
        }
    });
    assert!(failed.len() == 1, "{failed:?}");
    assert!(failed[0].contains("never comes in its turn"), "{failed:?}");
}

#[test]
fn a_subscription_is_known_by_its_kind_and_not_by_its_text() {
    let story = r#"
call = [
    { at = "1s", do.redis-subscribe = { channels = ["news"] } },
    { at = "5s", do.redis = { send = ["PUBLISH news one"] } },
]
[[expect]]
why = "it is heard"
that.redis-received = { at-least = 1 }
"#;
    let failed = failures_of("", story, |kind| {
        if let Kind::Redis(RedisEvent::WorkStarted { send, .. }) = kind {
            *send = "in other words".to_owned();
        }
    });
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn multi_and_exec_belong_to_the_transaction_for_faults_and_expectations_alike() {
    for command in ["MULTI", "SET", "EXEC"] {
        let story = format!(
            r#"
at = [
    {{ time = "0s", do.fault = {{ name = "F", on.redis = {{ command = "{command}", in-transaction = true }}, then.error = {{ text = "ERR no" }}, first = 1 }} }},
]
call = [{{ at = "1s", do.redis = {{ send = ["MULTI", "SET a 1", "EXEC"] }} }}]
[[expect]]
why = "the fault strikes"
that.redis-failure = {{ command = "{command}" }}
[[expect]]
why = "what it struck is counted"
that.requests = {{ to.redis = {{ command = "{command}", in-transaction = true }}, exactly = 1 }}
"#
        );
        let failed = failures("", &story);
        assert!(failed.is_empty(), "{command}: {failed:?}");
    }
}
