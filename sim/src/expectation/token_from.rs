//! `that.token-from`: every call in a window gets a token, from a certain identity.

use jiff::SignedDuration;

use crate::judge::{
    Evidence, Finding,
    view::{Call, CallEnd, Window},
};
use crate::{
    judge::{Run, Side, Sight},
    scenario::TokenFrom,
    trace::CallOutcome,
};

const NAME: &str = "token-from";

pub(crate) fn judge(run: &Run, wanted: &TokenFrom) -> Finding {
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let calls = window.calls(run);
    let expected = expected(wanted, &window);
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    if calls.is_empty() {
        return Finding::fails(NAME, "there is no such call", expected, Evidence::none());
    }
    let wrong: Vec<&Call<'_>> = calls
        .iter()
        .filter(|call| !fits(call, wanted, run.sight))
        .collect();
    let Some(first) = wrong.first() else {
        let found = format!("{} calls get such a token", calls.len());
        let by_name = wanted.credential.as_ref().map(|_| Side::Walks);
        let unseen = run.sight.lacks(by_name.as_slice());
        return Finding::holds(NAME, found, expected).unless_unseen(unseen);
    };
    let found = format!(
        "{} of {} calls get something else; the first is shown",
        wrong.len(),
        calls.len()
    );
    Finding::fails(NAME, found, expected, Evidence::of_call(&run.trace, first))
}

fn fits(call: &Call<'_>, wanted: &TokenFrom, sight: Sight) -> bool {
    let Some(CallEnd {
        outcome, host_time, ..
    }) = &call.end
    else {
        return false;
    };
    let CallOutcome::Token {
        credential,
        principal,
        expires_on,
        ..
    } = outcome
    else {
        return false;
    };
    let left = expires_on.duration_since(*host_time);
    let span = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    wanted
        .credential
        .as_ref()
        .is_none_or(|name| name == credential || !sight.walks)
        && wanted
            .principal
            .as_ref()
            .is_none_or(|id| Some(id) == principal.as_ref())
        && wanted
            .valid_for_at_least
            .is_none_or(|least| left >= span(least.0))
        && wanted
            .valid_for_at_most
            .is_none_or(|most| left <= span(most.0))
}

fn expected(wanted: &TokenFrom, window: &Window) -> String {
    let mut text = format!("every call{} gets a token", window.words());
    if let Some(credential) = &wanted.credential {
        text += &format!(" of {credential}");
    }
    if let Some(principal) = &wanted.principal {
        text += &format!(" as {principal}");
    }
    if let Some(least) = wanted.valid_for_at_least {
        text += &format!(", valid for {least} or longer");
    }
    if let Some(most) = wanted.valid_for_at_most {
        text += &format!(", valid for {most} or less");
    }
    text
}
