//! A process outside asks only for hosts of the world: any other request would have left the
//! simulation, to a service that is not under test.

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View};
use crate::trace::Kind;
use crate::wording::{Number, counted};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "known-hosts-only",
    says: "no client asks for a host that the scenario does not have",
    is_held_by_silence: true,
    judge,
};

fn judge(_: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    // Only processes outside come in through the proxy, where such requests are seen.
    if view.run.visibility.sees(Aspect::Attempts) {
        return None;
    }
    let is_refused = |event: &Entry<'_>| matches!(event.event.kind, Kind::HostRefused { .. });
    let refused: Vec<Entry<'_>> = view.all().filter(is_refused).collect();
    if refused.is_empty() {
        let found = "every host that was asked for is in the scenario";
        return Some(Ruling::holds(found));
    }
    let found = format!(
        "{} {} refused",
        counted(refused.len(), "request"),
        Number::of(refused.len()).pick("was", "were")
    );
    Some(Ruling::fails(found, Evidence::of(refused)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge::Visibility, simulation::Simulation, trace::Event};

    #[test]
    fn it_speaks_about_processes_outside_and_nobody_else() {
        let simulation = Simulation::bundled("cache/clones-share").expect("bundled");
        let scenario = simulation.loaded().scenario.clone();
        let mut run = simulation.play().expect("a run").runs.remove(0);
        let host = "management.azure.com:443".to_owned();
        let refused = Event {
            at: run.ended,
            kind: Kind::HostRefused { host, other: None },
        };
        let mut judged = |visibility: Visibility| {
            run.visibility = visibility;
            let plan = crate::verdict::plan(&scenario);
            let before = judge(&plan, &View::of(&run)).map(|ruling| ruling.is_held());
            run.trace.events.push(refused.clone());
            let after = judge(&plan, &View::of(&run)).map(|ruling| ruling.is_held());
            run.trace.events.pop();
            (before, after)
        };
        assert_eq!(judged(Visibility::everything()), (None, None));
        for visibility in [Visibility::of_a_driver(), Visibility::endpoints_only()] {
            assert_eq!(judged(visibility), (Some(true), Some(false)));
        }
    }
}
