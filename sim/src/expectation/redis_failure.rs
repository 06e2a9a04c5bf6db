//! `that.redis-failure`: work for Redis fails in a certain way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run, lacks, redis_replies::every_work};
use crate::check::{Check, Uses};
use crate::judge::{Aspect, Plan, Ruling, View, redis_view::Work, view::Window};
use crate::scenario::{Span, document::Place};
use crate::world::World;

/// Every piece of work in the window fails somewhere; there must be at least one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisFailure {
    /// Texts that the error must contain, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
    /// The command that fails: `EXEC`; of a pipeline it is `PIPELINE`, of a transaction `EXEC`.
    /// Default: any.
    pub command: Option<String>,
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

impl Expectation for RedisFailure {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.texts(&self.contains, &place.key("contains"));
        check.when(self.from, self.until, self.step, ABOUT, place);
    }

    fn describe(&self) -> String {
        let window = self.window().words();
        let mut text = format!("every piece of redis work{window} fails");
        if let Some(command) = &self.command {
            text += &format!(" at {command}");
        }
        if !self.contains.is_empty() {
            text += &format!(", saying {}", self.contains.join(", "));
        }
        text
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

impl RedisFailure {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let words = (!self.contains.is_empty()).then_some(Aspect::Words);
        if let Some(unseen) = view.run.visibility.lacks(words.as_slice()) {
            return Ruling::not_observed(unseen);
        }
        every_work(view, &self.window(), |work| self.fits(work))
    }

    fn fits(&self, work: &Work<'_>) -> bool {
        let command = self.command.as_ref();
        work.error().is_some_and(|error| {
            command.is_none_or(|name| name.eq_ignore_ascii_case(&error.command))
                && lacks(&error.reply, &self.contains).is_none()
        })
    }
}
