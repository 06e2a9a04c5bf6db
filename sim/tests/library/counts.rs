//! A summary of a trace that is too long to read: one line with a count for each lane and kind of
//! event.

use std::collections::BTreeMap;

use credsim::trace::{CallOutcome, Event, Kind, RedisEvent};

/// A line `lane  what: times` for each kind of event in each lane, sorted.
pub fn counts(events: &[Event]) -> Vec<String> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for event in events {
        let (lane, what) = of(&event.kind);
        *counts.entry((lane, what)).or_default() += 1;
    }
    let line = |((lane, what), times)| format!("{lane:<8} {what}: {times}");
    counts.into_iter().map(line).collect()
}

/// Returns the lane of an event, and the kind under which it is counted there.
fn of(kind: &Kind) -> (String, String) {
    let (lane, what) = match kind {
        Kind::World { .. } => ("world", "changes".to_owned()),
        Kind::FaultInstalled { fault } => ("world", format!("fault begins, {fault}")),
        Kind::FaultLifted { fault } => ("world", format!("fault ends, {fault}")),
        Kind::Built { .. } => ("app", "credential built".to_owned()),
        Kind::NotBuilt { error, .. } => ("app", format!("credential not built, {error}")),
        Kind::Disposed { .. } => ("app", "credential disposed".to_owned()),
        Kind::Leftovers { .. } => ("app", "leftovers".to_owned()),
        Kind::CallStarted { .. } => ("app", "call".to_owned()),
        Kind::CallEnded { outcome, .. } => ("app", call(outcome)),
        Kind::FileRead { .. } => ("app", "file read".to_owned()),
        Kind::IdentityChanged { refused: false, .. } => ("app", "identity changed".to_owned()),
        Kind::IdentityChanged { refused: true, .. } => ("app", "change refused".to_owned()),
        Kind::WorkStarted { .. } => ("app", "work".to_owned()),
        Kind::WorkEnded { outcome, .. } => ("app", format!("work -> {outcome}")),
        Kind::RequestSent { method, .. } => ("client", format!("exchange, {method}")),
        Kind::ResponseReceived { status, .. } => ("client", format!("exchange -> {status}")),
        Kind::ExchangeEnded { how, .. } => ("client", format!("exchange ended, {how}")),
        Kind::RequestArrived { endpoint, what, .. } => {
            return (endpoint.to_string(), what.to_string());
        }
        Kind::RequestAnswered {
            endpoint,
            what,
            status,
            fault,
            ..
        } => {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            return (
                endpoint.to_string(),
                format!("{what} -> {status}{}", by(fault)),
            );
        }
        Kind::CommandStarted { program, .. } => return (program.to_string(), "command".to_owned()),
        Kind::CommandEnded {
            program,
            code,
            fault,
            ..
        } => {
            let code = code.map_or("no exit".to_owned(), |code| format!("exit {code}"));
            return (
                program.to_string(),
                format!("command -> {code}{}", by(fault)),
            );
        }
        Kind::Log { level, .. } => ("log", level.to_string()),
        Kind::HostRefused { .. } => ("proxy", "host refused".to_owned()),
        Kind::NoRoute { .. } => ("proxy", "no route".to_owned()),
        Kind::Unreached { .. } => ("proxy", "unreached".to_owned()),
        Kind::RequestRefused { .. } => ("proxy", "request refused".to_owned()),
        Kind::HandshakeFailed { .. } => ("proxy", "no TLS".to_owned()),
        Kind::RealSecret { .. } => ("warning", "real secret".to_owned()),
        Kind::SecretLeaked { secret, .. } => ("leak", secret.to_string()),
        Kind::Redis(event) => redis(event),
    };
    (lane.to_owned(), what)
}

fn call(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Token { credential, .. } => format!("call -> token of {credential}"),
        CallOutcome::GaveUp {} => "call -> gives up".to_owned(),
        CallOutcome::Error { error, .. } => format!("call -> {error}"),
    }
}

fn redis(event: &RedisEvent) -> (&'static str, String) {
    match event {
        RedisEvent::Opened { .. } => ("redis", "connection opened".to_owned()),
        RedisEvent::Closed { because, .. } => ("redis", format!("connection closed, {because:?}")),
        RedisEvent::SignedIn { accepted: true, .. } => ("redis", "sign-in accepted".to_owned()),
        RedisEvent::SignedIn {
            accepted: false, ..
        } => ("redis", "sign-in refused".to_owned()),
        RedisEvent::Command { name, fault, .. } => ("redis", format!("{name}{}", by(fault))),
        RedisEvent::Unblocked { .. } => ("redis", "unblocked".to_owned()),
        RedisEvent::WorkStarted { .. } => ("app", "work".to_owned()),
        RedisEvent::WorkEnded { replies, .. } => {
            let failed = replies.iter().any(|reply| reply.error);
            (
                "app",
                ["work -> done", "work -> errors"][usize::from(failed)].to_owned(),
            )
        }
        RedisEvent::Received { on, .. } => ("app", format!("message for {on}")),
        RedisEvent::Gap { on, .. } => ("app", format!("gap of {on}")),
        RedisEvent::Reported { what, .. } => ("app", format!("reports {what:?}")),
    }
}

/// The fault that decided the answer, as the end of a line.
fn by<T: std::fmt::Display>(fault: &Option<T>) -> String {
    fault
        .as_ref()
        .map(|fault| format!(", fault {fault}"))
        .unwrap_or_default()
}
