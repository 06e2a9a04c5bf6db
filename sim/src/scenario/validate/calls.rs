//! Who asks for tokens, and when.

use super::{
    super::{Call, CallDo, GetToken, Instance, Span, UseResource, diagnostics::one_of},
    Check, Place,
};

/// More calls than that, in all worlds of a file together, are a slip of the unit.
const MOST_CALLS: u128 = 2_000_000;
/// The same for calls that build a credential of their own.
const MOST_NEW: u128 = 100_000;
/// From so many callers on they are the reason, rather than how often they ask.
const MANY_CALLERS: u32 = 100_000;

impl Check<'_> {
    pub(super) fn calls(&mut self) {
        let mut counted = Vec::new();
        for (index, call) in self.scenario.call.iter().enumerate() {
            let place = Place::default().key("call").index(index);
            if let Some(count) = self.call(call, &place) {
                counted.push((call, place, count));
            }
        }
        if self.not_too_many(&counted, MOST_CALLS, "calls") {
            counted.retain(|(call, ..)| !call.credential.is_shared());
            for (call, _, count) in &mut counted {
                if call.credential == Instance::EachItsOwn {
                    *count = u128::from(call.callers);
                }
            }
            self.not_too_many(&counted, MOST_NEW, "calls with a new credential each");
        }
    }

    /// All calls of the file together, reported at the one that makes the most of them.
    fn not_too_many(&mut self, counted: &[(&Call, Place, u128)], most: u128, what: &str) -> bool {
        let seeds = self.scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
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
        self.at_value(&place, message)
            .label(label)
            .expected(format!("at most {most} calls"))
            .help(format!("{fewer_seeds}{fewer}"));
        false
    }

    /// How many calls it makes in one world, unless it makes no sense.
    fn call(&mut self, call: &Call, place: &Place) -> Option<u128> {
        if call.callers == 0 {
            self.at_value(&place.key("callers"), "a call needs a caller")
                .label("nobody")
                .expected("1 or more");
        }
        self.ramp_up(call, place);
        if let Some(patience) = call.gives_up_after {
            let help = "leave it out for a caller that waits";
            self.longer_than_zero(patience, &place.key("gives-up-after"), help);
        }
        match &call.action {
            CallDo::GetToken(ask) => self.get_token(ask, call, &place.key("do").key("get-token")),
            CallDo::UseResource(r#use) => {
                self.use_resource(r#use, &place.key("do").key("use-resource"));
            }
            CallDo::Redis(work) => self.redis_work(work, call, &place.key("do").key("redis")),
            CallDo::RedisSubscribe(work) => {
                self.redis_subscribe(work, call, &place.key("do").key("redis-subscribe"));
            }
        }
        let is_redis = matches!(call.action, CallDo::Redis(_) | CallDo::RedisSubscribe(_));
        if self.scenario.subject.redis.is_some() && !is_redis {
            self.at_key(
                &place.key("do"),
                "here the Redis client asks for tokens, and nobody else",
            )
            .label("the subject is a Redis client")
            .expected("`redis` or `redis-subscribe`")
            .help("remove `[subject.redis]`, or send commands");
        }
        if is_redis && call.credential != Instance::Shared {
            self.at_key(
                &place.key("credential"),
                "all callers share one Redis client",
            )
            .label("there is no other")
            .help("`each-its-own = true` gives each caller its own connection");
        }
        let Some(every) = call.every else {
            self.before_the_end(call.at, &place.key("at"));
            if call.until.is_some() {
                self.at_key(&place.key("until"), "this call happens once")
                    .label("there is nothing to end")
                    .help("add `every`, or remove `until`");
            }
            return Some(u128::from(call.callers));
        };
        if every.0.is_zero() {
            self.at_value(&place.key("every"), "a call can't repeat after no time")
                .label("it would never stop")
                .expected("a duration such as \"1s\"")
                .help("several callers at the same moment are `callers = 10`");
            return None;
        }
        let window = self.window(call.at, call.until, place, ["at", "until"])?;
        let length = window.end - window.start;
        if every.0 >= length {
            self.at_value(&place.key("every"), "this call never repeats")
                .label(format!("the series ends after {}", Span(length)))
                .expected(format!("less than {}", Span(length)))
                .help("leave `every` out for a single call");
            return None;
        }
        let times = length.as_nanos().div_ceil(every.0.as_nanos());
        Some(times.saturating_mul(u128::from(call.callers)))
    }

    /// The callers of a step begin before it is repeated, and before the world ends.
    fn ramp_up(&mut self, call: &Call, place: &Place) {
        let Some(ramp_up) = call.ramp_up else { return };
        let at = place.key("ramp-up");
        let help = "leave it out for callers that begin at the same moment";
        self.longer_than_zero(ramp_up, &at, help);
        if call.callers == 1 {
            self.at_key(&at, "one caller has nobody to begin after it")
                .label("there is no second one")
                .help("add `callers`, or remove `ramp-up`");
            return;
        }
        let lasts = self.scenario.world.lasts;
        let left = Span(lasts.0.saturating_sub(call.at.0));
        let (longest, why) = match call.every {
            Some(every) if every < left => (every, "the next series begins before it is over"),
            _ => (left, "the world ends before all have begun"),
        };
        if ramp_up > longest {
            self.at_value(&at, "the callers take too long to begin")
                .label(why)
                .expected(format!("at most {longest}"));
        }
    }

    fn get_token(&mut self, ask: &GetToken, call: &Call, place: &Place) {
        let scopes = place.key("scopes");
        if ask.scopes.is_empty() {
            self.at_value(&scopes, "a token is asked for nothing")
                .label("no scopes")
                .expected("at least one scope, such as \"https://vault.azure.net/.default\"");
        }
        for (index, scope) in ask.scopes.iter().enumerate() {
            let place = scopes.index(index);
            if scope.trim().is_empty() || scope.contains(char::is_whitespace) {
                self.at_value(&place, format!("\"{scope}\" is not a scope"))
                    .label("empty, or with a space in it")
                    .expected("such as \"https://vault.azure.net/.default\"")
                    .help("several scopes are several strings");
            }
            self.numbers(scope, call, &place);
        }
        if ask.keeps_token && call.every.is_none() {
            self.at_key(&place.key("keeps-token"), "this caller asks only once")
                .label("so it has nothing to keep its token for")
                .help("add `every` to the `[[call]]`, or remove `keeps-token`");
        }
    }

    /// What stands in braces in a scope.
    fn numbers(&mut self, scope: &str, call: &Call, place: &Place) {
        for text in scope.split('{').skip(1) {
            let name = text.split('}').next().unwrap_or_default();
            match name {
                "n" if call.every.is_none() => self
                    .at_value(place, "`{n}` is 1 here, whoever calls")
                    .label("this call is not repeated")
                    .help("add `every`; `{caller}` is the number of the caller"),
                "caller" if call.callers < 2 => self
                    .at_value(place, "`{caller}` is 1 here, in each repetition")
                    .label("there is one caller")
                    .help("add `callers`; `{n}` is the number of the repetition"),
                "n" | "caller" => continue,
                _ => self
                    .at_value(place, format!("`{{{name}}}` stands for nothing"))
                    .label("in braces")
                    .expected("`{n}`, the number of the repetition, or `{caller}`")
                    .did_you_mean(name, ["n", "caller"]),
            };
        }
    }

    fn use_resource(&mut self, used: &UseResource, place: &Place) {
        if !self.resource(&used.resource, &place.key("resource")) {
            return;
        }
        let grants = &self.scenario.world.resources[&used.resource].grants;
        let mut rights = grants
            .values()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>();
        rights.sort_unstable();
        rights.dedup();
        if !rights.is_empty() && !rights.contains(&used.right.as_str()) {
            let message = format!(
                "nobody has the right `{}` on `{}`",
                used.right, used.resource
            );
            self.at_value(&place.key("right"), message)
                .label("in none of its grants")
                .expected(one_of(rights.iter().copied()))
                .did_you_mean(&used.right, rights);
        }
    }
}
