//! At most one token request in flight per credential instance and cache key; for commands, per
//! instance and arguments.

use std::collections::BTreeMap;

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{
        Run, Side,
        view::{is_imds, is_imds_token},
    },
    scenario::Scenario,
    trace::{Event, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "single-flight",
    says: "at most one token request is in flight per credential and cache key",
    judge,
};

fn judge(_: &Scenario, run: &Run) -> Option<Finding> {
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Attempts]) {
        return Some(unseen);
    }
    // What is in flight, by instance and key; and the key of each exchange and command.
    let mut in_flight: BTreeMap<(u32, String), &Event> = BTreeMap::new();
    let mut keys: BTreeMap<(bool, u64), (u32, String)> = BTreeMap::new();
    let mut looked_at = 0;
    for event in &run.trace.events {
        let (key, name) = match &event.kind {
            // A bare probe asks whether anybody is there, not for a token.
            Kind::RequestSent { to, .. } if is_imds(to) && !is_imds_token(to) => continue,
            Kind::RequestSent {
                instance,
                exchange,
                key,
                ..
            } => ((*instance, key.to_string()), (false, *exchange)),
            Kind::CommandStarted {
                instance,
                command,
                program,
                args,
                ..
            } => ((*instance, format!("{program} {args}")), (true, *command)),
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
        if let Some(first) = in_flight.insert(key.clone(), event) {
            let found = "a second one is sent while the first has no answer";
            let shown = Evidence::of([first, event]);
            return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
        }
        keys.insert(name, key);
    }
    let found = format!("{looked_at} requests and commands");
    (looked_at > 0).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}
