//! `that.not-built`: the credential refuses its configuration.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run, lacks};
use crate::check::Check;
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View};
use crate::scenario::document::Place;
use crate::trace::Kind;
use crate::world::World;

/// The credential could not be built.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotBuilt {
    /// Texts that the error must contain, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
}

impl Expectation for NotBuilt {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.texts(&self.contains, &place.key("contains"));
    }

    fn describe(&self) -> String {
        let mut text = "the credential can't be built".to_owned();
        for part in &self.contains {
            text += &format!(", saying \"{part}\"");
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        true
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
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl NotBuilt {
    fn of_run(&self, view: &View<'_>) -> Ruling {
        let visibility = view.run.visibility;
        if let Some(reason) = visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let is_built = |event: &Entry<'_>| matches!(event.event.kind, Kind::Built { .. });
        if let Some(event) = view.all().find(is_built) {
            return Ruling::fails("it is built", Evidence::of([event]));
        }
        for event in view.all() {
            let Kind::NotBuilt { message, .. } = &event.event.kind else {
                continue;
            };
            return match lacks(message, &self.contains) {
                None => Ruling::holds("it can't, and says so"),
                Some(_) if !visibility.words => {
                    let unseen = visibility.lacks(&[Aspect::Words]);
                    Ruling::holds("it can't").unless_unseen(unseen)
                }
                Some(part) => {
                    let found = format!("the text lacks \"{part}\" (in that order)");
                    Ruling::fails(found, Evidence::of([event]))
                }
            };
        }
        Ruling::fails("no call tries to build it", Evidence::none())
    }
}
