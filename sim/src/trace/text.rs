//! A trace for people: one line for each event, repeats folded.

use std::{collections::BTreeSet, sync::Arc};

use crate::redact::printable;
use crate::wording::counted;

use super::{
    CallOutcome, Event, Fingerprint, Kind, OUTSIDE, RedisEvent,
    time::{clock, span},
};

/// An event as one line, without a line end: time, who, what.
pub fn line(event: &Event) -> String {
    format!("{:>15}  {}", clock(event.at), printable(&say(&event.kind)))
}

/// Events as lines; runs of events that differ only in their numbers and times become one line
/// that says how often and until when.
pub fn fold(events: &[&Event]) -> Vec<String> {
    let shapes: Vec<String> = events.iter().map(|event| shape(event)).collect();
    let mut lines = Vec::new();
    let mut index = 0;
    while index < events.len() {
        let (period, times) = repeats(&shapes[index..]);
        lines.extend(
            events[index..index + period]
                .iter()
                .map(|event| line(event)),
        );
        if times > 1 {
            let all = &events[index..index + period * times];
            let last = events[index + period * times - 1];
            let what = if period == 1 {
                "line".to_owned()
            } else {
                format!("{period} lines")
            };
            lines.push(format!(
                "{:>15}  ... the {what} above {}{}, until {}",
                "",
                counted(times - 1, "more time"),
                speakers(&all[..period], all),
                clock(last.at)
            ));
        }
        index += period * times;
    }
    lines
}

/// Names the credentials that speak in the events of a fold, if not all of them speak in `shown`,
/// the lines that stand for them.
fn speakers(shown: &[&Event], all: &[&Event]) -> String {
    let of = |events: &[&Event]| -> BTreeSet<u32> {
        let instances = events.iter().filter_map(|event| event.kind.instance());
        instances.filter(|instance| *instance != OUTSIDE).collect()
    };
    let speak = of(all);
    if speak == of(shown) {
        return String::new();
    }
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for one in speak {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == one => *last = one,
            _ => runs.push((one, one)),
        }
    }
    let runs = runs.into_iter().map(|(first, last)| {
        if first == last {
            format!("#{first}")
        } else {
            format!("#{first} to #{last}")
        }
    });
    format!(", by {}", runs.collect::<Vec<_>>().join(", "))
}

/// The longest pattern whose repetition is folded, in events.
const LONGEST_PATTERN: usize = 24;
/// How often a pattern must stand in a row to be folded.
const WORTH_FOLDING: usize = 3;

/// How many of the first events form a pattern, and how often it stands there in a row.
fn repeats(shapes: &[String]) -> (usize, usize) {
    for period in 1..=LONGEST_PATTERN.min(shapes.len() / WORTH_FOLDING) {
        let (pattern, rest) = shapes.split_at(period);
        let times = 1 + rest
            .chunks_exact(period)
            .take_while(|chunk| *chunk == pattern)
            .count();
        if times >= WORTH_FOLDING {
            return (period, times);
        }
    }
    (1, 1)
}

/// What makes two events alike: their words without the numbers that count.
fn shape(event: &Event) -> String {
    let mut kind = event.kind.clone();
    match &mut kind {
        Kind::CallStarted {
            call,
            caller,
            instance,
            ..
        } => {
            (*call, *caller, *instance) = (0, 0, 0);
        }
        Kind::CallEnded {
            call,
            instance,
            outcome,
            ..
        } => {
            (*call, *instance) = (0, 0);
            if let CallOutcome::Token { token, .. } = Arc::make_mut(outcome) {
                *token = Fingerprint::MIN;
            }
        }
        Kind::WorkStarted { call, caller, .. } => (*call, *caller) = (0, 0),
        Kind::WorkEnded { call, .. } => *call = 0,
        Kind::RequestSent {
            instance, exchange, ..
        }
        | Kind::ResponseReceived {
            instance, exchange, ..
        }
        | Kind::ExchangeEnded {
            instance, exchange, ..
        } => (*instance, *exchange) = (0, 0),
        Kind::RequestArrived { request, .. } => *request = 0,
        Kind::RequestAnswered { request, token, .. } => (*request, *token) = (0, None),
        Kind::CommandStarted {
            instance, command, ..
        } => (*instance, *command) = (0, 0),
        Kind::CommandEnded {
            instance,
            command,
            token,
            ..
        } => {
            (*instance, *command, *token) = (0, 0, None);
        }
        Kind::Built { instance, .. } | Kind::FileRead { instance, .. } => *instance = 0,
        Kind::Redis(event) => event.forget_numbers(),
        // They count nothing, or are worth a line of their own for each instance.
        Kind::World { .. }
        | Kind::FaultInstalled { .. }
        | Kind::FaultLifted { .. }
        | Kind::NotBuilt { .. }
        | Kind::Disposed { .. }
        | Kind::Leftovers { .. }
        | Kind::IdentityChanged { .. }
        | Kind::Log { .. }
        | Kind::HostRefused { .. }
        | Kind::NoRoute { .. }
        | Kind::Unreached { .. }
        | Kind::RequestRefused { .. }
        | Kind::HandshakeFailed { .. }
        | Kind::RealSecret { .. }
        | Kind::SecretLeaked { .. } => {}
    }
    say(&kind)
}

