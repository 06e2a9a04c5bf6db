//! What is judged of Redis: neither more nor less than what happened.

#![allow(clippy::unwrap_used, reason = "a test")]

use credsim::{judge::Judgement, simulation::Simulation};

/// A world with one Redis, and what else is said of the client, the timeline and the calls.
fn failures(client: &str, rest: &str) -> Vec<String> {
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
    let verdict = simulation.play().unwrap().verdict;
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
