//! Which scenarios an engine leaves out, and why.

use std::time::Duration;

use crate::wording::{Number, counted, times};
use crate::{
    action::{Action, Outside, PROXY_ALWAYS_ANSWERS},
    call::Instance,
    engine::{Engine, turmoil},
    scenario::{SignedSpan, Span},
    service::Reach,
    story::Scenario,
    world::Service,
};

/// The most virtual time that turmoil is asked to carry: it does work in every virtual
/// millisecond, whether anything happens or not.
const LONGEST_ON_TURMOIL: Duration = Duration::from_secs(600);

/// The longest that a live run of a scenario may last.
const LONGEST_LIVE: Duration = Duration::from_secs(90);

/// What makes the calls in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// The subject is a part of this process.
    Inside,
    /// It is a process of its own, which does what the scenario says.
    Driver,
    /// Programs that are not part of the scenario, at any time.
    Guests {
        /// Whether they find IMDS at a port of its own, which can refuse connections.
        imds_refuses: bool,
    },
}

/// Why `engine` does not play `scenario`, if it does not. `who` makes the calls.
pub fn reason(scenario: &Scenario, engine: Engine, who: Callers) -> Option<String> {
    let declared = scenario
        .not_on
        .iter()
        .find(|not| not.engine == engine.name());
    if let Some(declared) = declared {
        return Some(format!("not on {engine}: {}", declared.reason));
    }
    let lasts = scenario.world.lasts;
    let seeds = scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
    let most = Span(LONGEST_ON_TURMOIL);
    if engine == Engine::Turmoil && lasts > most {
        return Some(format!(
            "the world lasts {lasts}, and turmoil carries up to {most}"
        ));
    }
    if engine == Engine::Turmoil && lasts.0.saturating_mul(seeds) > LONGEST_ON_TURMOIL {
        return Some(format!(
            "{} of {lasts} each {} needed, and turmoil carries up to {most} in all",
            counted(seeds, "seed"),
            Number::of(seeds).pick("is", "are"),
        ));
    }
    let callers = scenario.call.iter().map(|call| call.callers).max();
    let callers = callers.filter(|callers| *callers > turmoil::MOST_CONNECTIONS);
    if engine == Engine::Turmoil
        && let Some(callers) = callers
    {
        return Some(format!(
            "{} may connect at once, and a host has ports for up to {} connections on turmoil",
            counted(callers, "caller"),
            turmoil::MOST_CONNECTIONS
        ));
    }
    if engine == Engine::Live {
        return live(scenario, who);
    }
    None
}

/// Why a scenario cannot be played in real time, if it cannot.
fn live(scenario: &Scenario, who: Callers) -> Option<String> {
    let lasts = scenario.world.lasts;
    let seeds = scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
    let most = Span(LONGEST_LIVE);
    if !matches!(who, Callers::Guests { .. }) && lasts.0.saturating_mul(seeds) > LONGEST_LIVE {
        let times = match Number::of(seeds) {
            Number::One => String::new(),
            Number::Many => format!(", {}", times(seeds)),
        };
        return Some(format!(
            "live runs are limited to {most}; this scenario lasts {lasts}{times}; the scenarios of the \
             folder `live` are short"
        ));
    }
    (who != Callers::Inside)
        .then(|| outside(scenario, who))
        .flatten()
}

/// Why a scenario needs something that cannot be done to a process outside, if it does.
fn outside(scenario: &Scenario, who: Callers) -> Option<String> {
    let world = &scenario.world;
    let says = |what: &str| Some(what.to_owned());
    if world.host.clock_skew != SignedSpan::default() {
        return says("its host's clock is wrong, and the clock of this machine stays as it is");
    }
    let shows_refusals = |service: &str| {
        who == Callers::Guests { imds_refuses: true } && service == Service::Imds.name()
    };
    let refusals = [Reach::Refused, Reach::Unreachable];
    let services = world.services();
    if services
        .iter()
        .filter(|service| !(shows_refusals(service.key()) && service.reach() == Reach::Refused))
        .any(|service| refusals.contains(&service.reach()))
    {
        return says(PROXY_ALWAYS_ANSWERS);
    }
    for at in &scenario.at {
        if let Action::Network(change) = &at.action
            && change.reach == Reach::Refused
            && shows_refusals(change.service.name())
        {
            continue;
        }
        match at.action.consequences().outside {
            Outside::Possible => {}
            Outside::Impossible(why) => return says(why),
            Outside::NeedsRequest { why, .. } if who == Callers::Driver => return says(why),
            Outside::NeedsRequest { .. } => {}
        }
    }
    let clones = |instance| instance == Instance::Clone;
    if who == Callers::Driver && scenario.call.iter().any(|call| clones(call.credential)) {
        return says("credentials are cloned, and the driver protocol does not support clone");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{simulation::Simulation, story::library};

    /// So many callers, each with a connection of its own to a service that takes its time.
    fn with_callers(callers: u32) -> Simulation {
        let text = format!(
            r#"
title = "Many calls at once, each with a new connection"
story = "Nothing goes wrong."
[world]
start = "2026-01-01T00:00:00Z"
lasts = "5s"
[world.imds]
system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
[world.resources.vault]
audience = "https://vault.azure.net"
grants = {{ "5e29463d-0000-0000-0000-000000000001" = ["read"] }}
[subject]
credential.managed-identity = {{}}
[[call]]
callers = {callers}
do.use-resource = {{ resource = "vault" }}
[[expect]]
that.token-from = {{ principal = "5e29463d-0000-0000-0000-000000000001" }}
[[expect]]
that.requests = {{ to.resource = {{ name = "vault" }}, exactly = {callers} }}
"#
        );
        let simulation = Simulation::text("many", &text).expect("a valid scenario");
        simulation.engine(Engine::Turmoil)
    }

    #[test]
    fn turmoil_carries_hundreds_of_connections_at_once() {
        let simulation = with_callers(300);
        assert_eq!(simulation.skip_reason(), None);
        let played = simulation.play().expect("a run");
        played.passed().unwrap_or_else(|why| panic!("{why}"));
    }

    #[test]
    fn more_callers_than_turmoil_has_ports_are_skipped_by_name() {
        let simulation = with_callers(40_001);
        let reason = simulation.skip_reason().expect("it is skipped");
        assert!(
            reason.starts_with("40001 callers may connect at once"),
            "{reason}"
        );
        assert_eq!(simulation.engine(Engine::Lapse).skip_reason(), None);
    }

    #[test]
    fn a_redis_that_refuses_connections_cannot_be_shown_to_a_process_outside() {
        let mut sources = library::bundled().into_iter();
        let found = sources.find(|source| source.name == "live/token-by-client-secret");
        let loaded = found.map(|source| source.parse().expect("it is valid"));
        let mut scenario = loaded.expect("it is there").scenario;
        let guests = Callers::Guests {
            imds_refuses: false,
        };
        assert_eq!(outside(&scenario, guests), None);
        for (reach, shown) in [("black-holed", true), ("refused", false)] {
            let redis = toml::from_str(&format!("reach = \"{reach}\""));
            scenario.world.redis = Some(redis.expect("a valid Redis"));
            assert_eq!(outside(&scenario, guests).is_none(), shown, "{reach}");
        }
    }
}
