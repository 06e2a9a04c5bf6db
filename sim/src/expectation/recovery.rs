//! `that.recovery`: calls succeed again within a time after the world has healed.

use std::time::Duration;

use super::ENDED;
use crate::judge::{
    Evidence, Finding,
    redis_view::work,
    view::{Call, CallEnd, Window, calls},
};
use crate::{
    judge::{Run, Side},
    scenario::{Recovery, Scenario, Span},
    trace::{CallOutcome, Event, Kind, span},
};

const NAME: &str = "recovery";

pub(crate) fn judge(scenario: &Scenario, run: &Run, wanted: &Recovery) -> Finding {
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
    let tries = tries(run, wanted);
    let after: Vec<&Try<'_>> = tries.iter().filter(|one| one.at >= healed).collect();
    let Some(first) = after.iter().position(|one| one.fits) else {
        let shown = after.iter().flat_map(|one| one.events());
        return Finding::fails(
            NAME,
            "no call succeeds any more",
            expected,
            Evidence::of(shown),
        );
    };
    let took = after[first].ended.saturating_sub(healed);
    let found = format!(
        "the first call that does has its answer {} after",
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
    if let Some(again) = after[first..].iter().find(|one| !one.fits) {
        let found = "a call after the recovery fails again";
        let shown = Evidence::with_changes(&run.trace, again.events());
        return Finding::fails(NAME, found, expected, shown);
    }
    Finding::holds(NAME, found, expected)
}

/// Somebody asks for a token, or sends commands to Redis.
struct Try<'a> {
    at: Duration,
    fits: bool,
    ended: Duration,
    started: &'a Event,
    end: Option<&'a Event>,
}

impl<'a> Try<'a> {
    fn events(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        std::iter::once(self.started).chain(self.end)
    }
}

/// All that callers try, in the order in which they begin.
fn tries<'a>(run: &'a Run, wanted: &Recovery) -> Vec<Try<'a>> {
    let fits = |call: &Call<'_>| {
        matches!(&call.end, Some(CallEnd { outcome: CallOutcome::Token { principal, .. }, .. })
            if wanted.principal.is_none() || wanted.principal == *principal)
    };
    let tokens = calls(&run.trace).into_iter().map(|call| Try {
        at: call.at,
        fits: fits(&call),
        ended: call.end.as_ref().map_or(call.at, |end| end.event.at),
        started: call.started,
        end: call.end.as_ref().map(|end| end.event),
    });
    let always = Window::new(Span::default(), None, None);
    let commands = work(run, &always).into_iter().map(|work| Try {
        at: work.at,
        fits: work.end.is_some() && work.error().is_none(),
        ended: work.end.map_or(work.at, |(event, _)| event.at),
        started: work.started,
        end: work.end.map(|(event, _)| event),
    });
    let mut tries: Vec<Try<'_>> = tokens.chain(commands).collect();
    tries.sort_by_key(|one| one.at);
    tries
}
