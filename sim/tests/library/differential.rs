//! Two engines, one story: the same application events in the same order, at nearly the same time.

use std::{collections::BTreeMap, time::Duration};

use credsim::trace::{CallOutcome, Event, Kind, RedisEvent, Trace};

/// How far apart in time the same event may be.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// The other engine's event may come so much earlier.
    pub early: Duration,
    /// It may come so much later.
    pub late: Duration,
    /// As much more, either way, for each exchange that has begun.
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

    /// A real machine has less latency than a simulated network, is late by what others do on it,
    /// and never early by more than that latency.
    #[allow(dead_code, reason = "another test target's")]
    pub const REAL: Self = Self {
        early: Duration::from_millis(5),
        late: Duration::from_millis(1200),
        per_exchange: Duration::from_millis(5),
    };
}

/// Another trace of the same story.
pub struct Other<'a> {
    /// Who told it.
    pub name: &'static str,
    pub trace: &'a Trace,
    pub apart: Apart,
}

/// Compares lane by lane: what one endpoint saw, what one caller got, what the world did. Between
/// lanes, events of the same millisecond have no order that two engines could agree on.
pub fn compare(lapse: &Trace, other: &Other<'_>) -> Result<(), String> {
    let Other { name, apart, .. } = other;
    let (lapse, others) = (lanes(lapse), lanes(other.trace));
    for (lane, expected) in &lapse {
        let found = others.get(lane).map_or(&[][..], Vec::as_slice);
        for (index, one) in expected.iter().enumerate() {
            let number = index + 1;
            let Some(other) = found.get(index) else {
                return Err(format!("{lane}: {name} lacks event {number}: {}", one.says));
            };
            if one.says != other.says {
                return Err(format!(
                    "{lane}: event {number} differs\n  lapse:   {}\n  {name}: {}",
                    one.says, other.says
                ));
            }
            let more = apart.per_exchange * one.exchanges.max(other.exchanges);
            let range = one.at.saturating_sub(apart.early + more)..=one.at + apart.late + more;
            if !range.contains(&other.at) {
                return Err(format!(
                    "{lane}: event {number} is at {:?} on lapse and at {:?} on {name}, not within \
                     {range:?}: {}",
                    one.at, other.at, one.says
                ));
            }
        }
        if let Some(more) = found.get(expected.len()) {
            return Err(format!("{lane}: {name} has one event more: {}", more.says));
        }
    }
    match others.keys().find(|lane| !lapse.contains_key(*lane)) {
        Some(lane) => Err(format!("{lane}: only {name} has such events")),
        None => Ok(()),
    }
}

struct Said {
    at: Duration,
    /// How many exchanges had begun by then: each may add to the difference.
    exchanges: u32,
    says: String,
}

fn lanes(trace: &Trace) -> BTreeMap<String, Vec<Said>> {
    let mut lanes: BTreeMap<String, Vec<Said>> = BTreeMap::new();
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
        if let Some((lane, says)) = say(event) {
            let said = Said {
                at: event.at,
                exchanges: exchanges + commands_so_far(event),
                says,
            };
            lanes.entry(lane).or_default().push(said);
        }
    }
    lanes
}

/// The commands of a piece of work that came before this one of it.
fn commands_so_far(event: &Event) -> u32 {
    match &event.kind {
        Kind::Redis(RedisEvent::WorkEnded { replies, .. }) => replies.len() as u32,
        Kind::Redis(RedisEvent::Command { .. }) => 2,
        _ => 0,
    }
}

/// The lane of an event, and what it says without what depends on the millisecond.
fn say(event: &Event) -> Option<(String, String)> {
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
        Kind::Redis(event) => say_of_redis(event),
        Kind::SecretLeaked { place, secret } => ("leak".to_owned(), format!("{place} {secret}")),
        // What the client did in between follows from these, and logs show remaining times.
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

fn say_of_redis(event: &RedisEvent) -> (String, String) {
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
            // Texts of errors tell of times.
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
