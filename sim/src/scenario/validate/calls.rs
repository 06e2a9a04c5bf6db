//! Who asks for tokens, and when.

use std::{ops::Range as Window, time::Duration};

use super::{
    super::{Call, CallDo, GetToken, UseResource, diagnostics::one_of},
    Check, Place,
};

/// More calls than that are a slip of the unit.
const MOST_CALLS: u128 = 2_000_000;

impl Check<'_> {
    pub(super) fn calls(&mut self) {
        for (index, call) in self.scenario.call.iter().enumerate() {
            let place = Place::default().key("call").index(index);
            self.call(call, &place);
        }
    }

    fn call(&mut self, call: &Call, place: &Place) {
        if call.callers == 0 {
            self.at_value(&place.key("callers"), "a call needs a caller")
                .label("nobody")
                .expected("1 or more");
        }
        if let Some(patience) = call.gives_up_after {
            let help = "leave it out for a caller that waits";
            self.longer_than_zero(patience, &place.key("gives-up-after"), help);
        }
        match &call.action {
            CallDo::GetToken(ask) => self.get_token(ask, call, &place.key("do").key("get-token")),
            CallDo::UseResource(r#use) => {
                self.use_resource(r#use, &place.key("do").key("use-resource"));
            }
        }
        let Some(every) = call.every else {
            self.before_the_end(call.at, &place.key("at"));
            if call.until.is_some() {
                self.at_key(&place.key("until"), "this call happens once")
                    .label("there is nothing to end")
                    .help("add `every`, or remove `until`");
            }
            return;
        };
        if every.0.is_zero() {
            self.at_value(&place.key("every"), "a call can't repeat after no time")
                .label("it would never stop")
                .expected("a duration such as \"1s\"")
                .help("several callers at the same moment are `callers = 10`");
            return;
        }
        let Some(window) = self.window(call.at, call.until, place, ["at", "until"]) else {
            return;
        };
        let length = window.end - window.start;
        let calls = length.as_nanos().div_ceil(every.0.as_nanos()) * u128::from(call.callers);
        if every.0 >= length {
            self.at_value(&place.key("every"), "this call never repeats")
                .label(format!("the series ends after {}", super::Span(length)))
                .expected(format!("less than {}", super::Span(length)))
                .help("leave `every` out for a single call");
        } else if calls > MOST_CALLS {
            self.at_value(&place.key("every"), format!("this makes {calls} calls"))
                .label("too many to play")
                .expected(format!("at most {MOST_CALLS} calls"))
                .help("ask less often, or end the series with `until`");
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
        }
        if ask.keeps_token && call.every.is_none() {
            self.at_key(&place.key("keeps-token"), "this caller asks only once")
                .label("so it has nothing to keep its token for")
                .help("add `every` to the `[[call]]`, or remove `keeps-token`");
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

    /// Whether a call of the step, or of any, begins in the window.
    pub(super) fn some_call(&self, window: &Window<Duration>, step: Option<usize>) -> bool {
        let end = self.scenario.world.lasts;
        let calls = self.scenario.call.iter().enumerate();
        let mut calls = calls.filter(|(index, _)| step.is_none_or(|step| step == index + 1));
        calls.any(|(_, call)| {
            let first = call.at.0;
            let every = call.every.unwrap_or_default().0.as_nanos();
            let skipped = match window.start.checked_sub(first) {
                None => 0,
                Some(early) if every > 0 => early.as_nanos().div_ceil(every),
                Some(early) if early.is_zero() => 0,
                Some(_) => return false,
            };
            let begins = first
                .as_nanos()
                .saturating_add(skipped.saturating_mul(every));
            let last = if skipped > 0 {
                call.until.unwrap_or(end).min(end)
            } else {
                end
            };
            begins < window.end.as_nanos() && begins < last.0.as_nanos()
        })
    }
}
