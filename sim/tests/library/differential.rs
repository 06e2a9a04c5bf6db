//! Compares two engines: the same application events in the same order, at nearly the same time.

use std::{collections::BTreeMap, time::Duration};

use credsim::trace::{CallOutcome, Event, Kind, RedisEvent, Trace};

/// How far apart in time the same event may be.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// The other engine's event may be earlier by this much.
    pub early: Duration,
    /// It may be later by this much.
    pub late: Duration,
    /// Added to both for each exchange that has begun by then.
    pub per_exchange: Duration,
}

impl Apart {
    /// An engine that does its work in ticks of a millisecond: five ticks per exchange.
    #[allow(dead_code, reason = "another test target's")]
    pub const TICKS: Self = Self {
        early: Duration::from_millis(5),
        late: Duration::from_millis(5),
        per_exchange: Duration::from_millis(5),
    };

    /// Real sockets have less latency than the simulated network, so an event may be early by that
    /// latency at most; load of the machine makes it late.
    #[allow(dead_code, reason = "another test target's")]
    pub const REAL: Self = Self {
        early: Duration::from_millis(5),
        late: Duration::from_millis(1200),
        per_exchange: Duration::from_millis(5),
    };
}

/// A trace of the same scenario from another engine.
pub struct Other<'a> {
    /// The name of the engine.
    pub name: &'static str,
    pub trace: &'a Trace,
    pub apart: Apart,
}

/// Compares lane by lane: the events of one endpoint, of one caller, of the world. Between lanes
/// the order of events within one millisecond is not defined, so engines may differ in it.
pub fn compare(lapse: &Trace, other: &Other<'_>) -> Result<(), String> {
    let Other { name, apart, .. } = other;
    let (lapse, others) = (lanes(lapse), lanes(other.trace));
    for (lane, expected) in &lapse {
        let found = others.get(lane).map_or(&[][..], Vec::as_slice);
        for (index, one) in expected.iter().enumerate() {
            let number = index + 1;
            let Some(other) = found.get(index) else {
                return Err(format!("{lane}: {name} lacks event {number}: {}", one.text));
            };
            if one.text != other.text {
                return Err(format!(
                    "{lane}: event {number} differs\n  lapse:   {}\n  {name}: {}",
                    one.text, other.text
                ));
            }
            let more = apart.per_exchange * one.exchanges.max(other.exchanges);
            let range = one.at.saturating_sub(apart.early + more)..=one.at + apart.late + more;
            if !range.contains(&other.at) {
                return Err(format!(
                    "{lane}: event {number} is at {:?} on lapse and at {:?} on {name}, not within \
                     {range:?}: {}",
                    one.at, other.at, one.text
                ));
            }
        }
        if let Some(more) = found.get(expected.len()) {
            return Err(format!("{lane}: {name} has one event more: {}", more.text));
        }
    }
    match others.keys().find(|lane| !lapse.contains_key(*lane)) {
        Some(lane) => Err(format!("{lane}: only {name} has such events")),
        None => Ok(()),
    }
}

struct Comparable {
    at: Duration,
    /// How many exchanges had begun by then: each adds to the allowed difference.
    exchanges: u32,
    text: String,
}

fn lanes(trace: &Trace) -> BTreeMap<String, Vec<Comparable>> {
    let mut lanes: BTreeMap<String, Vec<Comparable>> = BTreeMap::new();
    let mut exchanges = 0;
    for event in &trace.events {
        if matches!(
            event.kind,
            Kind::RequestSent { .. }
                | Kind::CommandStarted { .. }
                | Kind::Redis(RedisEvent::Opened { .. } | RedisEvent::SignedIn { .. })
        ) {
            exchanges += 1;
        }
        if let Some((lane, text)) = described(event) {
            let entry = Comparable {
                at: event.at,
                exchanges: exchanges + commands_so_far(event),
                text,
            };
            lanes.entry(lane).or_default().push(entry);
        }
    }
    lanes
}

/// The number of Redis commands that have been exchanged up to this event; each may add to the
/// difference in time.
fn commands_so_far(event: &Event) -> u32 {
    match &event.kind {
        Kind::Redis(RedisEvent::WorkEnded { replies, .. }) => replies.len() as u32,
        Kind::Redis(RedisEvent::Command { .. }) => 2,
        _ => 0,
    }
}

