//! A token that is still valid is never withheld because a refresh failed.

use std::{collections::BTreeMap, time::Duration};

use credsim_identity::TokenRequest;
use jiff::Timestamp;

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::wording::counted;
use crate::{
    call::Which,
    judge::view::{Call, CallEnd},
    trace::CallOutcome,
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "valid-token-kept",
    says: "a token that is still valid is never withheld because a refresh failed",
    is_held_by_silence: false,
    judge,
};

/// The last token that an instance handed out for a scope in a tenant.
struct Held<'a> {
    expires_on: Timestamp,
    /// When it ends by the time since it was received: a clock that is set back stretches nothing.
    ends: Duration,
    event: Entry<'a>,
}

impl<'a> Held<'a> {
    /// The token that a call received, after `known` in its place.
    fn received(end: &CallEnd<'a>, expires_on: Timestamp, known: Option<&Self>) -> Self {
        let left = Duration::try_from(expires_on.duration_since(end.host_time));
        let lasts_until = end.event.at + left.unwrap_or_default();
        // The same token seen again: what counts is when it was first received.
        let ends = match known {
            Some(known) if known.expires_on == expires_on => known.ends.min(lasts_until),
            _ => lasts_until,
        };
        Self {
            expires_on,
            ends,
            event: end.event,
        }
    }
}

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let credential = &plan.subject.credential;
    if credential.keeps_nothing() {
        return None;
    }
    let needs: &[Aspect] = if credential.keeps_as_its_member() {
        &[Aspect::Calls, Aspect::Walks]
    } else {
        &[Aspect::Calls]
    };
    if let Some(unseen) = unseen(view, needs) {
        return Some(unseen);
    }
    let mut held: BTreeMap<(u32, &str, Option<&str>, bool), Held<'_>> = BTreeMap::new();
    let mut looked_at = 0;
    let asked = plan.call.iter();
    let asked = asked.map(|call| call.action.token_request(plan.world, Which::FIRST));
    let asked: Vec<Option<TokenRequest>> = asked.collect();
    for call in by_end(view) {
        let Some(end) = &call.end else { continue };
        let asked = call
            .step
            .checked_sub(1)
            .and_then(|step| asked.get(step)?.as_ref());
        let tenant = asked.and_then(TokenRequest::tenant);
        // A caller that handles continuous access evaluation has tokens of another kind (PR-26).
        let cae = asked.is_some_and(TokenRequest::cae);
        let key = (call.instance, call.scope, tenant, cae);
        match end.outcome {
            CallOutcome::Token {
                expires_on,
                credential: answered_by,
                ..
            } => {
                if !credential.keeps_from(answered_by) {
                    continue;
                }
                let token = Held::received(end, *expires_on, held.get(&key));
                held.insert(key, token);
            }
            CallOutcome::Error { error, .. } => {
                let Some(token) = held.get(&key) else {
                    continue;
                };
                let excused = matches!(error.as_str(), "cancelled" | "configuration")
                    // Other claims ask for more than a held token can give.
                    || asked.is_some_and(|asked| asked.claims().is_some());
                if excused {
                    continue;
                }
                looked_at += 1;
                if token.expires_on > end.host_time && token.ends > end.event.at {
                    let found = format!(
                        "a call fails while a token until {} is held",
                        token.expires_on
                    );
                    let shown = Evidence::of([token.event].into_iter().chain(call.events()));
                    return Some(Ruling::fails(found, shown));
                }
            }
            CallOutcome::GaveUp {} => {}
        }
    }
    let found = format!(
        "{} after a token, none of them with a valid one",
        counted(looked_at, "failed call")
    );
    (!held.is_empty()).then(|| Ruling::holds(found))
}

/// The calls in the order in which they ended, those of one moment in the order in which they
/// began.
fn by_end<'a>(view: &View<'a>) -> impl Iterator<Item = Call<'a>> {
    let calls = view.calls().enumerate();
    let mut ends: Vec<(Duration, usize)> = calls
        .filter_map(|(index, call)| Some((call.end?.event.at, index)))
        .collect();
    ends.sort_unstable();
    ends.into_iter()
        .filter_map(|(_, index)| view.call_at(index))
}
