//! At most one token request in flight per credential instance and cache key; for commands, per
//! instance and arguments.

use std::collections::BTreeMap;

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::wording::Number;
use crate::{
    service::Asked,
    trace::{Facts, Fingerprint, Kind},
    world,
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "single-flight",
    says: "at most one token request is in flight per credential and cache key",
    is_held_by_silence: false,
    judge,
};

/// What makes two requests or two commands of an instance the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Request(Fingerprint),
    Command { program: &'a str, args: &'a str },
}

fn judge(_: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if let Some(unseen) = unseen(view, &[Aspect::Attempts]) {
        return Some(unseen);
    }
    // What is in flight, by instance and key; and the key of each exchange and command.
    let mut in_flight: BTreeMap<(u32, Key<'_>), Entry<'_>> = BTreeMap::new();
    let mut keys: BTreeMap<(bool, u64), (u32, Key<'_>)> = BTreeMap::new();
    let mut looked_at = 0;
    for event in view.all() {
        let (key, name) = match &event.event.kind {
            // A bare probe asks whether the service is there, not for a token.
            Kind::RequestSent { facts, .. } if is_probe(facts) => continue,
            Kind::RequestSent {
                instance,
                exchange,
                key,
                ..
            } => ((*instance, Key::Request(*key)), (false, *exchange)),
            Kind::CommandStarted {
                instance,
                command,
                program,
                args,
                ..
            } => {
                let key = Key::Command { program, args };
                ((*instance, key), (true, *command))
            }
            Kind::ExchangeEnded { exchange, .. } => {
                keys.remove(&(false, *exchange))
                    .and_then(|key| in_flight.remove(&key));
                continue;
            }
            Kind::CommandEnded { command, .. } => {
                keys.remove(&(true, *command))
                    .and_then(|key| in_flight.remove(&key));
                continue;
            }
            _ => continue,
        };
        looked_at += 1;
        if let Some(first) = in_flight.insert(key, event) {
            let found = "a second one is sent while the first has no answer";
            let shown = Evidence::of([first, event]);
            return Some(Ruling::fails(found, shown));
        }
        keys.insert(name, key);
    }
    let found = Number::of(looked_at).pick(
        "1 request or command".to_owned(),
        format!("{looked_at} requests and commands"),
    );
    (looked_at > 0).then(|| Ruling::holds(found))
}

fn is_probe(facts: &Facts) -> bool {
    world::asked(facts).is_some_and(|(_, asked)| asked == Asked::Probe)
}
