//! A process outside asks only for hosts of the world: any other request would have left the
//! simulation, to a service that nobody meant to test.

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{Run, Side},
    scenario::Scenario,
    trace::{Event, Kind},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "known-hosts-only",
    says: "nobody asks for a host that the scenario does not have",
    judge,
};

fn judge(_: &Scenario, run: &Run) -> Option<Finding> {
    // Only processes outside come in through the proxy, where such requests are seen.
    if run.sight.sees(Side::Attempts) {
        return None;
    }
    let refused = |event: &&Event| matches!(event.kind, Kind::HostRefused { .. });
    let refused: Vec<&Event> = run.trace.events.iter().filter(refused).collect();
    if refused.is_empty() {
        let found = "every host that was asked for is in the scenario";
        return Some(Finding::holds(INVARIANT.name, found, INVARIANT.says));
    }
    let found = match refused.len() {
        1 => "1 request was refused".to_owned(),
        several => format!("{several} requests were refused"),
    };
    Some(Finding::fails(
        INVARIANT.name,
        found,
        INVARIANT.says,
        Evidence::of(refused),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge::Sight, simulation::Simulation};

    #[test]
    fn it_speaks_about_processes_outside_and_nobody_else() {
        let simulation = Simulation::bundled("cache/clones-share").expect("bundled");
        let scenario = simulation.loaded().scenario.clone();
        let mut run = simulation.play().expect("a run").runs.remove(0);
        let host = "management.azure.com:443".to_owned();
        let refused = Event {
            at: run.ended,
            kind: Kind::HostRefused { host },
        };
        let mut judged = |sight: Sight| {
            run.sight = sight;
            let before = judge(&scenario, &run).map(|finding| finding.is_held());
            run.trace.events.push(refused.clone());
            let after = judge(&scenario, &run).map(|finding| finding.is_held());
            run.trace.events.pop();
            (before, after)
        };
        assert_eq!(judged(Sight::everything()), (None, None));
        for sight in [Sight::of_a_driver(), Sight::endpoints_only()] {
            assert_eq!(judged(sight), (Some(true), Some(false)));
        }
    }
}
