//! No secret in logs, traces, errors or Debug output.

use super::{Evidence, Invariant, Plan, Ruling, View};
use crate::wording::counted;
use crate::{
    redact::looks_like_token,
    trace::{Event, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "no-secret-told",
    says: "no secret is in a log, a trace, an error or a Debug output",
    is_held_by_silence: true,
    judge,
};

fn judge(_: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let events = &view.run.trace.events;
    for event in events {
        if let Kind::SecretLeaked { place, secret } = &event.kind {
            let found = format!("a {secret} is in a {place}");
            let shown = Evidence::of([event]);
            return Some(Ruling::fails(found, shown));
        }
        if shows_token(event) {
            // The line itself must not be shown.
            let found = format!("a token is in the trace, at {:?}", event.at);
            return Some(Ruling::fails(found, Evidence::none()));
        }
    }
    let found = counted(events.len(), "event");
    Some(Ruling::holds(found))
}

/// Whether an event shows what looks like a JSON Web Token, in any of the texts that come from
/// outside the harness.
fn shows_token(event: &Event) -> bool {
    let texts: &[&str] = match &event.kind {
        Kind::RequestSent { to, .. } => &[to],
        Kind::RequestArrived { line, detail, .. } => &[line, detail],
        Kind::RequestAnswered { why, .. } | Kind::CommandEnded { why, .. } => &[why],
        Kind::CommandStarted { args, .. } => &[args],
        Kind::ExchangeEnded { how, .. } => &[how],
        _ => &[],
    };
    texts.iter().any(|text| looks_like_token(text))
}
