//! `that.waited`: how long callers wait, for tokens and for the replies of Redis.

use std::time::Duration;

use crate::judge::{
    Evidence, Finding,
    redis_view::{Work, work},
    view::{Call, Window},
};
use crate::{
    judge::{Run, Side},
    scenario::Waited,
    trace::{Trace, span},
};

const NAME: &str = "waited";

/// Somebody who waits: for a token, or for the replies of Redis.
enum Waiter<'a> {
    Call(Call<'a>),
    Work(Work<'a>),
}

impl Waiter<'_> {
    /// Who still waits at the end has waited longer than anybody.
    fn waited(&self) -> Duration {
        let waited = match self {
            Self::Call(call) => call.end.as_ref().map(|end| end.waited),
            Self::Work(work) => work.end.map(|(event, _)| event.at.saturating_sub(work.at)),
        };
        waited.unwrap_or(Duration::MAX)
    }

    fn shown(&self, trace: &Trace) -> Evidence {
        match self {
            Self::Call(call) => Evidence::of_call(trace, call),
            Self::Work(work) => Evidence::of(work.events()),
        }
    }
}

pub(crate) fn judge(run: &Run, wanted: &Waited) -> Finding {
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let calls = window.calls(run).into_iter().map(Waiter::Call);
    let work = work(run, &window).into_iter().map(Waiter::Work);
    let waiters: Vec<Waiter<'_>> = calls.chain(work).collect();
    let expected = expected(wanted, &window);
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    let longest = waiters.iter().max_by_key(|waiter| waiter.waited());
    let shortest = waiters.iter().min_by_key(|waiter| waiter.waited());
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
        waiters.len(),
        words(shortest.waited()),
        words(longest.waited())
    );
    // Times on a wire can't be stated to the last microsecond.
    let tolerance = run.engine.tolerance();
    if wanted
        .at_most
        .is_some_and(|most| longest.waited() > most.0.saturating_add(tolerance))
    {
        Finding::fails(NAME, found, expected, longest.shown(&run.trace))
    } else if wanted
        .at_least
        .is_some_and(|least| shortest.waited() + tolerance < least.0)
    {
        Finding::fails(NAME, found, expected, shortest.shown(&run.trace))
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
