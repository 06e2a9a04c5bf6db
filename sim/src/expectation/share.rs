//! `that.share`: the share of calls that succeed, over all seeds.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Claim, Expectation, Scale,
    statistics::{Against, not_observed, per_cent},
};
use crate::check::Check;
use crate::judge::{Plan, Ruling, View};
use crate::scenario::document::Place;
use crate::wording::{Number, counted};
use crate::world::World;

/// The share of calls that succeed, over all seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Share {
    /// At least this share, 0 to 1.
    pub at_least: f64,
    /// At most this share, 0 to 1. Default: 1.
    pub at_most: Option<f64>,
}

impl Share {
    fn bounds(&self) -> [f64; 2] {
        [self.at_least, self.at_most.unwrap_or(1.0)]
    }
}

impl Expectation for Share {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.needs_seeds(place);
        let fits = check.share(self.at_least, &place.key("at-least"));
        let most = self.at_most.unwrap_or(1.0);
        if !fits || !check.share(most, &place.key("at-most")) {
            return;
        }
        check.bounds(
            Some(self.at_least),
            Some(most),
            place,
            ["at-least", "at-most"],
        );
        if self.at_least == 0.0 && most == 1.0 {
            check.always_holds(&place.key("at-least"), "every share is from 0 to 1");
        }
    }

    fn describe(&self) -> String {
        let bounds = self.bounds();
        let [least, most] = bounds.map(|bound| per_cent(bound, 1, &bounds));
        format!("between {least} and {most} of all calls succeed")
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
        let (mut succeeded, mut all) = (0_u32, 0_u32);
        for call in runs.iter().flat_map(View::calls) {
            all += 1;
            succeeded += u32::from(call.is_token());
        }
        let reached = if all == 0 {
            0.0
        } else {
            f64::from(succeeded) / f64::from(all)
        };
        let bounds = self.bounds();
        let [least, most] = bounds;
        let found = format!(
            "{succeeded} of {} ({}) over {} {}",
            counted(all, "call"),
            per_cent(reached, 2, &bounds),
            counted(runs.len(), "seed"),
            Number::of(succeeded).pick("succeeds", "succeed")
        );
        if all > 0 && least <= reached && reached <= most {
            return Ruling::holds(found);
        }
        let failed = Against::of(runs, |call| !call.is_token());
        let found = match failed.first_seed() {
            Some(_) => format!("{found}; a call fails with {}", failed.seeds()),
            None => found,
        };
        Ruling::fails(found, failed.evidence()).of_first_seed(failed.first_seed())
    }
}
