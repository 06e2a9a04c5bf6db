//! A timeline that runs faster than the scenario says, where that cannot change a verdict.
//!
//! The clocks of programs outside cannot be made to run faster. So only the timeline does, and only
//! in a story in which nothing else takes time: no token that ends, nothing that a client waits
//! for, no fault that it would try to outlast, no command that is still busy when the world
//! changes.

use std::time::Duration;

use crate::{
    action::At,
    command::{self, Program},
    expectation::Scale,
    scenario::Span,
    service::Reach,
    story::Scenario,
};

/// The share of the time between two events that a command may take, so that it hardly ever
/// falls together with one.
const HARMLESS_SHARE: f64 = 0.05;

/// The same story, `times` faster.
///
/// # Errors
/// What in it lasts, so that it would become another story.
pub fn faster(scenario: &Scenario, times: f64) -> Result<Scenario, String> {
    if let Some(what) = lasting(scenario).or_else(|| slow(scenario, times)) {
        return Err(what);
    }
    let scaled = |span: Span| Span(span.0.div_f64(times));
    let mut scenario = scenario.clone();
    scenario.world.lasts = scaled(scenario.world.lasts);
    for at in &mut scenario.at {
        at.time = scaled(at.time);
        for duration in at.action.durations() {
            *duration = scaled(*duration);
        }
    }
    for expect in &mut scenario.expect {
        expect.that.expectation_mut().scale(Scale(times));
    }
    Ok(scenario)
}

/// The first thing in a story that takes time of its own.
fn lasting(scenario: &Scenario) -> Option<String> {
    let world = &scenario.world;
    let services = world.services();
    let lives = services
        .iter()
        .map(|service| (service.titles().join(" and "), service.token_life()));
    let commands = world.commands().map(|command| {
        let name = command.program().name().to_owned();
        (name, Some(command.common().token_life))
    });
    for (name, life) in lives.chain(commands) {
        // Clients renew from the half of a token's life on.
        if let Some(life) = life.filter(|life| life.0 / 2 < world.lasts.0) {
            return Some(format!(
                "tokens of {name} live {life}, and clients renew them within {}",
                world.lasts
            ));
        }
    }
    if services.iter().any(|service| service.limit().is_some()) {
        return Some("a service has a budget of requests per time".to_owned());
    }
    if let Some(what) = services.iter().find_map(|service| service.lasting()) {
        return Some(what);
    }
    if services
        .iter()
        .any(|service| service.reach() != Reach::Reachable)
    {
        return Some("a service cannot be reached, and clients try for a while".to_owned());
    }
    scenario
        .at
        .iter()
        .find_map(|at| at.action.consequences().lasting)
        .or_else(|| {
            scenario
                .expect
                .iter()
                .find_map(|expect| expect.that.expectation().takes_time())
                .map(str::to_owned)
        })
}

