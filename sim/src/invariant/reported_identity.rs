//! No change of principal that the subject did not report.

use std::collections::BTreeMap;

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{Run, Side, Sight},
    scenario::Scenario,
    trace::{CallOutcome, Event, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "reported-identity",
    says: "no change of principal that the subject did not report",
    judge,
};

/// What is known of an instance.
#[derive(Default)]
struct Known<'a> {
    /// Who answered last, by scope.
    last: BTreeMap<&'a str, (String, &'a Event)>,
    /// Everybody whom the instance reported as the new answerer, with the scopes that have
    /// followed already being of no matter: a change is reported once for all.
    reported: Option<String>,
}

fn judge(_: &Scenario, run: &Run) -> Option<Finding> {
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Calls, Side::Reports]) {
        return Some(unseen);
    }
    let mut instances: BTreeMap<u32, Known<'_>> = BTreeMap::new();
    let mut scopes: BTreeMap<u64, &str> = BTreeMap::new();
    let mut looked_at = 0;
    for event in &run.trace.events {
        match &event.kind {
            Kind::CallStarted { call, scope, .. } => {
                scopes.insert(*call, scope);
            }
            Kind::IdentityChanged {
                instance,
                to,
                refused: false,
                ..
            } => {
                instances.entry(*instance).or_default().reported = Some(to.clone());
            }
            Kind::CallEnded {
                call,
                instance,
                outcome,
                ..
            } => {
                let Some(scope) = scopes.remove(call) else {
                    continue;
                };
                let Some(who) = identity(outcome, run.sight) else {
                    continue;
                };
                looked_at += 1;
                let known = instances.entry(*instance).or_default();
                let before = known.last.get(scope).or_else(|| known.last.values().next());
                if let Some((before, told)) = before
                    && *before != who
                    && !known
                        .reported
                        .as_ref()
                        .is_some_and(|reported| names(reported, &who, run.sight))
                {
                    let found = format!("{who} answers after {before}, and nobody is told");
                    let shown = Evidence::of([*told, event]);
                    return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
                }
                known.last.insert(scope, (who, event));
            }
            _ => {}
        }
    }
    let found = format!("{looked_at} tokens");
    (looked_at > 0).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}

/// Whether a report names `who`, as [`identity`] knows them.
fn names(reported: &str, who: &str, sight: Sight) -> bool {
    if sight.walks {
        reported == who
    } else {
        reported.contains(who)
    }
}

/// Who answered, in the words of an [`IdentityChanged`](Kind::IdentityChanged) event; where the
/// credential is not told, only the object id, which such an event names too.
fn identity(outcome: &CallOutcome, sight: Sight) -> Option<String> {
    let CallOutcome::Token {
        credential,
        principal,
        user,
        ..
    } = outcome
    else {
        return None;
    };
    if !sight.walks {
        return principal.clone();
    }
    Some(match (user, principal) {
        (Some(user), Some(id)) => format!("{credential} as {user} ({id})"),
        (_, Some(id)) => format!("{credential} as {id}"),
        (_, None) => credential.clone(),
    })
}
