//! After dispose: no call, no timer, no token in memory.

use std::collections::BTreeSet;

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{Run, Side},
    scenario::Scenario,
    trace::{Event, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "disposed-is-silent",
    says: "after dispose there is no request, no task, no timer and no token",
    judge,
};

fn judge(scenario: &Scenario, run: &Run) -> Option<Finding> {
    if !scenario.disposes() {
        return None;
    }
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Details, Side::Attempts]) {
        return Some(unseen);
    }
    let mut disposed = BTreeSet::new();
    let fails = |found: String, event: &Event| {
        Some(Finding::fails(
            INVARIANT.name,
            found,
            INVARIANT.says,
            Evidence::of([event]),
        ))
    };
    for event in &run.trace.events {
        match &event.kind {
            Kind::Disposed { instance } => {
                disposed.insert(*instance);
            }
            Kind::RequestSent { instance, .. } | Kind::CommandStarted { instance, .. }
                if disposed.contains(instance) =>
            {
                return fails(format!("#{instance} still asks its source"), event);
            }
            Kind::Leftovers {
                instance,
                tasks,
                timers,
                tokens,
            } if tasks + timers + tokens > 0 => {
                return fails(format!("#{instance} still holds something"), event);
            }
            _ => {}
        }
    }
    let found = format!("{} disposed credentials", disposed.len());
    (!disposed.is_empty()).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}
