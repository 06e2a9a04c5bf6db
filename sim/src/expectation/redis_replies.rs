//! `that.redis-replies`: what callers get from Redis.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::check::{Check, Uses};
use crate::judge::{Aspect, Evidence, Plan, Ruling, View, redis_view::Work, view::Window};
use crate::scenario::{Span, document::Place};
use crate::trace::RedisReply;
use crate::world::World;

/// Every piece of work in the window gets such replies; there must be at least one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisReplies {
    /// The replies in order, as text: `OK`, `1`, `nil`, `[OK, 2]`; `*` is any. Default: any, but
    /// no errors. A pipeline and a transaction have one reply, and a subscriber's is `listening`.
    pub are: Option<Vec<String>>,
    /// Work that begins at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Work that begins before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that it belongs to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::RedisClient];

impl Expectation for RedisReplies {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.when(self.from, self.until, self.step, ABOUT, place);
    }

    fn describe(&self) -> String {
        let what = match &self.are {
            None => "no error".to_owned(),
            Some(replies) => replies.join(", "),
        };
        let window = self.window().words();
        format!("every piece of redis work{window} gets {what}")
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
        each_run(self, plan, runs, |view| {
            every_work(view, &self.window(), |work| self.fits(work))
        })
    }
}

impl RedisReplies {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn fits(&self, work: &Work<'_>) -> bool {
        match (&work.end, &self.are) {
            (None, _) => false,
            (Some(_), None) => work.error().is_none(),
            (Some((_, replies)), Some(wanted)) => {
                let mut pairs = replies.iter().zip(wanted);
                replies.len() == wanted.len() && pairs.all(|(reply, wanted)| is_like(reply, wanted))
            }
        }
    }
}

fn is_like(reply: &RedisReply, wanted: &str) -> bool {
    wanted == "*" || (!reply.error && reply.reply == wanted)
}

/// Whether all work in the window is as wanted, and there is some.
pub(super) fn every_work(
    view: &View<'_>,
    window: &Window,
    is_wanted: impl Fn(&Work<'_>) -> bool,
) -> Ruling {
    let run = view.run;
    if let Some(unseen) = run.visibility.lacks(&[Aspect::Calls]) {
        return Ruling::not_observed(unseen);
    }
    let all = window.work(view);
    if all.is_empty() {
        return Ruling::fails("there is no work", Evidence::none());
    }
    let wrong: Vec<_> = all.iter().filter(|work| !is_wanted(work)).collect();
    match wrong.first() {
        None => Ruling::holds(match all.len() {
            1 => "the only one does".to_owned(),
            many => format!("all {many} do"),
        }),
        Some(first) => {
            let found = match wrong.len() {
                1 => format!("1 of {} does not; it is shown", all.len()),
                many => format!("{many} of {} do not; the first is shown", all.len()),
            };
            let shown = Evidence::with_changes(&run.trace, first.events());
            Ruling::fails(found, shown)
        }
    }
}
