//! `that.waited`: how long callers wait, for tokens and for the replies of Redis.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Evidence, Plan, Ruling, View,
    redis_view::Work,
    view::{Call, Window},
};
use crate::scenario::{Span, document::Place};
use crate::trace::{Trace, span};
use crate::wording::{Number, counted};
use crate::world::World;

/// How long callers wait, for tokens and for the replies of Redis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waited {
    /// None waits less.
    pub at_least: Option<Span>,
    /// None waits longer.
    pub at_most: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// A caller that waits: for a token, or for the replies of Redis.
enum Waiter<'a> {
    Call(Call<'a>),
    Work(Work<'a>),
}

impl Waiter<'_> {
    /// A caller that still waits at the end has waited longer than any other.
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

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential, Uses::RedisClient];

impl Expectation for Waited {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        match (self.at_least, self.at_most) {
            (None, None) => {
                check
                    .at_key(place, "this expects nothing of the callers")
                    .label("no time")
                    .expected("`at-least` or `at-most`")
                    .help("add `at-most = \"1s\"`, for example");
            }
            (Some(least), None) if least.0.is_zero() => {
                check.always_holds(&place.key("at-least"), "everybody waits 0s or longer");
            }
            (least, most) => check.bounds(least, most, place, ["at-least", "at-most"]),
        }
        check.when(self.from, self.until, self.step, ABOUT, place);
    }

    fn describe(&self) -> String {
        let callers = format!("every caller{} waits", self.window().words());
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) => format!("{callers} between {least} and {most}"),
            (Some(least), None) => format!("{callers} {least} or longer"),
            (None, Some(most)) => format!("{callers} {most} or less"),
            (None, None) => callers,
        }
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, _world: &World) -> Vec<(String, u16)> {
        Vec::new()
    }

    fn first_observable(&self, plan: &Plan<'_>) -> Option<Duration> {
        plan.first_call(self.from, self.step, ABOUT)
    }

    fn may_change(&self, _view: &View<'_>, _ruling: &Ruling) -> bool {
        // Each is judged by itself: those that came are enough.
        false
    }

    fn scale(&mut self, by: Scale) {
        by.window(&mut self.from, &mut self.until);
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl Waited {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let run = view.run;
        if let Some(reason) = run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let window = self.window();
        let calls = window.calls(view).into_iter().map(Waiter::Call);
        let work = window.work(view).into_iter().map(Waiter::Work);
        let waiters: Vec<Waiter<'_>> = calls.chain(work).collect();
        let longest = waiters.iter().max_by_key(|waiter| waiter.waited());
        let shortest = waiters.iter().min_by_key(|waiter| waiter.waited());
        let (Some(longest), Some(shortest)) = (longest, shortest) else {
            return Ruling::fails("there is no such call", Evidence::none());
        };
        let words = |wait| {
            if wait == Duration::MAX {
                "for ever".to_owned()
            } else {
                span(wait)
            }
        };
        let found = format!(
            "{} {} between {} and {}",
            counted(waiters.len(), "caller"),
            Number::of(waiters.len()).pick("waits", "wait"),
            words(shortest.waited()),
            words(longest.waited())
        );
        // Times on a wire can't be stated to the last microsecond.
        let tolerance = run.engine.tolerance();
        let most = self.at_most.map(|most| most.0.saturating_add(tolerance));
        if most.is_some_and(|most| longest.waited() > most) {
            return Ruling::fails(found, longest.shown(&run.trace));
        }
        let shortest_counted = shortest.waited().saturating_add(tolerance);
        if self
            .at_least
            .is_some_and(|least| shortest_counted < least.0)
        {
            return Ruling::fails(found, shortest.shown(&run.trace));
        }
        Ruling::holds(found)
    }
}
