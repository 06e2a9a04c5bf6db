//! `that.error`: every call in a window fails in a certain way.

use jiff::SignedDuration;

use super::lacks;
use crate::judge::{
    Evidence, Finding,
    view::{self, Call, CallEnd, Window},
};
use crate::{
    judge::{Run, Side},
    scenario::ErrorLike,
    trace::CallOutcome,
};

const NAME: &str = "error";

pub(crate) fn judge(run: &Run, wanted: &ErrorLike) -> Finding {
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let calls = window.calls(run);
    let expected = expected(wanted, &window);
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    if calls.is_empty() {
        return Finding::fails(NAME, "there is no such call", expected, Evidence::none());
    }
    let wrongs: Vec<(&Call<'_>, String)> = calls
        .iter()
        .filter_map(|call| Some((call, fault(run, call, wanted)?)))
        .collect();
    let Some((first, fault)) = wrongs.first() else {
        let found = format!("{} calls fail so", calls.len());
        let unseen = run.sight.lacks(&beside_calls(wanted));
        return Finding::holds(NAME, found, expected).unless_unseen(unseen);
    };
    let found = format!(
        "{} of {} calls don't; in the first, {fault}",
        wrongs.len(),
        calls.len()
    );
    Finding::fails(NAME, found, expected, Evidence::of_call(&run.trace, first))
}

/// What it asks for that not everybody who sees the calls can see.
fn beside_calls(wanted: &ErrorLike) -> Vec<Side> {
    let by_name = wanted.credential.as_ref().map(|_| Side::Walks);
    let come_back = wanted.retry_at.map(|_| Side::Details);
    let by_kind = wanted.kind.map(|_| Side::Kinds);
    let in_words = (!wanted.contains.is_empty()).then_some(Side::Words);
    by_name
        .into_iter()
        .chain(come_back)
        .chain(by_kind)
        .chain(in_words)
        .collect()
}

/// What is not as wanted, as far as it can be seen; none if all is.
fn fault(run: &Run, call: &Call<'_>, wanted: &ErrorLike) -> Option<String> {
    let Some(CallEnd { outcome, .. }) = &call.end else {
        return Some("the caller still waits at the end".to_owned());
    };
    let CallOutcome::Error {
        error,
        credential,
        message,
        retry_at,
        ..
    } = outcome
    else {
        return Some("the call does not fail".to_owned());
    };
    if let Some(kind) = wanted
        .kind
        .filter(|kind| run.sight.kinds && kind.name() != error)
    {
        return Some(format!("the kind is {error}, not {}", kind.name()));
    }
    if let Some(name) = wanted
        .credential
        .as_ref()
        .filter(|name| run.sight.walks && *name != credential)
    {
        return Some(format!("the error is {credential}'s, not {name}'s"));
    }
    if run.sight.words
        && let Some(part) = lacks(message, &wanted.contains)
    {
        return Some(format!("the text lacks \"{part}\" (in that order)"));
    }
    let wanted_at = wanted.retry_at.filter(|_| run.sight.details)?;
    let wanted_at = view::world_time(run, wanted_at.0);
    match retry_at {
        None => Some("it does not say when to come back".to_owned()),
        Some(at) => {
            let off = at.duration_since(wanted_at).abs();
            (off > SignedDuration::from_secs(1)).then(|| format!("it says to come back at {at}"))
        }
    }
}

fn expected(wanted: &ErrorLike, window: &Window) -> String {
    let mut text = format!("every call{} fails", window.words());
    if let Some(kind) = wanted.kind {
        text += &format!(" as {}", kind.name());
    }
    if let Some(credential) = &wanted.credential {
        text += &format!(" in {credential}");
    }
    for part in &wanted.contains {
        text += &format!(", saying \"{part}\"");
    }
    if let Some(at) = wanted.retry_at {
        text += &format!(", to come back at {at}");
    }
    text
}
