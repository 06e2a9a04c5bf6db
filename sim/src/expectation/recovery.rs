//! `that.recovery`: calls succeed again within a time after the world has healed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, ENDED, Expectation, Scale, each_run};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Entry, Evidence, Plan, Ruling, View,
    view::{Call, CallEnd},
};
use crate::scenario::{Span, document::Place};
use crate::trace::{CallOutcome, Kind, span};
use crate::world::World;

/// Calls succeed again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recovery {
    /// Within this time after the last fault was lifted or the last network change.
    pub within: Span,
    /// As this principal. Default: any.
    pub principal: Option<String>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential, Uses::RedisClient];

impl Expectation for Recovery {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        if let Some(principal) = &self.principal {
            check.principal(principal, &place.key("principal"));
        }
        let Some(repair) = check.rest.last_repair else {
            check
                .at_key(place, "nothing in this world is ever repaired")
                .label("so there is nothing to recover from")
                .expected("a fault that ends by `lift`, `lasts` or `first`, or another repair")
                .help("add `[[at]]` with `do.lift`, for example");
            return;
        };
        let end = check.lasts.0;
        let end = end.max(repair.saturating_add(Duration::from_nanos(1)));
        if !check.some_call(&(repair..end), None, ABOUT) {
            check
                .at_key(
                    place,
                    format!("no call begins after the last repair, at {}", Span(repair)),
                )
                .label("so this is never tested")
                .expected(format!("a call after {}", Span(repair)))
                .help("add a `[[call]]`, or let the series go on");
        }
    }

    fn describe(&self) -> String {
        let whom = self.principal.as_ref().map(|id| format!(" as {id}"));
        format!(
            "calls succeed{} within {} after the last repair",
            whom.unwrap_or_default(),
            self.within
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

    fn first_observable(&self, plan: &Plan<'_>) -> Option<Duration> {
        plan.first_call(Span(plan.last_repair()?), None, ABOUT)
    }

    fn may_change(&self, _view: &View<'_>, _ruling: &Ruling) -> bool {
        false
    }

    fn scale(&mut self, _by: Scale) {}

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(plan, view))
    }
}

impl Recovery {
    fn of_run(&self, plan: &Plan<'_>, view: &View<'_>) -> Ruling {
        let run = view.run;
        if let Some(reason) = run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let Some(healed) = run.last_repair else {
            if run.ended < plan.world.lasts.0 {
                return Ruling::not_observed(ENDED);
            }
            return Ruling::fails("nothing in the world was repaired", Evidence::none());
        };
        let tries = self.tries(view);
        let after: Vec<&Try<'_>> = tries.iter().filter(|one| one.at >= healed).collect();
        let Some(first) = after.iter().position(|one| one.fits) else {
            let shown = after.iter().flat_map(|one| one.events());
            return Ruling::fails("no call succeeds any more", Evidence::of(shown));
        };
        let took = after[first].ended.saturating_sub(healed);
        let found = format!(
            "the first call that does has its answer {} after",
            span(took)
        );
        if took > self.within.0 + run.engine.tolerance() {
            let changes = view.all().filter(|event| {
                event.at == healed
                    && matches!(event.kind, Kind::World { .. } | Kind::FaultLifted { .. })
            });
            let shown = changes.chain(after[first].events());
            return Ruling::fails(found, Evidence::of(shown));
        }
        if let Some(again) = after[first..].iter().find(|one| !one.fits) {
            let found = "a call after the recovery fails again";
            let shown = Evidence::with_changes(&run.trace, again.events());
            return Ruling::fails(found, shown);
        }
        Ruling::holds(found)
    }

    /// All that callers try, in the order in which they begin.
    fn tries<'a>(&self, view: &View<'a>) -> Vec<Try<'a>> {
        let fits = |call: &Call<'_>| {
            matches!(&call.end, Some(CallEnd { outcome: CallOutcome::Token { principal, .. }, .. })
                if self.principal.is_none() || self.principal == *principal)
        };
        let tokens = view.calls().map(|call| Try {
            at: call.at,
            fits: fits(&call),
            ended: call.end.as_ref().map_or(call.at, |end| end.event.at),
            started: call.started,
            end: call.end.as_ref().map(|end| end.event),
        });
        let commands = view.work().map(|work| Try {
            at: work.at,
            fits: work.is_done(),
            ended: work.end.map_or(work.at, |(event, _)| event.at),
            started: work.started,
            end: work.end.map(|(event, _)| event),
        });
        let mut tries: Vec<Try<'_>> = tokens.chain(commands).collect();
        tries.sort_by_key(|one| one.at);
        tries
    }
}

/// A call for a token, or a piece of Redis work.
struct Try<'a> {
    at: Duration,
    fits: bool,
    ended: Duration,
    started: Entry<'a>,
    end: Option<Entry<'a>>,
}

impl<'a> Try<'a> {
    fn events(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        std::iter::once(self.started).chain(self.end)
    }
}
