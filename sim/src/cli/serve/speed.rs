//! A timeline that runs faster than the scenario says, where nobody can be misled by it.
//!
//! The clocks of programs outside cannot be made to run faster. So only the timeline does, and only
//! in a story in which nothing else takes time: no token that ends, nothing that a client waits
//! for, no fault that it would try to outlast.

use std::time::Duration;

use crate::scenario::{Action, FaultThen, Reach, Scenario, Span, That};

/// The same story, `times` faster.
///
/// # Errors
/// What in it lasts, so that it would become another story.
pub fn faster(scenario: &Scenario, times: f64) -> Result<Scenario, String> {
    if let Some(what) = lasting(scenario) {
        return Err(what);
    }
    let scaled = |span: Span| Span(span.0.div_f64(times));
    let mut scenario = scenario.clone();
    scenario.world.lasts = scaled(scenario.world.lasts);
    for at in &mut scenario.at {
        at.time = scaled(at.time);
        if let Action::Fault(fault) = &mut at.action {
            fault.lasts = fault.lasts.map(scaled);
        }
    }
    for expect in &mut scenario.expect {
        match &mut expect.that {
            That::Requests(wanted) => wanted.between = wanted.between.map(|both| both.map(scaled)),
            That::ResourceSaw(wanted) => {
                wanted.from = scaled(wanted.from);
                wanted.until = wanted.until.map(scaled);
            }
            // What callers get is not observed.
            _ => {}
        }
    }
    Ok(scenario)
}

/// The first thing in a story that takes time of its own.
fn lasting(scenario: &Scenario) -> Option<String> {
    let world = &scenario.world;
    let lives = [
        ("IMDS", world.imds.as_ref().map(|imds| imds.token_life)),
        (
            "Entra ID",
            world.entra.as_ref().map(|entra| entra.token_life),
        ),
        ("az", world.az.as_ref().map(|az| az.token_life)),
        ("azd", world.azd.as_ref().map(|azd| azd.token_life)),
        ("pwsh", world.pwsh.as_ref().map(|pwsh| pwsh.token_life)),
    ];
    for (name, life) in lives {
        // Clients renew from the half of a token's life on.
        let quiet = life.map_or(Duration::MAX, |life| life.0 / 2);
        if quiet < world.lasts.0 {
            let life = life.unwrap_or_default();
            return Some(format!(
                "tokens of {name} live {life}, and clients renew them within {}",
                world.lasts
            ));
        }
    }
    if world.imds.as_ref().is_some_and(|imds| imds.limit.is_some())
        || world
            .entra
            .as_ref()
            .is_some_and(|entra| entra.limit.is_some())
    {
        return Some("a service has a budget of requests per time".to_owned());
    }
    if world
        .entra
        .as_ref()
        .is_some_and(|entra| entra.refresh_in.is_some())
    {
        return Some("Entra ID says when a token is to be renewed".to_owned());
    }
    let reaches = [
        world.imds.as_ref().map(|imds| imds.reach),
        world.entra.as_ref().map(|entra| entra.reach),
    ];
    if reaches
        .into_iter()
        .flatten()
        .any(|reach| reach != Reach::Reachable)
    {
        return Some("a service cannot be reached, and clients try for a while".to_owned());
    }
    scenario
        .at
        .iter()
        .find_map(|at| lasting_change(&at.action))
        .or_else(|| {
            scenario
                .expect
                .iter()
                .find_map(|expect| lasting_expectation(&expect.that))
        })
}

fn lasting_change(action: &Action) -> Option<String> {
    match action {
        Action::Network(_) | Action::Crash(_) | Action::Restart(_) => {
            Some("a service cannot be reached, and clients try for a while".to_owned())
        }
        Action::Fault(fault) => {
            let passes = match &fault.then {
                FaultThen::Exit(_) => true,
                // Clients give up at once.
                FaultThen::Reply(reply) => {
                    matches!(reply.status, 400 | 401 | 403)
                        && reply.retry_after.is_none()
                        && reply.retry_after_date.is_none()
                }
                _ => false,
            };
            (!passes).then(|| format!("clients try to outlast the fault `{}`", fault.name))
        }
        _ => None,
    }
}

fn lasting_expectation(that: &That) -> Option<String> {
    match that {
        That::Rate(_) => Some("a rate of requests is expected".to_owned()),
        That::Attempts(_) => Some("waits between attempts are expected".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::library;

    fn bundled(name: &str) -> Scenario {
        let found = library::bundled()
            .into_iter()
            .find(|source| source.name == name);
        found
            .expect("it is there")
            .parse()
            .expect("it is valid")
            .scenario
    }

    #[test]
    fn a_story_of_logins_is_the_same_story_in_a_tenth_of_the_time() {
        let slow = bundled("developer/az-logged-out");
        let fast = faster(&slow, 10.0).expect("nothing in it lasts");
        assert_eq!(fast.world.lasts.0 * 10, slow.world.lasts.0);
        for (fast, slow) in fast.at.iter().zip(&slow.at) {
            assert_eq!(fast.time.0 * 10, slow.time.0);
        }
    }

    #[test]
    fn what_lasts_is_refused_by_name() {
        for (name, why) in [
            ("chain/silent-fallback-imds-fails", "tokens of IMDS live"),
            (
                "managed-identity/429-with-retry-after",
                "clients try to outlast the fault",
            ),
        ] {
            let refused = faster(&bundled(name), 10.0).expect_err(name);
            assert!(refused.starts_with(why), "{name}: {refused}");
        }
    }
}
