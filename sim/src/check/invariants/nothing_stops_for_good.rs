//! Nothing stops for good: after the last fault heals, a token is obtained within a stated time.

use std::{collections::BTreeMap, time::Duration};

use super::{Evidence, Finding, Invariant};
use crate::{
    check::view::{Call, calls},
    run::Run,
    scenario::{Action, Scenario},
    trace::span,
};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "nothing-stops-for-good",
    says: "who got tokens before the faults gets them again within 2 min of their end",
    judge,
};

/// The stated time. Longer than every wait that a policy can be in the middle of by default.
const WITHIN: Duration = Duration::from_secs(120);

fn judge(scenario: &Scenario, run: &Run) -> Option<Finding> {
    let healed = run.last_change?;
    if !run.healthy_at_end || changed_for_good(scenario) {
        return None;
    }
    let all = calls(&run.trace);
    let mut by_instance: BTreeMap<u32, Vec<&Call<'_>>> = BTreeMap::new();
    for call in &all {
        by_instance.entry(call.instance).or_default().push(call);
    }
    let mut looked_at = 0;
    for (instance, calls) in by_instance {
        let served_before = calls.iter().any(|call| call.at < healed && call.is_token());
        let late: Vec<_> = calls
            .iter()
            .filter(|call| call.at >= healed + WITHIN)
            .collect();
        if !served_before || late.is_empty() {
            continue;
        }
        looked_at += 1;
        if !late.iter().any(|call| call.is_token()) {
            let found = format!(
                "#{instance} fails all {} calls from {} after the last change on",
                late.len(),
                span(WITHIN)
            );
            let shown = Evidence::of(late.iter().flat_map(|call| call.events()));
            return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
        }
    }
    let found = format!("{looked_at} credentials are served again");
    (looked_at > 0).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}

/// Whether the world ends without something that it began with, so that failing is right.
fn changed_for_good(scenario: &Scenario) -> bool {
    scenario.at.iter().any(|at| {
        matches!(
            at.action,
            Action::RemoveIdentity(_)
                | Action::AzLogout(_)
                | Action::AzdLogout(_)
                | Action::AzUninstall(_)
                | Action::RotateSecret(_)
                | Action::Dispose(_)
        )
    })
}