/// Returns the lane of an event and its text without what depends on the millisecond; `None` for an
/// event that is not compared.
fn described(event: &Event) -> Option<(String, String)> {
    Some(match &event.kind {
        Kind::RequestArrived {
            endpoint,
            what,
            line,
            detail,
            ..
        } => (endpoint.to_string(), format!("{what} {line} {detail}")),
        Kind::RequestAnswered {
            endpoint,
            status,
            why,
            fault,
            principal,
            ..
        } => (
            endpoint.to_string(),
            format!("{status:?} {why} {fault:?} {principal:?}"),
        ),
        Kind::CommandStarted { program, args, .. } => (program.to_string(), args.to_string()),
        Kind::CommandEnded {
            program,
            code,
            why,
            fault,
            principal,
            ..
        } => (
            program.to_string(),
            format!("{code:?} {why} {fault:?} {principal:?}"),
        ),
        Kind::CallStarted { call, scope, .. } => (format!("call {call}"), scope.to_string()),
        Kind::CallEnded { call, outcome, .. } => (format!("call {call}"), answer(outcome)),
        Kind::WorkStarted { call, work, .. } => (format!("call {call}"), work.clone()),
        Kind::WorkEnded { call, outcome, .. } => (format!("call {call}"), outcome.clone()),
        Kind::IdentityChanged {
            from, to, refused, ..
        } => ("identity".to_owned(), format!("{from} -> {to} {refused}")),
        Kind::World { what } => ("world".to_owned(), what.clone()),
        Kind::FaultInstalled { fault } => ("world".to_owned(), format!("begins {fault}")),
        Kind::FaultLifted { fault } => ("world".to_owned(), format!("ends {fault}")),
        Kind::Built { credential, .. } => ("built".to_owned(), credential.clone()),
        Kind::NotBuilt { message, .. } => ("built".to_owned(), message.clone()),
        Kind::Disposed { .. } => ("world".to_owned(), "disposed".to_owned()),
        Kind::Leftovers {
            tasks,
            timers,
            tokens,
            ..
        } => ("world".to_owned(), format!("{tasks} {timers} {tokens}")),
        Kind::Redis(event) => described_redis(event),
        Kind::SecretLeaked { place, secret } => ("leak".to_owned(), format!("{place} {secret}")),
        // The steps of the client in between follow from these, and logs contain remaining times.
        _ => return None,
    })
}

fn answer(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Token {
            credential,
            principal,
            ..
        } => format!("{credential} {principal:?}"),
        CallOutcome::GaveUp {} => "gave up".to_owned(),
        CallOutcome::Error {
            error, credential, ..
        } => format!("{error} {credential}"),
    }
}

fn described_redis(event: &RedisEvent) -> (String, String) {
    let connection = |number: &u64| format!("redis connection {number}");
    match event {
        RedisEvent::Opened {
            node,
            connection: number,
        } => (connection(number), format!("to {node}")),
        RedisEvent::SignedIn {
            connection: number,
            user,
            accepted,
            why,
            ..
        } => (connection(number), format!("{user} {accepted} {why}")),
        RedisEvent::Command {
            connection: number,
            name,
            args,
            user,
            transaction,
            reply,
            fault,
            ..
        } => (
            connection(number),
            format!("{name} {args} {user:?} {transaction:?} {reply} {fault:?}"),
        ),
        RedisEvent::Unblocked {
            connection: number,
            reply,
            ..
        } => (connection(number), format!("has waited {reply}")),
        RedisEvent::Closed {
            connection: number,
            because,
            transaction,
            ..
        } => (connection(number), format!("{because:?} {transaction:?}")),
        RedisEvent::WorkStarted { call, send, .. } => (format!("call {call}"), send.clone()),
        RedisEvent::WorkEnded { call, replies, .. } => {
            // Texts of errors contain times.
            let reply = |reply: &credsim::trace::RedisReply| match reply.error {
                true => format!("{} fails", reply.command),
                false => format!("{} {}", reply.command, reply.reply),
            };
            let replies: Vec<String> = replies.iter().map(reply).collect();
            (format!("call {call}"), replies.join(", "))
        }
        RedisEvent::Received {
            on,
            channel,
            message,
        } => (on.clone(), format!("{channel} {message}")),
        RedisEvent::Gap { on, .. } => (on.clone(), "gap".to_owned()),
        RedisEvent::Reported { what, .. } => (format!("{what:?}"), String::new()),
    }
}
