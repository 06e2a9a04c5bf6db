//! `that.recovery`: calls succeed again within a time after the world has healed.

use super::{
    super::{
        Evidence, Finding,
        view::{Call, CallEnd, calls},
    },
    ENDED,
};
use crate::{
    run::{Run, Side},
    scenario::{Recovery, Scenario},
    trace::{CallOutcome, Event, Kind, span},
};

const NAME: &str = "recovery";

pub(super) fn judge(scenario: &Scenario, run: &Run, wanted: &Recovery) -> Finding {
    let whom = wanted
        .principal
        .as_ref()
        .map(|id| format!(" as {id}"))
        .unwrap_or_default();
    let expected = format!(
        "calls succeed{whom} within {} after the last repair",
        wanted.within
    );
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    let Some(healed) = run.last_repair else {
        if run.ended < scenario.world.lasts.0 {
            return Finding::not_observed(NAME, ENDED, expected);
        }
        return Finding::fails(
            NAME,
            "nothing in the world ever gets better",
            expected,
            Evidence::none(),
        );
    };
    let fits = |call: &Call<'_>| {
        matches!(&call.end, Some(CallEnd { outcome: CallOutcome::Token { principal, .. }, .. })
            if wanted.principal.is_none() || wanted.principal == *principal)
    };
    let after: Vec<Call<'_>> = calls(&run.trace)
        .into_iter()
        .filter(|call| call.at >= healed)
        .collect();
    let Some(first) = after.iter().position(fits) else {
        let shown = after.iter().flat_map(Call::events);
        return Finding::fails(
            NAME,
            "no call succeeds any more",
            expected,
            Evidence::of(shown),
        );
    };
    let end = after[first]
        .end
        .as_ref()
        .map_or(after[first].at, |end| end.event.at);
    let took = end.saturating_sub(healed);
    let found = format!(
        "the first call that does has its token {} after",
        span(took)
    );
    if took > wanted.within.0 + run.engine.tolerance() {
        let change = |event: &&Event| {
            event.at == healed
                && matches!(event.kind, Kind::World { .. } | Kind::FaultLifted { .. })
        };
        let changes = run.trace.events.iter().filter(change);
        return Finding::fails(
            NAME,
            found,
            expected,
            Evidence::of(changes.chain(after[first].events())),
        );
    }
    if let Some(again) = after[first..].iter().find(|call| !fits(call)) {
        let found = "a call after the recovery fails again";
        return Finding::fails(NAME, found, expected, Evidence::of_call(&run.trace, again));
    }
    Finding::holds(NAME, found, expected)
}
