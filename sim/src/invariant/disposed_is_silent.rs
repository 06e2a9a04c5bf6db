//! After dispose: no call, no timer, no token in memory.

use std::collections::BTreeSet;

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::trace::Kind;
use crate::wording::counted;

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "disposed-is-silent",
    says: "after dispose there is no request, no task, no timer and no token",
    is_held_by_silence: false,
    judge,
};

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if !plan.disposes() {
        return None;
    }
    if let Some(unseen) = unseen(view, &[Aspect::Details, Aspect::Attempts]) {
        return Some(unseen);
    }
    let mut disposed = BTreeSet::new();
    let fails = |found: String, event: Entry<'_>| Some(Ruling::fails(found, Evidence::of([event])));
    for event in view.all() {
        match &event.event.kind {
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
    let found = counted(disposed.len(), "disposed credential");
    (!disposed.is_empty()).then(|| Ruling::holds(found))
}
