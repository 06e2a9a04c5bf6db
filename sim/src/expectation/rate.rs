//! `that.rate`: how many requests a service sees within a time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::fault::Matcher as _;
use crate::judge::{Evidence, Plan, Ruling, View, view::visits};
use crate::scenario::{Span, document::Place};
use crate::wording::Number;
use crate::{
    check::Check,
    world::{Target, World},
};

/// How many requests reach a service within any window of a length: the budget of a client.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rate {
    /// Which service and which requests.
    pub to: Target,
    /// At most so many.
    pub at_most: u32,
    /// In any window of this length.
    pub per: Span,
}

impl Expectation for Rate {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.to.check(&place.key("to"), check);
        let help = "a window of no length has no requests in it";
        check.longer_than_zero(self.per, &place.key("per"), help);
    }

    fn describe(&self) -> String {
        format!(
            "never more than {} {} within {}",
            self.at_most,
            self.to.describe(Number::of(self.at_most)),
            self.per
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
        Some("a rate of requests is expected")
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl Rate {
    fn of_run(&self, view: &View<'_>) -> Ruling {
        let seen = visits(view, &self.to);
        let (mut first, mut busiest) = (0, &seen[..0]);
        for next in 0..seen.len() {
            while seen[first].arrived.at + self.per.0 <= seen[next].arrived.at {
                first += 1;
            }
            if next + 1 - first > busiest.len() {
                busiest = &seen[first..=next];
            }
        }
        let found = format!("there are up to {}", busiest.len());
        if !seen.is_empty() && busiest.len() <= self.at_most as usize {
            Ruling::holds(found)
        } else {
            Ruling::fails(found, Evidence::of_visits(view, &self.to, busiest))
        }
    }
}
