//! `that.waited`: how long callers wait.

use std::time::Duration;

use super::super::{
    Evidence, Finding,
    view::{Call, Window},
};
use crate::{
    run::{Run, Side},
    scenario::Waited,
    trace::span,
};

const NAME: &str = "waited";

pub(super) fn judge(run: &Run, wanted: &Waited) -> Finding {
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let calls = window.calls(run);
    let expected = expected(wanted, &window);
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    // A caller that still waits at the end has waited longer than anybody.
    let wait = |call: &Call<'_>| call.end.as_ref().map_or(Duration::MAX, |end| end.waited);
    let longest = calls.iter().max_by_key(|call| wait(call));
    let shortest = calls.iter().min_by_key(|call| wait(call));
    let (Some(longest), Some(shortest)) = (longest, shortest) else {
        return Finding::fails(NAME, "there is no such call", expected, Evidence::none());
    };
    let words = |wait| {
        if wait == Duration::MAX {
            "for ever".to_owned()
        } else {
            span(wait)
        }
    };
    let found = format!(
        "{} callers wait between {} and {}",
        calls.len(),
        words(wait(shortest)),
        words(wait(longest))
    );
    // Times on a wire can't be stated to the last microsecond.
    let tolerance = run.engine.tolerance();
    if wanted
        .at_most
        .is_some_and(|most| wait(longest) > most.0.saturating_add(tolerance))
    {
        Finding::fails(
            NAME,
            found,
            expected,
            Evidence::of_call(&run.trace, longest),
        )
    } else if wanted
        .at_least
        .is_some_and(|least| wait(shortest) + tolerance < least.0)
    {
        Finding::fails(
            NAME,
            found,
            expected,
            Evidence::of_call(&run.trace, shortest),
        )
    } else {
        Finding::holds(NAME, found, expected)
    }
}

fn expected(wanted: &Waited, window: &Window) -> String {
    let callers = format!("every caller{} waits", window.words());
    match (wanted.at_least, wanted.at_most) {
        (Some(least), Some(most)) => format!("{callers} between {least} and {most}"),
        (Some(least), None) => format!("{callers} {least} or longer"),
        (None, Some(most)) => format!("{callers} {most} or less"),
        (None, None) => callers,
    }
}