/// The first service or command that takes too long for a timeline so many times faster.
fn slow(scenario: &Scenario, times: f64) -> Option<String> {
    let world = &scenario.world;
    for service in world.services() {
        if service.takes().iter().any(|it| !it.at_most.0.is_zero()) {
            let title = service.titles().join(" and ");
            return Some(format!("{title} takes time for each answer"));
        }
    }
    // The world's beginning and end are events, too.
    let mut times_of: Vec<Duration> = scenario.at.iter().map(|at| at.time.0).collect();
    times_of.extend([Duration::ZERO, world.lasts.0]);
    times_of.sort_unstable();
    times_of.dedup();
    let gaps = times_of.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.saturating_sub(*one)),
        _ => None,
    });
    let gap = gaps.min().unwrap_or_default().div_f64(times);
    let comes = |program: Program| {
        let brings = |at: &At| at.action.consequences().brings == Some(program.name());
        scenario.at.iter().any(brings)
    };
    Program::ALL.iter().find_map(|program| {
        let there = world
            .commands()
            .find(|command| command.program() == *program)
            .map(|command| command.common().takes);
        let takes = there.or_else(|| comes(*program).then_some(None))?;
        let longest = takes.map_or(command::USUAL, |takes| takes.at_most.0);
        let name = program.name();
        (longest > gap.mul_f64(HARMLESS_SHARE)).then(|| {
            format!(
                "{name} takes {}, and the timeline would have no more than {} between two events; \
                 5 % of that would do (`takes` says how long it takes)",
                Span(longest),
                Span(gap),
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command::az::Az, scenario::Range, service::redis::Redis, story::library};

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
        let mut slow = bundled("developer/az-logged-out");
        takes(&mut slow, Duration::from_millis(75));
        let fast = faster(&slow, 10.0).expect("nothing in it lasts");
        assert_eq!(fast.world.lasts.0 * 10, slow.world.lasts.0);
        for (fast, slow) in fast.at.iter().zip(&slow.at) {
            assert_eq!(fast.time.0 * 10, slow.time.0);
        }
    }

    /// `az` takes so long.
    fn takes(scenario: &mut Scenario, time: Duration) {
        let az = scenario.world.az.as_mut().expect("it has az");
        az.takes = Some(Range::fixed(time));
    }

    #[test]
    fn commands_that_would_meet_the_next_event_are_refused_by_name() {
        let mut scenario = bundled("developer/az-logged-out");
        // Ten times faster there are 1.5 s between two events.
        takes(&mut scenario, Duration::from_millis(76));
        let refused = faster(&scenario, 10.0).expect_err("more than 5 % of that");
        assert!(refused.starts_with("az takes 76ms, and the timeline would have no more than 1"));
        assert!(faster(&scenario, 9.0).is_ok());
        // It takes its usual second, although it comes later.
        for az in [Some(Az::default()), None] {
            scenario.world.az = az;
            let refused = faster(&scenario, 9.0).expect_err("a second is too much");
            assert!(refused.starts_with("az takes 1s"), "{refused}");
        }
        scenario.at.clear();
        scenario.world.az = None;
        assert!(faster(&scenario, 9.0).is_ok());
    }

    #[test]
    fn services_that_take_time_are_refused_by_name() {
        let mut scenario = bundled("developer/az-logged-out");
        takes(&mut scenario, Duration::from_millis(1));
        let other = bundled("managed-identity/429-with-retry-after");
        let mut imds = other.world.imds.expect("it has IMDS");
        imds.takes = Some(Range::fixed(Duration::ZERO));
        scenario.world.imds = Some(imds);
        assert!(faster(&scenario, 10.0).is_ok());
        let imds = scenario.world.imds.as_mut().expect("it has IMDS");
        imds.takes = Some(Range::fixed(Duration::from_millis(1)));
        let refused = faster(&scenario, 10.0).expect_err("it takes time");
        assert_eq!(refused, "IMDS takes time for each answer");
        scenario.world.imds = None;
        let mut entra = bundled("entra/408-429-502-then-a-token")
            .world
            .entra
            .expect("it has Entra");
        entra.takes = Some(Range::fixed(Duration::from_millis(1)));
        scenario.world.entra = Some(entra);
        let refused = faster(&scenario, 10.0).expect_err("it takes time");
        assert_eq!(refused, "Entra ID takes time for each answer");
    }

    #[test]
    fn every_window_of_the_timeline_is_moved() {
        let mut scenario = bundled("developer/az-logged-out");
        takes(&mut scenario, Duration::from_millis(75));
        let windows = [
            "requests = { to.az = {}, at-most = 9, between = [\"10s\", \"20s\"] }",
            "redis-closed = { at-most = 9, between = [\"10s\", \"20s\"] }",
            "redis-reported = { what = \"refreshed\", at-most = 9, between = [\"10s\", \"20s\"] }",
            "resource-saw = { name = \"vault\", from = \"10s\", until = \"20s\" }",
            "token-from = { from = \"10s\", until = \"20s\" }",
        ];
        let expects = windows.map(|window| format!("[[expect]]\nthat.{window}\n"));
        #[derive(serde::Deserialize)]
        struct File {
            expect: Vec<crate::expectation::Expect>,
        }
        let file: File = toml::from_str(&expects.concat()).expect("expectations");
        scenario.expect = file.expect;
        let fast = faster(&scenario, 10.0).expect("nothing in it lasts");
        for expect in &fast.expect {
            let said = expect.that.describe();
            assert!(said.contains("between 1s and 2s"), "{said}");
        }
    }

    #[test]
    fn a_redis_that_takes_time_is_refused_by_name() {
        let mut scenario = bundled("developer/az-logged-out");
        takes(&mut scenario, Duration::from_millis(1));
        let redis: Redis = toml::from_str("").expect("everything has a default");
        let second = Range::fixed(Duration::from_secs(1));
        let mut refused = |redis: &Redis| {
            scenario.world.redis = Some(redis.clone());
            faster(&scenario, 10.0).err()
        };
        assert_eq!(refused(&redis), None);
        let with = |change: &dyn Fn(&mut Redis)| {
            let mut redis = redis.clone();
            change(&mut redis);
            redis
        };
        let takes_time = Some("Redis takes time for each answer".to_owned());
        assert_eq!(refused(&with(&|it| it.takes = Some(second))), takes_time);
        assert_eq!(
            refused(&with(&|it| it.auth_takes = Some(second))),
            takes_time
        );
        let grace = refused(&with(&|it| it.grace = Span(Duration::from_secs(1))));
        let closes = "Redis closes connections 1s after their token has ended";
        assert_eq!(grace.as_deref(), Some(closes));
        let away = refused(&with(&|it| it.reach = Reach::BlackHoled)).unwrap_or_default();
        assert!(away.starts_with("a service cannot be reached"), "{away}");
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
