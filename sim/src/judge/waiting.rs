//! The calls that waited while a service was asked, and what became of them.

use std::collections::BTreeSet;

use super::{entry::Entry, view::View};
use crate::fault::Matcher;
use crate::trace::{self, Kind, OUTSIDE};
use crate::wording::counted;

/// The most calls that are named beside one request; further ones are counted.
const MOST: usize = 2;

/// Returns what became of the calls that waited when `request` was sent, arrived or started, as the
/// end of a sentence: `; call 1 gets token 6eeff43466e1648f of AzureCliCredential after 8ms`. `of`
/// finds the requests of this kind. Empty where callers cannot be seen, and for resources, which
/// are used after the call for a token.
pub(super) fn outcomes(view: &View<'_>, of: &dyn Matcher, request: Entry<'_>) -> String {
    if !view.run.visibility.calls || of.lane().starts_with("resource.") {
        return String::new();
    }
    let instances = instances(view, of, request);
    let waiting = view.under_way(request.position, &instances).into_iter();
    let waiting: Vec<String> = waiting
        .map(|(begin, end)| match end {
            Some(end) => trace::call_end(end.event),
            None => trace::call_without_end(begin.event),
        })
        .collect();
    let (shown, more) = waiting.split_at(waiting.len().min(MOST));
    match (shown, more.len()) {
        ([], _) => "; no call waits".to_owned(),
        (shown, 0) => format!("; {}", shown.join("; ")),
        (shown, more) => format!("; {}; and {}", shown.join("; "), counted(more, "more call")),
    }
}

/// The credentials that may have sent `request`: of a command and of what a credential sends, that
/// one; of a request at a service, those with such an exchange under way. Empty if nothing is
/// known.
fn instances(view: &View<'_>, of: &dyn Matcher, request: Entry<'_>) -> BTreeSet<u32> {
    match &request.event.kind {
        Kind::CommandStarted { instance, .. } => {
            let known = (*instance != OUTSIDE).then_some(*instance);
            known.into_iter().collect()
        }
        Kind::RequestSent { instance, .. } => [*instance].into(),
        Kind::RequestArrived { .. } => {
            let at = request.position;
            let is_open = |end: Option<Entry<'_>>| end.is_none_or(|end| end.position > at);
            view.exchanges()
                .take_while(|exchange| exchange.sent.position < at)
                .filter(|exchange| is_open(exchange.ended) && of.matches(exchange.facts))
                .map(|exchange| exchange.instance)
                .collect()
        }
        _ => BTreeSet::new(),
    }
}
