//! When an expectation has something to look at.

use std::time::Duration;

use crate::scenario::{Scenario, Span, That};

/// The first moment at which what `that` speaks about can happen; none if that is not a matter of
/// time.
pub(crate) fn first(scenario: &Scenario, that: &That) -> Option<Duration> {
    let call = |from: Span, step| first_call(scenario, from.0, step);
    match that {
        That::TokenFrom(that) => call(that.from, that.step),
        That::Error(that) => call(that.from, that.step),
        That::Waited(that) => call(that.from, that.step),
        That::Tokens(that) => call(that.from, None),
        That::PassedOver(that) => call(that.from, None),
        That::Recovery(_) => call(Span(scenario.last_repair()?), None),
        That::RedisReplies(that) => call(that.from, that.step),
        That::RedisFailure(that) => call(that.from, that.step),
        That::RedisClosed(that) => that.between.map(|[from, _]| from.0),
        That::RedisReported(that) => that.between.map(|[from, _]| from.0),
        That::Requests(that) => that.between.map(|[from, _]| from.0),
        That::Attempts(that) => Some(that.from.0),
        That::IdentityChange(that) => Some(that.from.0),
        That::ResourceSaw(that) => Some(that.from.0),
        That::InFlight(_)
        | That::Rate(_)
        | That::NotBuilt(_)
        | That::Share(_)
        | That::Percentile(_)
        | That::RedisReceived(_) => None,
    }
}

/// When the first call at `from` or later is due.
fn first_call(scenario: &Scenario, from: Duration, step: Option<usize>) -> Option<Duration> {
    let calls = scenario.call.iter().enumerate();
    let calls = calls.filter(|(index, _)| step.is_none_or(|step| step == index + 1));
    let due = calls.filter_map(|(_, call)| {
        let Some(late) = from.checked_sub(call.at.0).filter(|late| !late.is_zero()) else {
            return Some(call.at.0);
        };
        let every = call.every?.0.as_nanos();
        let repeats = u64::try_from(late.as_nanos().div_ceil(every.max(1)) * every).ok()?;
        let at = call.at.0.checked_add(Duration::from_nanos(repeats))?;
        call.until.is_none_or(|until| at < until.0).then_some(at)
    });
    due.min()
}
