//! Nothing stops for good: after the last fault heals, a token is obtained within a stated time.

use std::{collections::BTreeMap, time::Duration};

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{
        Run, Side,
        redis_view::{Work, work},
        view::{Call, Window, calls},
    },
    scenario::{RedisClientKind, Scenario, Span},
    trace::{CallOutcome, span},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "nothing-stops-for-good",
    says: "who got tokens before the faults gets them again within 2 min of their end",
    judge,
};

/// The stated time. Longer than every wait that a policy can be in the middle of by default.
const WITHIN: Duration = Duration::from_secs(120);

fn judge(scenario: &Scenario, run: &Run) -> Option<Finding> {
    let healed = run.last_repair?;
    if !run.healthy_at_end || changed_for_good(scenario) {
        return None;
    }
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Calls]) {
        return Some(unseen);
    }
    let all = calls(&run.trace);
    let mut by_scope: BTreeMap<(u32, &str), Vec<&Call<'_>>> = BTreeMap::new();
    for call in &all {
        by_scope
            .entry((call.instance, call.scope))
            .or_default()
            .push(call);
    }
    let mut looked_at = 0;
    for ((instance, scope), calls) in by_scope {
        let served_before = calls.iter().any(|call| call.at < healed && call.is_token());
        let late = calls.iter().filter(|call| call.at >= healed + WITHIN);
        // Who was told to come back later is right to wait.
        let late: Vec<_> = late.filter(|call| !waits_as_told(call)).collect();
        if !served_before || late.is_empty() {
            continue;
        }
        looked_at += 1;
        if !late.iter().any(|call| call.is_token()) {
            let found = format!(
                "#{instance} fails all {} calls for {scope} from {} after the last repair on",
                late.len(),
                span(WITHIN)
            );
            let shown = Evidence::of(late.iter().flat_map(|call| call.events()));
            return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
        }
    }
    let always = Window::new(Span::default(), None, None);
    let work = work(run, &always);
    let served_before = work.iter().any(|work| work.at < healed && is_done(work));
    let late: Vec<_> = work
        .iter()
        .filter(|work| work.at >= healed + WITHIN)
        .collect();
    // A connection of this kind stays broken.
    let client = scenario.subject.redis.as_ref().map(|redis| redis.client);
    if served_before && !late.is_empty() && client != Some(RedisClientKind::Single) {
        looked_at += 1;
        if !late.iter().any(|work| is_done(work)) {
            let found = format!(
                "all {} pieces of redis work from {} after the last repair on fail",
                late.len(),
                span(WITHIN)
            );
            let shown = Evidence::of(late.iter().flat_map(|work| work.events()));
            return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
        }
    }
    let who = if work.is_empty() {
        "credentials and scopes"
    } else {
        "redis clients"
    };
    let found = format!("{looked_at} {who} are served again");
    (looked_at > 0).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}

fn is_done(work: &Work<'_>) -> bool {
    work.end.is_some() && work.error().is_none()
}

/// Whether the call ends in an error that names a later moment to ask again.
fn waits_as_told(call: &Call<'_>) -> bool {
    call.end.as_ref().is_some_and(|end| {
        matches!(end.outcome, CallOutcome::Error { retry_at: Some(at), .. } if *at > end.host_time)
    })
}

/// Whether the world ends without something that it began with, so that failing is right.
fn changed_for_good(scenario: &Scenario) -> bool {
    let mut events = scenario.at.iter();
    events.any(|at| at.action.consequences().takes_away)
}
