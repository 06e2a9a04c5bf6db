//! Nothing stops for good: after the last fault heals, a token is obtained within a stated time.

use std::{collections::BTreeMap, time::Duration};

use super::{Aspect, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::wording::Number;
use crate::{
    judge::{redis_view::Work, view::Call},
    trace::{CallOutcome, span},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "nothing-stops-for-good",
    says: "clients that got tokens before the faults get them again within 2 min of their end",
    is_held_by_silence: false,
    judge,
};

/// The stated time. Longer than every wait that a policy can be in the middle of by default.
const WITHIN: Duration = Duration::from_secs(120);

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let healed = view.run.last_repair?;
    if !view.run.healthy_at_end || plan.changes_for_good() {
        return None;
    }
    if let Some(unseen) = unseen(view, &[Aspect::Calls]) {
        return Some(unseen);
    }
    let (scopes, work) = match (scopes_served(view, healed), work_served(plan, view, healed)) {
        (Err(failing), _) | (Ok(_), Err(failing)) => return Some(*failing),
        (Ok(scopes), Ok(work)) => (scopes, work),
    };
    let looked_at = scopes + usize::from(work);
    let number = Number::of(looked_at);
    let clients = if view.work().next().is_none() {
        number.pick("credential and scope is", "credentials and scopes are")
    } else {
        number.pick("redis client is", "redis clients are")
    };
    let found = format!("{looked_at} {clients} served again");
    (looked_at > 0).then(|| Ruling::holds(found))
}

/// How many pairs of credential and scope had tokens before `healed` and get them again.
///
/// # Errors
/// The first that does not.
fn scopes_served(view: &View<'_>, healed: Duration) -> Result<usize, Box<Ruling>> {
    let mut by_scope: BTreeMap<(u32, &str), Served> = BTreeMap::new();
    for call in view.calls() {
        let served = by_scope.entry((call.instance, call.scope)).or_default();
        served.before |= call.at < healed && call.is_token();
        if is_late(&call, healed) {
            served.late += 1;
            served.again |= call.is_token();
        }
    }
    let mut looked_at = 0;
    for ((instance, scope), served) in by_scope {
        if !served.before || served.late == 0 {
            continue;
        }
        looked_at += 1;
        if !served.again {
            let found = format!(
                "#{instance} fails {} for {scope} from {} after the last repair on",
                match served.late {
                    1 => "the only call".to_owned(),
                    late => format!("all {late} calls"),
                },
                span(WITHIN)
            );
            let late = view.calls().filter(|call| {
                call.instance == instance && call.scope == scope && is_late(call, healed)
            });
            let shown: Vec<_> = late
                .flat_map(|call| call.events().collect::<Vec<_>>())
                .collect();
            return Err(Box::new(Ruling::fails(found, Evidence::of(shown))));
        }
    }
    Ok(looked_at)
}

/// Whether a Redis client was served before `healed` and is served again; false where nothing can
/// be said of that.
///
/// # Errors
/// That it is not.
fn work_served(plan: &Plan<'_>, view: &View<'_>, healed: Duration) -> Result<bool, Box<Ruling>> {
    let work: Vec<Work<'_>> = view.work().collect();
    let served_before = work.iter().any(|work| work.at < healed && work.is_done());
    let late: Vec<_> = work
        .iter()
        .filter(|work| work.at >= healed + WITHIN)
        .collect();
    if !served_before || late.is_empty() || plan.connections_stay_broken() {
        return Ok(false);
    }
    if late.iter().any(|work| work.is_done()) {
        return Ok(true);
    }
    let found = format!(
        "{} from {} after the last repair on {}",
        match late.len() {
            1 => "the only piece of redis work".to_owned(),
            late => format!("all {late} pieces of redis work"),
        },
        span(WITHIN),
        Number::of(late.len()).pick("fails", "fail")
    );
    let shown = Evidence::of(late.iter().flat_map(|work| work.events()));
    Err(Box::new(Ruling::fails(found, shown)))
}

/// What the calls of one instance for one scope got.
#[derive(Default)]
struct Served {
    /// Whether one before the last repair got a token.
    before: bool,
    /// How many begin so long after it that they should.
    late: usize,
    /// Whether one of these does.
    again: bool,
}

/// Whether the call begins so long after the last repair that it should get a token.
fn is_late(call: &Call<'_>, healed: Duration) -> bool {
    // A caller that was told to come back later is right to wait.
    call.at >= healed + WITHIN && !waits_as_told(call)
}

/// Whether the call ends in an error that names a later moment to ask again.
fn waits_as_told(call: &Call<'_>) -> bool {
    call.end.as_ref().is_some_and(|end| {
        matches!(end.outcome, CallOutcome::Error { retry_at: Some(at), .. } if *at > end.host_time)
    })
}
