//! `that.redis-reported`: what the client says about itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run, window};
use crate::check::Check;
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View};
use crate::scenario::{Span, document::Place};
use crate::trace::{RedisEvent, RedisReport};
use crate::wording::times;
use crate::world::World;

/// What the client reports about itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisReported {
    /// What.
    pub what: RedisReport,
    /// Only between these times. Default: all.
    pub between: Option<[Span; 2]>,
    /// At least so often. Default: 0.
    pub at_least: Option<u32>,
    /// At most so often.
    pub at_most: Option<u32>,
    /// Exactly so often; instead of the other two.
    pub exactly: Option<u32>,
}

impl Expectation for RedisReported {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.between(self.between, place);
        Count::check(self.exactly, self.at_least, self.at_most, place, check);
    }

    fn describe(&self) -> String {
        format!(
            "the client reports {}: {}{}",
            self.count().times(),
            name(self.what),
            window::words(self.between)
        )
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
            && self.count().may_change(self.reports(view).len())
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

impl RedisReported {
    fn count(&self) -> Count {
        Count::new(self.exactly, self.at_least, self.at_most)
    }

    /// The reports that count.
    fn reports<'a>(&self, view: &View<'a>) -> Vec<Entry<'a>> {
        let counts = |(event, what): &(Entry<'_>, RedisReport)| {
            *what == self.what && window::holds(self.between, event.at)
        };
        let reports = all_reports(view).filter(counts);
        reports.map(|(event, _)| event).collect()
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        if let Some(unseen) = view.run.visibility.lacks(&[Aspect::Reports]) {
            return Ruling::not_observed(unseen);
        }
        let reports = self.reports(view);
        let found = format!("it reports that {}", times(reports.len()));
        if self.count().holds(reports.len()) {
            return Ruling::holds(found);
        }
        // Where none counts, the evidence is what the client reported instead.
        let shown = if reports.is_empty() {
            all_reports(view).map(|(event, _)| event).collect()
        } else {
            reports
        };
        Ruling::fails(found, Evidence::with_changes(&view.run.trace, shown))
    }
}

/// Every report of a client about itself, with what it is about.
fn all_reports<'a>(view: &View<'a>) -> impl Iterator<Item = (Entry<'a>, RedisReport)> {
    view.redis().filter_map(|(event, redis)| match redis {
        RedisEvent::Reported { what, .. } => Some((event, *what)),
        _ => None,
    })
}

/// The name of a report in sentences.
fn name(what: RedisReport) -> &'static str {
    match what {
        RedisReport::Refreshed => "refreshed",
        RedisReport::SameToken => "same token",
        RedisReport::Retrying => "retrying",
        RedisReport::Failing => "failing",
        RedisReport::Recovered => "recovered",
        RedisReport::Connected => "connected",
        RedisReport::Reauthenticated => "re-authenticated",
        RedisReport::ReauthenticationFailed => "re-authentication failed",
        RedisReport::TransactionFailed => "transaction failed",
        RedisReport::Replaced => "replaced",
        RedisReport::SubscriptionRefused => "subscription refused",
    }
}