fn say(kind: &Kind) -> String {
    match kind {
        Kind::World { what } => format!("world    {what}"),
        Kind::FaultInstalled { fault } => format!("world    fault begins: {fault}"),
        Kind::FaultLifted { fault } => format!("world    fault ends: {fault}"),
        Kind::Built {
            instance,
            credential,
        } => format!("app      #{instance} is a new {credential}"),
        Kind::NotBuilt {
            instance,
            error,
            message,
        } => {
            format!(
                "app      #{instance} can't be built: {error}: {}",
                one_line(message)
            )
        }
        Kind::Disposed { instance } => format!("app      #{instance} is disposed"),
        Kind::Leftovers {
            instance,
            tasks,
            timers,
            tokens,
        } => format!(
            "app      #{instance} still holds {}, {}, {}",
            counted(*tasks, "task"),
            counted(*timers, "timer"),
            counted(*tokens, "token"),
        ),
        Kind::CallStarted {
            call,
            instance,
            scope,
            ..
        } => {
            format!("app      call {call} asks #{instance} for {scope}")
        }
        Kind::CallEnded {
            call,
            waited,
            outcome,
            ..
        } => {
            format!(
                "app      call {call} {} after {}{}",
                answer(outcome),
                span(*waited),
                outcome.walk_in_words()
            )
        }
        Kind::WorkStarted { call, work, .. } => {
            format!("app      call {call} {}", one_line(work))
        }
        Kind::WorkEnded {
            call,
            waited,
            outcome,
            ..
        } => format!(
            "app      call {call} {} after {}",
            one_line(outcome),
            span(*waited)
        ),
        Kind::RequestSent {
            instance,
            exchange,
            method,
            to,
            ..
        } => {
            format!("client   #{instance} sends {method} {to} (exchange {exchange})")
        }
        Kind::ResponseReceived {
            exchange,
            status,
            retry_after,
            ..
        } => {
            let after = retry_after
                .as_ref()
                .map(|after| format!(", {after}"))
                .unwrap_or_default();
            format!("client   exchange {exchange} receives {status}{after}")
        }
        Kind::ExchangeEnded { exchange, how, .. } => format!("client   exchange {exchange}: {how}"),
        Kind::RequestArrived {
            endpoint,
            request,
            peer: _,
            what,
            line,
            detail,
            facts: _,
        } => {
            let detail = if detail.is_empty() {
                String::new()
            } else {
                format!(" [{detail}]")
            };
            format!("{endpoint:<8} request {request} ({what}): {line}{detail}")
        }
        Kind::RequestAnswered {
            endpoint,
            request,
            status,
            why,
            fault,
            principal,
            ..
        } => {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            format!(
                "{endpoint:<8} request {request} -> {status}: {why}{}{}",
                suffix("fault", fault.as_deref()),
                suffix("as", principal.as_deref())
            )
        }
        Kind::CommandStarted {
            instance,
            command,
            program,
            args,
            facts: _,
        } => {
            let of = match *instance {
                OUTSIDE => String::new(),
                instance => format!(" of #{instance}"),
            };
            format!("{program:<8} command {command}{of}: {program} {args}")
        }
        Kind::CommandEnded {
            command,
            program,
            code,
            why,
            fault,
            principal,
            ..
        } => {
            let code = code.map_or("no exit".to_owned(), |code| format!("exit {code}"));
            format!(
                "{program:<8} command {command} -> {code}: {why}{}{}",
                suffix("fault", fault.as_deref()),
                suffix("as", principal.as_deref())
            )
        }
        Kind::FileRead {
            instance,
            path,
            outcome,
        } => format!("app      #{instance} reads {path}: {outcome}"),
        Kind::IdentityChanged {
            instance,
            from,
            to,
            refused,
        } => {
            let verb = if *refused {
                "refuses to change"
            } else {
                "reports a change"
            };
            format!("app      #{instance} {verb} from {from} to {to}")
        }
        Kind::Log { level, message } => format!("log      {level} {}", one_line(message)),
        Kind::HostRefused { host, other } => {
            let other = other.as_ref().map(|other| format!("; {other}"));
            let other = other.unwrap_or_default();
            format!("proxy    refuses {host}: the scenario has no such host{other}")
        }
        Kind::NoRoute { host } => format!("proxy    has no route to {host}"),
        Kind::Unreached { host, why, shown } => {
            let who = if *shown { "network" } else { "proxy" };
            format!("{who:<8} a client waits for {host}: {why}")
        }
        Kind::RequestRefused { why } => format!("proxy    refuses a request: {}", one_line(why)),
        Kind::HandshakeFailed { host, why, direct } => {
            let who = if *direct { "network" } else { "proxy" };
            format!("{who:<8} no TLS with {host}: {why}")
        }
        Kind::RealSecret { endpoint, what } => {
            format!("warning  a request to {endpoint} holds {what}")
        }
        Kind::Redis(event) => {
            let (who, what) = event.say();
            format!("{who:<8} {}", one_line(&what))
        }
        Kind::SecretLeaked { place, secret } => format!("leak     a {secret} in a {place}"),
    }
}

