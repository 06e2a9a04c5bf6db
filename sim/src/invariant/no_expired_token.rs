//! No expired token is handed out, by the host's own clock.

use jiff::SignedDuration;

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{Run, Side, view::calls},
    scenario::Scenario,
    trace::CallOutcome,
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "no-expired-token",
    says: "no expired token is handed out, by the host's own clock",
    judge,
};

fn judge(_: &Scenario, run: &Run) -> Option<Finding> {
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Calls]) {
        return Some(unseen);
    }
    // Some SDKs round the end of a token to a whole second, up or down.
    let rounding = if run.sight.sees(Side::Details) {
        SignedDuration::ZERO
    } else {
        SignedDuration::from_secs(1)
    };
    let mut looked_at = 0;
    for call in calls(&run.trace) {
        let Some(end) = &call.end else { continue };
        let CallOutcome::Token { expires_on, .. } = end.outcome else {
            continue;
        };
        looked_at += 1;
        if expires_on.duration_since(end.host_time) <= -rounding {
            let found = format!(
                "a token that ended at {expires_on} is handed out at {} (host time)",
                end.host_time
            );
            let shown = Evidence::of(call.events());
            return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
        }
    }
    (looked_at > 0).then(|| {
        Finding::holds(
            INVARIANT.name,
            format!("{looked_at} tokens"),
            INVARIANT.says,
        )
    })
}
