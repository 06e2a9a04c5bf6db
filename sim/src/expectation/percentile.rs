//! `that.percentile`: a percentile of what callers wait, over all seeds.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Claim, Expectation, Scale,
    statistics::{Against, not_observed},
};
use crate::check::Check;
use crate::judge::view::Call;
use crate::judge::{Evidence, Plan, Ruling, View};
use crate::scenario::{Span, document::Place};
use crate::trace::span;
use crate::wording::counted;
use crate::world::World;

/// A percentile of what callers wait, over all seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Percentile {
    /// Which: 50 is the median.
    pub percentile: f64,
    /// It is at most this long.
    pub at_most: Span,
}

impl Expectation for Percentile {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.needs_seeds(place);
        if !(self.percentile > 0.0 && self.percentile <= 100.0) {
            check
                .at_value(
                    &place.key("percentile"),
                    format!("there is no percentile {}", self.percentile),
                )
                .label("outside 0 to 100")
                .expected("a number above 0 and at most 100; 50 is the median");
        }
    }

    fn describe(&self) -> String {
        format!(
            "{} % of callers wait {} or less",
            self.percentile, self.at_most
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
        None
    }

    fn may_change(&self, _view: &View<'_>, _ruling: &Ruling) -> bool {
        false
    }

    fn scale(&mut self, _by: Scale) {}

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        if let Some(reason) = not_observed(plan, runs) {
            return Ruling::not_observed(reason);
        }
        // A caller that still waits at the end has waited longer than any other.
        let wait = |call: &Call<'_>| (call.end.as_ref()).map_or(Duration::MAX, |end| end.waited);
        let calls = runs.iter().flat_map(View::calls);
        let mut waits: Vec<Duration> = calls.map(|call| wait(&call)).collect();
        waits.sort_unstable();
        // Nearest rank: the smallest wait that so many percent of all do not exceed.
        let rank = (self.percentile / 100.0 * waits.len() as f64)
            .ceil()
            .max(1.0) as usize;
        let Some(reached) = waits.get(rank - 1).or(waits.last()) else {
            return Ruling::fails("there was no call", Evidence::none());
        };
        let found = format!(
            "{} % of {} over {} wait {} or less",
            self.percentile,
            counted(waits.len(), "caller"),
            counted(runs.len(), "seed"),
            if *reached == Duration::MAX {
                "for ever".to_owned()
            } else {
                span(*reached)
            }
        );
        if *reached <= self.at_most.0 {
            return Ruling::holds(found);
        }
        let late = Against::of(runs, |call| wait(call) > self.at_most.0);
        let found = format!("{found}; a caller waits longer with {}", late.seeds());
        Ruling::fails(found, late.evidence()).of_first_seed(late.first_seed())
    }
}
