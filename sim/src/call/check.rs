//! Whether the series of calls make sense: when they begin, how often, and how many there are.

use super::{Call, Instance, Uses};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// More calls than that, in all worlds of a file together, are a slip of the unit.
const MOST_CALLS: u128 = 2_000_000;
/// The same for calls that build a credential of their own.
const MOST_NEW: u128 = 100_000;
/// From so many callers on they are the reason, rather than how often they ask.
const MANY_CALLERS: u32 = 100_000;

/// Reports what makes no sense in the calls of a file.
pub(crate) fn check(calls: &[Call], check: &mut Check<'_>) {
    let mut counted = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let place = Place::default().key("call").index(index);
        if let Some(count) = series(call, &place, check) {
            counted.push((call, place, count));
        }
    }
    if not_too_many(&counted, MOST_CALLS, "calls", check) {
        counted.retain(|(call, ..)| !call.credential.is_shared());
        for (call, _, count) in &mut counted {
            if call.credential == Instance::EachItsOwn {
                *count = u128::from(call.callers);
            }
        }
        not_too_many(
            &counted,
            MOST_NEW,
            "calls with a new credential each",
            check,
        );
    }
}

/// Counts all calls of the file together; too many are reported at the series that makes the most
/// of them.
fn not_too_many(
    counted: &[(&Call, Place, u128)],
    most: u128,
    what: &str,
    check: &mut Check<'_>,
) -> bool {
    let seeds = check.rest.seeds.unwrap_or(1);
    let in_one = counted
        .iter()
        .fold(0, |sum: u128, (.., count)| sum.saturating_add(*count));
    let all = in_one.saturating_mul(u128::from(seeds));
    let Some((call, place, count)) = counted.iter().max_by_key(|(.., count)| count) else {
        return true;
    };
    if all <= most {
        return true;
    }
    let place = place.key(if call.every.is_some() && call.callers < MANY_CALLERS {
        "every"
    } else {
        "callers"
    });
    let message = match (counted.len(), seeds) {
        (1, ..=1) => format!("this makes {all} {what}"),
        (_, ..=1) => format!("this file makes {all} {what}"),
        _ => format!("this file makes {all} {what}, {in_one} with each of {seeds} seeds"),
    };
    let label = if counted.len() == 1 {
        "too many to play".to_owned()
    } else {
        format!("too many to play, and {count} of them are here")
    };
    let fewer_seeds = if seeds > 1 { "play fewer seeds, " } else { "" };
    let fewer = if call.every.is_some() {
        "ask less often, or end the series with `until`"
    } else {
        "let fewer callers ask"
    };
    check
        .at_value(&place, message)
        .label(label)
        .expected(format!("at most {most} calls"))
        .help(format!("{fewer_seeds}{fewer}"));
    false
}

/// How many calls a series makes in one world, unless it makes no sense.
fn series(call: &Call, place: &Place, check: &mut Check<'_>) -> Option<u128> {
    if call.callers == 0 {
        check
            .at_value(&place.key("callers"), "a call needs a caller")
            .label("zero")
            .expected("1 or more");
    }
    ramp_up(call, place, check);
    if let Some(patience) = call.gives_up_after {
        let help = "leave it out for a caller that waits";
        check.longer_than_zero(patience, &place.key("gives-up-after"), help);
    }
    call.action.check(call, &place.key("do"), check);
    fits_the_subject(call, place, check);
    let Some(every) = call.every else {
        check.before_the_end(call.at, &place.key("at"));
        if call.until.is_some() {
            check
                .at_key(&place.key("until"), "this call happens once")
                .label("there is nothing to end")
                .help("add `every`, or remove `until`");
        }
        return Some(u128::from(call.callers));
    };
    if every.0.is_zero() {
        check
            .at_value(&place.key("every"), "a call can't repeat after no time")
            .label("it would never stop")
            .expected("a duration such as \"1s\"")
            .help("several callers at the same moment are `callers = 10`");
        return None;
    }
    let window = check.window(call.at, call.until, place, ["at", "until"])?;
    let length = window.end - window.start;
    if every.0 >= length {
        check
            .at_value(&place.key("every"), "this call never repeats")
            .label(format!("the series ends after {}", Span(length)))
            .expected(format!("less than {}", Span(length)))
            .help("leave `every` out for a single call");
        return None;
    }
    let times = length.as_nanos().div_ceil(every.0.as_nanos());
    Some(times.saturating_mul(u128::from(call.callers)))
}

/// Where a Redis client is under test, it alone asks the credential, and all callers share it.
fn fits_the_subject(call: &Call, place: &Place, check: &mut Check<'_>) {
    match call.action.uses() {
        Uses::Credential if check.rest.has_redis_client => {
            check
                .at_key(
                    &place.key("do"),
                    "only the Redis client asks for tokens here",
                )
                .label("the subject is a Redis client")
                .expected("`redis` or `redis-subscribe`")
                .help("remove `[subject.redis]`, or send commands");
        }
        Uses::RedisClient if call.credential != Instance::Shared => {
            check
                .at_key(
                    &place.key("credential"),
                    "all callers share one Redis client",
                )
                .label("the world has one Redis client")
                .help("`each-its-own = true` gives each caller its own connection");
        }
        Uses::BareHttp if call.credential != Instance::Shared => {
            check
                .at_key(
                    &place.key("credential"),
                    format!("`{}` asks no credential", call.action.key()),
                )
                .label("so it can't choose one")
                .help("remove `credential`");
        }
        Uses::Credential | Uses::RedisClient | Uses::BareHttp => {}
    }
}

/// The callers of a series begin before it is repeated, and before the world ends.
fn ramp_up(call: &Call, place: &Place, check: &mut Check<'_>) {
    let Some(ramp_up) = call.ramp_up else { return };
    let at = place.key("ramp-up");
    let help = "leave it out for callers that begin at the same moment";
    check.longer_than_zero(ramp_up, &at, help);
    if call.callers == 1 {
        check
            .at_key(&at, "a single caller has no ramp-up")
            .label("`callers` is 1")
            .help("add `callers`, or remove `ramp-up`");
        return;
    }
    let left = Span(check.lasts.0.saturating_sub(call.at.0));
    let (longest, why) = match call.every {
        Some(every) if every < left => (every, "the next series begins before it is over"),
        _ => (left, "the world ends before all have begun"),
    };
    if ramp_up > longest {
        check
            .at_value(&at, "the callers take too long to begin")
            .label(why)
            .expected(format!("at most {longest}"));
    }
}
