//! `that.in-flight`: how many requests are under way at a service at once.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::fault::{Matcher as _, effect::TargetKind};
use crate::judge::{Evidence, Plan, Ruling, View, view::visits};
use crate::scenario::document::Place;
use crate::wording::Number;
use crate::{
    check::Check,
    world::{Target, World},
};

/// How many requests are under way at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InFlight {
    /// Which service and which requests.
    pub to: Target,
    /// At most so many.
    pub at_most: u32,
}

impl Expectation for InFlight {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.to.check(&place.key("to"), check);
        match self.to.kind() {
            TargetKind::Http | TargetKind::Command => {}
            TargetKind::Redis => {
                check
                    .at_value(
                        &place.key("to"),
                        "no two commands of Redis are in flight at once",
                    )
                    .label("a command arrives and is answered at one instant, so this always holds")
                    .expected("a service that speaks HTTP, or a command")
                    .help("count them in a window instead, with `that.requests`");
            }
        }
        if self.at_most == 0 {
            check
                .at_value(
                    &place.key("at-most"),
                    "at most 0 in flight means no request at all",
                )
                .label("zero")
                .help("write `that.requests = { to = ..., exactly = 0 }`");
        }
    }

    fn describe(&self) -> String {
        format!(
            "never more than {} {} at once",
            self.at_most,
            self.to.describe(Number::of(self.at_most))
        )
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
        None
    }

    fn may_change(&self, view: &View<'_>, ruling: &Ruling) -> bool {
        view.ends_before(None) && (ruling.is_held() || visits(view, &self.to).is_empty())
    }

    fn scale(&mut self, _by: Scale) {}

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl InFlight {
    fn of_run(&self, view: &View<'_>) -> Ruling {
        let seen = visits(view, &self.to);
        // In the order of the trace: what is answered in no time was under way all the same.
        let mut changes: Vec<(usize, bool)> = Vec::new();
        for visit in &seen {
            changes.push((visit.arrived.position, true));
            changes.extend(visit.answered.map(|answered| (answered.position, false)));
        }
        changes.sort_unstable();
        let (mut now, mut peak) = (0_i64, 0);
        for (_, begins) in changes {
            now += if begins { 1 } else { -1 };
            peak = peak.max(now);
        }
        let found = format!("there are up to {peak}");
        if !seen.is_empty() && peak <= i64::from(self.at_most) {
            Ruling::holds(found)
        } else {
            Ruling::fails(found, Evidence::of_visits(view, &self.to, &seen))
        }
    }
}
