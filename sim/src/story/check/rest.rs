//! What checks of one part of a file know of the others.

use super::super::Scenario;
use crate::{
    check::{Rest, Series},
    host::APP,
    world,
};

/// The rest of `scenario`.
pub(crate) fn of(scenario: &Scenario) -> Rest<'_> {
    let calls = scenario.call.iter().map(|call| Series {
        at: call.at,
        every: call.every,
        until: call.until,
        shares_credential: call.credential.is_shared(),
        uses: call.action.uses(),
        resource: call.action.resource(),
        subscribes: call.action.subscription().map(|to| to.connection),
    });
    let faults = scenario.faults();
    let mut expectations = scenario.expect.iter();
    let begins = &scenario.world;
    let commands = begins.commands().map(|command| command.program().name());
    let services = begins.services().into_iter().map(|service| service.key());
    let resources = begins.resources.iter().map(|(name, resource)| {
        let rights = resource.grants.values().flatten().map(String::as_str);
        (name.as_str(), rights.collect())
    });
    Rest {
        services: services.chain(commands).collect(),
        advice: world::advice,
        accounts: begins.accounts.keys().map(String::as_str).collect(),
        reserved_hosts: [(APP, "the app itself")]
            .into_iter()
            .chain(world::reserved_hosts())
            .collect(),
        token_sources: world::token_sources(),
        resources: resources.collect(),
        redis_nodes: begins.redis.as_ref().map_or(1, |redis| redis.nodes),
        calls: calls.collect(),
        faults: faults
            .map(|(at, fault)| (fault.name.as_str(), at))
            .collect(),
        seeds: scenario.seeds.as_ref().map(|seeds| seeds.count),
        has_redis_client: scenario.subject.redis.is_some(),
        last_repair: scenario.last_repair(),
        is_about_building: expectations.any(|expect| expect.that.expectation().is_about_building()),
    }
}
