//! What callers, seeds and sizes of bodies alone show not to fit within the limits of a scenario.

use std::time::Duration;

use crate::{
    action::Action,
    call::{Call, Uses},
    fault::effect::{Body, FaultThen},
    limits::Limits,
    scenario::{
        checker::Checker,
        diagnostics::Problems,
        document::{Document, Place},
    },
    story::Scenario,
    wording::{bytes, counted},
    world::FaultOn,
};

/// How many events a call has at least: it starts and it ends.
const EVENTS_OF_A_CALL: u64 = 2;

/// Reports what can't fit: too many calls, and too large bodies for too many callers at once.
pub(crate) fn check(scenario: &Scenario, document: &Document<'_>, limits: &Limits) -> Problems {
    let mut checker = Checker::new(document, scenario.world.lasts);
    calls(scenario, limits, &mut checker);
    bodies(scenario, limits, &mut checker);
    checker.into_problems()
}

fn calls(scenario: &Scenario, limits: &Limits, checker: &mut Checker<'_>) {
    let seeds = scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
    let end = scenario.world.lasts.0;
    for (index, call) in scenario.call.iter().enumerate() {
        let repetitions = repetitions(call, end);
        let calls = repetitions
            .saturating_mul(u64::from(call.callers))
            .saturating_mul(u64::from(seeds));
        let events = calls.saturating_mul(EVENTS_OF_A_CALL);
        if events <= limits.events {
            continue;
        }
        let place = Place::default().key("call").index(index);
        // At what counts most.
        let (place, callers) = match (call.callers, &call.every) {
            (1, Some(_)) => (place.key("every"), "1 caller".to_owned()),
            (callers, _) => (place.key("callers"), counted(callers, "caller")),
        };
        let mut product = vec![callers];
        if repetitions > 1 {
            product.push(counted(repetitions, "repetition"));
        }
        if seeds > 1 {
            product.push(counted(seeds, "seed"));
        }
        checker
            .at_value(
                &place,
                "these calls do not fit into the limits of a scenario",
            )
            .label(format!(
                "{} make{} at least {}",
                product.join(" x "),
                if call.callers == 1 && product.len() == 1 {
                    "s"
                } else {
                    ""
                },
                counted(events, "event")
            ))
            .expected(format!(
                "at most {} in all traces of a scenario",
                counted(limits.events, "event")
            ))
            .help("ask for less, or raise --limit-events");
    }
}

/// How often a call is made before the world's end.
fn repetitions(call: &Call, end: Duration) -> u64 {
    let until = call.until.map_or(end, |until| until.0.min(end));
    let series = until.saturating_sub(call.at.0);
    match call.every {
        Some(every) if !every.0.is_zero() => {
            let times = series.as_nanos().div_ceil(every.0.as_nanos());
            u64::try_from(times).unwrap_or(u64::MAX).max(1)
        }
        Some(_) | None => 1,
    }
}

fn bodies(scenario: &Scenario, limits: &Limits, checker: &mut Checker<'_>) {
    for (index, at) in scenario.at.iter().enumerate() {
        let Action::Fault(fault) = &at.action else {
            continue;
        };
        let FaultThen::Reply(reply) = &fault.then else {
            continue;
        };
        let (Some(Body::Padded(size)), None) = (&reply.body, fault.probability) else {
            continue;
        };
        let ends = fault.lasts.map(|lasts| at.time.0.saturating_add(lasts.0));
        // Those who make a request of their own at the same moment, while the fault is there.
        let strikes = |call: &&Call| {
            let each_asks = match call.action.uses() {
                Uses::Credential | Uses::RedisClient => !call.credential.is_shared(),
                Uses::BareHttp => false,
            };
            each_asks
                && call.ramp_up.is_none()
                && at.time <= call.at
                && ends.is_none_or(|ends| call.at.0 < ends)
                && !matches!(fault.on, FaultOn::Resource(_))
        };
        let most = fault.first.unwrap_or(u32::MAX);
        let callers = scenario
            .call
            .iter()
            .filter(strikes)
            .map(|call| call.callers);
        let callers = callers.max().unwrap_or(0).min(most);
        let held = size.saturating_mul(u64::from(callers));
        if held <= limits.memory {
            continue;
        }
        let place = ["do", "fault", "then", "reply", "body", "padded"];
        let place = place
            .iter()
            .fold(Place::default().key("at").index(index), |place, key| {
                place.key(key)
            });
        let message = "these bodies do not fit into the memory of a scenario";
        checker
            .at_value(&place, message)
            .label(format!(
                "{} x {} at once are {}",
                counted(callers, "caller"),
                bytes(*size),
                bytes(held)
            ))
            .expected(format!(
                "at most {} in all: {} for each",
                bytes(limits.memory),
                bytes(limits.memory / u64::from(callers.max(1)))
            ))
            .help("make the body smaller or the callers fewer, or raise --limit-memory");
    }
}
