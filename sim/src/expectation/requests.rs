//! `that.requests`: how many requests a service sees.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run, window};
use crate::fault::Matcher as _;
use crate::judge::{
    Evidence, Plan, Ruling, View,
    view::{Visit, visits},
};
use crate::scenario::{Span, document::Place};
use crate::{
    check::Check,
    world::{Target, World},
};

/// How many requests reach a service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requests {
    /// Which service and which requests.
    pub to: Target,
    /// Only those that arrive between these times: `["5d", "6d"]`. Default: all.
    pub between: Option<[Span; 2]>,
    /// At least so many. Default: 0.
    pub at_least: Option<u32>,
    /// At most so many.
    pub at_most: Option<u32>,
    /// Exactly so many; instead of the other two.
    pub exactly: Option<u32>,
}

impl Expectation for Requests {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.to.check(&place.key("to"), check);
        check.between(self.between, place);
        Count::check(self.exactly, self.at_least, self.at_most, place, check);
    }

    fn describe(&self) -> String {
        let between = window::words(self.between);
        let count = self.count();
        format!("{count} {}{between}", self.to.describe(count.number()))
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, world: &World) -> Vec<(String, u16)> {
        self.to.hosts(world)
    }

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        window::begin(self.between)
    }

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        view.ends_before(window::end(self.between))
            && self.count().may_change(self.counted(view).len())
    }

    fn scale(&mut self, by: Scale) {
        by.between(&mut self.between);
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl Requests {
    fn count(&self) -> Count {
        Count::new(self.exactly, self.at_least, self.at_most)
    }

    /// The visits that count.
    fn counted<'a>(&self, view: &View<'a>) -> Vec<Visit<'a>> {
        let mut seen = visits(view, &self.to);
        seen.retain(|visit| window::holds(self.between, visit.arrived.at));
        seen
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let seen = self.counted(view);
        let found = format!("there are {}", seen.len());
        if self.count().holds(seen.len()) {
            Ruling::holds(found)
        } else {
            Ruling::fails(found, Evidence::of_visits(view, &self.to, &seen))
        }
    }
}