/// The end of a call in one clause: its outcome without the words of an error and without a walk.
/// Empty for any other event.
pub(crate) fn call_end(event: &Event) -> String {
    match &event.kind {
        Kind::CallEnded {
            call,
            waited,
            outcome,
            ..
        } => {
            let outcome = match &**outcome {
                CallOutcome::Error { error, .. } => format!("fails ({error})"),
                outcome @ (CallOutcome::Token { .. } | CallOutcome::GaveUp {}) => answer(outcome),
            };
            format!("call {call} {outcome} after {}", span(*waited))
        }
        Kind::WorkEnded {
            call,
            waited,
            outcome,
            ..
        } => format!("call {call} {} after {}", one_line(outcome), span(*waited)),
        Kind::Redis(event @ RedisEvent::WorkEnded { .. }) => one_line(&event.say().1),
        _ => String::new(),
    }
}

/// A call that began with this event and has no end. Empty for any other event.
pub(crate) fn call_without_end(event: &Event) -> String {
    match &event.kind {
        Kind::CallStarted { call, .. }
        | Kind::WorkStarted { call, .. }
        | Kind::Redis(RedisEvent::WorkStarted { call, .. }) => {
            format!("call {call} has no answer yet")
        }
        _ => String::new(),
    }
}

fn suffix(word: &str, value: Option<&str>) -> String {
    value
        .map(|value| format!(", {word} {value}"))
        .unwrap_or_default()
}

fn answer(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Token {
            token,
            credential,
            principal,
            user,
            ..
        } => {
            let whom = user.as_ref().or(principal.as_ref());
            format!(
                "gets token {token} of {credential}{}",
                suffix("as", whom.map(String::as_str))
            )
        }
        CallOutcome::GaveUp {} => "gives up".to_owned(),
        CallOutcome::Error { error, message, .. } => {
            format!("fails ({error}): {}", one_line(message))
        }
    }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asks(number: u64, instance: u32) -> Event {
        let kind = Kind::CallStarted {
            call: number,
            step: 1,
            caller: 1,
            instance,
            scope: "s".into(),
        };
        let at = Duration::from_secs(number);
        Event { at, kind }
    }

    fn folded(instances: &[u32]) -> Vec<String> {
        let events = (1..).zip(instances);
        let events: Vec<Event> = events.map(|(call, one)| asks(call, *one)).collect();
        fold(&events.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_fold_names_the_credentials_that_its_first_line_does_not() {
        let other = folded(&[1, 2, 3, 4, 7]);
        assert_eq!(
            other,
            [
                "00:00:01.000000  app      call 1 asks #1 for s",
                "                 ... the line above 4 more times, by #1 to #4, #7, until 00:00:05.000000",
            ]
        );
        let same = folded(&[1, 1, 1]);
        assert_eq!(
            same[1],
            "                 ... the line above 2 more times, until 00:00:03.000000"
        );
    }
}
