//! `that.redis-closed`: how many connections end, and why.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run, window};
use crate::check::Check;
use crate::judge::{Entry, Evidence, Plan, Ruling, View};
use crate::scenario::{Span, document::Place};
use crate::trace::{Kind, RedisEnd, RedisEvent};
use crate::world::World;

/// How many connections reach the end that is named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisClosed {
    /// Because of what. Default: anything.
    pub because: Option<RedisEnd>,
    /// Only those between these times. Default: all.
    pub between: Option<[Span; 2]>,
    /// At least so many. Default: 0.
    pub at_least: Option<u32>,
    /// At most so many.
    pub at_most: Option<u32>,
    /// Exactly so many; instead of the other two.
    pub exactly: Option<u32>,
}

impl Expectation for RedisClosed {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.between(self.between, place);
        Count::check(self.exactly, self.at_least, self.at_most, place, check);
    }

    fn describe(&self) -> String {
        let (one, many) = match self.because {
            None => ("connection ends", "connections end"),
            Some(RedisEnd::Expired) => (
                "connection is closed because its token has ended",
                "connections are closed because their token has ended",
            ),
            Some(RedisEnd::Client) => (
                "connection is closed by the client",
                "connections are closed by the client",
            ),
            Some(RedisEnd::Server) => (
                "connection is closed by the server",
                "connections are closed by the server",
            ),
            Some(RedisEnd::Broken) => ("connection breaks", "connections break"),
        };
        let between = window::words(self.between);
        format!("{}{between}", self.count().of(one, many))
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

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        window::begin(self.between)
    }

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        view.ends_before(window::end(self.between))
            && self.count().may_change(self.ends(view).len())
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

impl RedisClosed {
    fn count(&self) -> Count {
        Count::new(self.exactly, self.at_least, self.at_most)
    }

    /// The ends that count.
    fn ends<'a>(&self, view: &View<'a>) -> Vec<Entry<'a>> {
        let ends = view.lane("redis").filter(|event| {
            matches!(&event.event.kind, Kind::Redis(RedisEvent::Closed { because, .. })
                if self.because.is_none_or(|wanted| wanted == *because))
                && window::holds(self.between, event.at)
        });
        ends.collect()
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let ends = self.ends(view);
        let found = format!("there are {}", ends.len());
        if self.count().holds(ends.len()) {
            Ruling::holds(found)
        } else {
            Ruling::fails(found, Evidence::with_changes(&view.run.trace, ends))
        }
    }
}
