//! No expired token is handed out, by the host's own clock.

use jiff::SignedDuration;

use super::{Aspect, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::trace::CallOutcome;
use crate::wording::counted;

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "no-expired-token",
    says: "no expired token is handed out, by the host's own clock",
    is_held_by_silence: false,
    judge,
};

fn judge(_: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if let Some(unseen) = unseen(view, &[Aspect::Calls]) {
        return Some(unseen);
    }
    // Some SDKs round the end of a token to a whole second, up or down.
    let rounding = if view.run.visibility.sees(Aspect::Details) {
        SignedDuration::ZERO
    } else {
        SignedDuration::from_secs(1)
    };
    let mut looked_at = 0;
    for call in view.calls() {
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
            return Some(Ruling::fails(found, shown));
        }
    }
    (looked_at > 0).then(|| Ruling::holds(counted(looked_at, "token")))
}
