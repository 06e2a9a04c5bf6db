//! No change of principal that the subject did not report.

use std::{collections::BTreeMap, fmt};

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::wording::counted;
use crate::{
    judge::Visibility,
    trace::{CallOutcome, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "reported-identity",
    says: "no change of principal that the subject did not report",
    is_held_by_silence: false,
    judge,
};

/// What is known of an instance.
#[derive(Default)]
struct Known<'a> {
    /// The identity that answered last, by scope.
    last: BTreeMap<&'a str, (Answerer<'a>, Entry<'a>)>,
    /// The new answerer that the instance reported last. A change is reported once for all scopes.
    reported: Option<&'a str>,
}

fn judge(_: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if let Some(unseen) = unseen(view, &[Aspect::Calls, Aspect::Reports]) {
        return Some(unseen);
    }
    let mut instances: BTreeMap<u32, Known<'_>> = BTreeMap::new();
    let mut scopes: BTreeMap<u64, &str> = BTreeMap::new();
    let mut looked_at = 0;
    let visibility = view.run.visibility;
    for event in view.all() {
        match &event.event.kind {
            Kind::CallStarted { call, scope, .. } => {
                scopes.insert(*call, scope);
            }
            Kind::IdentityChanged {
                instance,
                to,
                refused: false,
                ..
            } => {
                instances.entry(*instance).or_default().reported = Some(to);
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
                let Some(who) = Answerer::of(outcome, visibility) else {
                    continue;
                };
                looked_at += 1;
                let known = instances.entry(*instance).or_default();
                let before = known.last.get(scope).or_else(|| known.last.values().next());
                if let Some((before, answered)) = before
                    && *before != who
                    && !known
                        .reported
                        .is_some_and(|reported| who.is_named_in(reported, visibility))
                {
                    let found =
                        format!("{who} answers after {before}, and the change is not reported");
                    let shown = Evidence::of([*answered, event]);
                    return Some(Ruling::fails(found, shown));
                }
                known.last.insert(scope, (who, event));
            }
            _ => {}
        }
    }
    let found = counted(looked_at, "token");
    (looked_at > 0).then(|| Ruling::holds(found))
}

/// The identity behind a token, as far as it can be seen: where the credential is not told, only
/// the object id.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Answerer<'a> {
    credential: Option<&'a str>,
    user: Option<&'a str>,
    principal: Option<&'a str>,
}

impl<'a> Answerer<'a> {
    /// The identity that answered, if the call got a token.
    fn of(outcome: &'a CallOutcome, visibility: Visibility) -> Option<Self> {
        let CallOutcome::Token {
            credential,
            principal,
            user,
            ..
        } = outcome
        else {
            return None;
        };
        let principal = principal.as_deref();
        if !visibility.walks {
            return Some(Self {
                credential: None,
                user: None,
                principal: Some(principal?),
            });
        }
        Some(Self {
            credential: Some(credential),
            user: user.as_deref().filter(|_| principal.is_some()),
            principal,
        })
    }

    /// Whether a report names it.
    fn is_named_in(&self, reported: &str, visibility: Visibility) -> bool {
        let name = self.to_string();
        if visibility.walks {
            reported == name
        } else {
            reported.contains(&name)
        }
    }
}

impl fmt::Display for Answerer<'_> {
    /// In the words of an [`IdentityChanged`](Kind::IdentityChanged) event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = self.credential.map_or("", |_| " as ");
        f.write_str(self.credential.unwrap_or_default())?;
        match (self.user, self.principal) {
            (Some(user), Some(id)) => write!(f, "{separator}{user} ({id})"),
            (None, Some(id)) => write!(f, "{separator}{id}"),
            (_, None) => Ok(()),
        }
    }
}
