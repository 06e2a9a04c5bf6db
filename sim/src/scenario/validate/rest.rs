//! What checks of one part of a file know of the others.

use super::super::{CallDo, Scenario};
use crate::world::{Rest, Series};

/// The rest of `scenario`.
pub(super) fn of(scenario: &Scenario) -> Rest<'_> {
    let calls = scenario.call.iter().map(|call| {
        let (kind, resource, subscribes) = match &call.action {
            CallDo::GetToken(_) => ("get-token", None, None),
            CallDo::UseResource(used) => ("use-resource", Some(used.resource.as_str()), None),
            CallDo::Redis(_) => ("redis", None, None),
            CallDo::RedisSubscribe(to) => ("redis-subscribe", None, Some(to.connection.as_str())),
        };
        Series {
            at: call.at,
            every: call.every,
            until: call.until,
            shares_credential: call.credential.is_shared(),
            kind,
            resource,
            subscribes,
        }
    });
    let faults = scenario.faults();
    let mut expectations = scenario.expect.iter();
    Rest {
        calls: calls.collect(),
        faults: faults
            .map(|(at, fault)| (fault.name.as_str(), at))
            .collect(),
        seeds: scenario.seeds.as_ref().map(|seeds| seeds.count),
        redis_client: scenario.subject.redis.as_ref().map(|redis| redis.client),
        last_repair: scenario.last_repair(),
        is_about_building: expectations.any(|expect| expect.that.expectation().is_about_building()),
    }
}
