//! Expectations: each must be able to hold, to fail, and to be tested at all.

use std::time::Duration;

use super::{
    super::{
        Attempts, CallDo, ChangeIs, ErrorLike, Expect, IdentityChange, Percentile, Recovery,
        Requests, ResourceSaw, Share, Span, Target, That, TokenFrom, Waited,
    },
    Check, Place,
};

impl Check<'_> {
    pub(super) fn expectations(&mut self) {
        let scenario = self.scenario;
        for (index, expect) in scenario.expect.iter().enumerate() {
            let place = Place::default().key("expect").index(index);
            if let Some(why) = &expect.why {
                self.text(
                    why,
                    &place.key("why"),
                    "what a reader learns when it does not hold",
                );
                self.visible_text(why, &place.key("why"));
            }
            self.that(expect, &place.key("that"));
        }
    }

    fn that(&mut self, expect: &Expect, place: &Place) {
        match &expect.that {
            That::TokenFrom(that) => self.token_from(that, &place.key("token-from")),
            That::Error(that) => self.error(that, &place.key("error")),
            That::Requests(that) => self.requests(that, &place.key("requests")),
            That::InFlight(that) => {
                let place = place.key("in-flight");
                self.target(&that.to, &place);
                if that.at_most == 0 {
                    self.at_value(
                        &place.key("at-most"),
                        "nothing in flight is no requests at all",
                    )
                    .label("zero")
                    .help("write `that.requests = { to = ..., exactly = 0 }`");
                }
            }
            That::Rate(that) => {
                let place = place.key("rate");
                self.target(&that.to, &place);
                let help = "a window of no length has no requests in it";
                self.longer_than_zero(that.per, &place.key("per"), help);
            }
            That::Attempts(that) => self.attempts(that, &place.key("attempts")),
            That::Waited(that) => self.waited(that, &place.key("waited")),
            That::IdentityChange(that) => self.identity_change(that, &place.key("identity-change")),
            That::PassedOver(that) => {
                let place = place.key("passed-over");
                self.needs_chain(&place);
                self.credential(&that.credential, &place.key("credential"));
                self.when(that.from, that.until, None, &place);
            }
            That::Recovery(that) => self.recovery(that, &place.key("recovery")),
            That::ResourceSaw(that) => self.resource_saw(that, &place.key("resource-saw")),
            That::NotBuilt(that) => {
                self.texts(&that.contains, &place.key("not-built").key("contains"));
            }
            That::Tokens(that) => self.when(that.from, that.until, None, &place.key("tokens")),
            That::Share(that) => self.share_of_calls(that, &place.key("share")),
            That::Percentile(that) => self.percentile(that, &place.key("percentile")),
            That::RedisReplies(that) => {
                let place = place.key("redis-replies");
                self.service("redis", &place);
                self.when(that.from, that.until, that.step, &place);
            }
            That::RedisFailure(that) => {
                let place = place.key("redis-failure");
                self.service("redis", &place);
                self.texts(&that.contains, &place.key("contains"));
                self.when(that.from, that.until, that.step, &place);
            }
            That::RedisClosed(that) => self.redis_closed(that, &place.key("redis-closed")),
            That::RedisReceived(that) => self.redis_received(that, &place.key("redis-received")),
            That::RedisReported(that) => self.redis_reported(that, &place.key("redis-reported")),
        }
    }

    /// The window and the step of an expectation about calls: at least one must begin there.
    fn when(&mut self, from: Span, until: Option<Span>, step: Option<usize>, place: &Place) {
        let steps = self.scenario.call.len();
        if let Some(number) = step
            && !(1..=steps).contains(&number)
        {
            let problem = self.at_value(
                &place.key("step"),
                format!("there is no call number {number}"),
            );
            problem
                .label(format!("this file has {steps} `[[call]]`"))
                .expected("the number of a `[[call]]`, counted from 1");
            return;
        }
        let Some(window) = self.window(from, until, place, ["from", "until"]) else {
            return;
        };
        if steps > 0 && !self.some_call(&window, step) {
            let (from, until) = (Span(window.start), Span(window.end));
            let whose = step.map_or(String::new(), |step| format!(" of number {step}"));
            self.at_key(
                place,
                format!("no call{whose} begins between {from} and {until}"),
            )
            .label("so this is never tested")
            .expected("a window in which somebody calls")
            .help("move the window (`from`, `until`), or add a `[[call]]`");
        }
    }

    /// Texts that something must contain.
    fn texts(&mut self, texts: &[String], place: &Place) {
        for (index, text) in texts.iter().enumerate() {
            self.text(
                text,
                &place.index(index),
                "a text that not every error contains",
            );
        }
    }

    fn token_from(&mut self, that: &TokenFrom, place: &Place) {
        if let Some(principal) = &that.principal {
            self.principal(principal, &place.key("principal"));
        }
        if let Some(credential) = &that.credential {
            self.credential(credential, &place.key("credential"));
        }
        let names = ["valid-for-at-least", "valid-for-at-most"];
        self.bounds(
            that.valid_for_at_least,
            that.valid_for_at_most,
            place,
            names,
        );
        self.when(that.from, that.until, that.step, place);
    }

    fn error(&mut self, that: &ErrorLike, place: &Place) {
        if let Some(credential) = &that.credential {
            self.credential(credential, &place.key("credential"));
        }
        self.texts(&that.contains, &place.key("contains"));
        self.when(that.from, that.until, that.step, place);
    }

    /// `between = [from, until]`: two times of the world, one after the other.
    pub(super) fn between(&mut self, window: Option<[Span; 2]>, place: &Place) {
        let Some([from, until]) = window else {
            return;
        };
        let place = place.key("between");
        let end = self.scenario.world.lasts;
        if self.before_the_end(from, &place.index(0)) && until <= from {
            self.at_value(&place, "this window is empty")
                .label(format!("{until} is not after {from}"))
                .expected("two times, the earlier one first, counted from the world's start");
        } else if until > end {
            self.at_value(
                &place.index(1),
                format!("{until} is after the end of the world"),
            )
            .label(format!("the world lasts {end}"))
            .expected(format!("at most {end}, counted from the world's start"));
        }
    }

    fn requests(&mut self, that: &Requests, place: &Place) {
        self.target(&that.to, place);
        self.between(that.between, place);
        let other = match (that.at_least, that.at_most) {
            (Some(_), _) => Some("at-least"),
            (None, Some(_)) => Some("at-most"),
            (None, None) => None,
        };
        match (that.exactly, other) {
            (Some(_), Some(other)) => {
                self.at_key(
                    &place.key(other),
                    "two answers to one question: how many requests",
                )
                .label("`exactly` says it already")
                .expected("either `exactly`, or `at-least` and `at-most`")
                .help("keep one of them");
            }
            (None, None) => {
                self.at_key(place, "this asks nothing of the requests")
                    .label("no number")
                    .expected("`exactly`, `at-least` or `at-most`")
                    .help("add `exactly = 1`, for example");
            }
            _ => self.bounds(that.at_least, that.at_most, place, ["at-least", "at-most"]),
        }
        if that.at_least == Some(0) && that.at_most.is_none() && that.exactly.is_none() {
            self.always_holds(
                &place.key("at-least"),
                "there are always 0 requests or more",
            );
        }
    }

    /// An expectation that no run can disappoint.
    fn always_holds(&mut self, place: &Place, why: &str) {
        self.at_value(place, "this always holds")
            .label(why)
            .help("an expectation that can never fail tells nothing: tighten it");
    }

    fn attempts(&mut self, that: &Attempts, place: &Place) {
        self.target(&that.to, place);
        match that.to {
            Target::Imds(_) | Target::Entra(_) => {}
            Target::Az(_)
            | Target::Azd(_)
            | Target::Pwsh(_)
            | Target::Resource(_)
            | Target::Redis(_) => {
                let key = that.to.key();
                self.at_key(
                    &place.key("to").key(key),
                    format!("attempts at `{key}` are not timed"),
                )
                .label("a credential does not retry here")
                .expected("`imds` or `entra`");
            }
        }
        self.share(that.jitter, &place.key("jitter"));
        self.window(that.from, that.until, place, ["from", "until"]);
    }

    fn waited(&mut self, that: &Waited, place: &Place) {
        match (that.at_least, that.at_most) {
            (None, None) => {
                self.at_key(place, "this asks nothing of the callers")
                    .label("no time")
                    .expected("`at-least` or `at-most`")
                    .help("add `at-most = \"1s\"`, for example");
            }
            (Some(least), None) if least.0.is_zero() => {
                self.always_holds(&place.key("at-least"), "everybody waits 0s or longer");
            }
            (least, most) => self.bounds(least, most, place, ["at-least", "at-most"]),
        }
        self.when(that.from, that.until, that.step, place);
    }

    fn identity_change(&mut self, that: &IdentityChange, place: &Place) {
        for (key, name) in [
            ("from-credential", &that.from_credential),
            ("to-credential", &that.to_credential),
        ] {
            if let Some(name) = name {
                self.credential(name, &place.key(key));
            }
        }
        if that.is == ChangeIs::Absent && that.times.is_some() {
            self.at_key(&place.key("times"), "what is absent has no number")
                .label("`is` says that there is none")
                .help("remove `times`");
        }
        if that.is == ChangeIs::Refused && !self.names.refuses {
            self.at_value(&place.key("is"), "nobody in this scenario refuses a change")
                .label("the subject reports changes, and hands the token out")
                .help("set `fallback-policy = \"refuse\"` in the chain, or expect `reported`");
        }
        self.window(that.from, that.until, place, ["from", "until"]);
    }

    fn needs_chain(&mut self, place: &Place) {
        if !self.names.has_chain {
            self.at_key(place, "only a chain passes somebody over")
                .label("the subject is no chain")
                .help("expect `that.error` of the credential itself, or make the subject a chain");
        }
    }

    fn recovery(&mut self, that: &Recovery, place: &Place) {
        if let Some(principal) = &that.principal {
            self.principal(principal, &place.key("principal"));
        }
        let end = self.scenario.world.lasts;
        let Some(repair) = self.scenario.last_repair() else {
            self.at_key(place, "nothing in this world ever gets better")
                .label("so there is nothing to recover from")
                .expected("a fault that ends by `lift`, `lasts` or `first`, or another repair")
                .help("add `[[at]]` with `do.lift`, for example");
            return;
        };
        if !self.some_call(
            &(repair..end.0.max(repair.saturating_add(Duration::from_nanos(1)))),
            None,
        ) {
            self.at_key(
                place,
                format!("nobody calls after the last repair, at {}", Span(repair)),
            )
            .label("so this is never tested")
            .expected(format!("a call after {}", Span(repair)))
            .help("add a `[[call]]`, or let the series go on");
        }
    }

    fn resource_saw(&mut self, that: &ResourceSaw, place: &Place) {
        for (index, principal) in that.principals.iter().flatten().enumerate() {
            self.principal(principal, &place.key("principals").index(index));
        }
        if that.principals.is_none() && that.refused.is_none() {
            self.at_key(place, "this asks nothing of the resource")
                .label("neither whom it saw nor whom it refused")
                .expected("`principals` or `refused`")
                .help("add `principals = [\"<object id>\"]`, for example");
        }
        self.window(that.from, that.until, place, ["from", "until"]);
        if !self.resource(&that.name, &place.key("name")) {
            return;
        }
        let is_used = self.scenario.call.iter().any(
            |call| matches!(&call.action, CallDo::UseResource(used) if used.resource == that.name),
        );
        if !is_used {
            self.at_value(
                &place.key("name"),
                format!("nobody uses the resource `{}`", that.name),
            )
            .label("so this is never tested")
            .help(format!(
                "add a `[[call]]` with `do.use-resource = {{ resource = \"{}\" }}`",
                that.name
            ));
        }
    }

    fn share_of_calls(&mut self, that: &Share, place: &Place) {
        self.needs_seeds(place);
        let fits = self.share(that.at_least, &place.key("at-least"));
        let most = that.at_most.unwrap_or(1.0);
        if !fits || !self.share(most, &place.key("at-most")) {
            return;
        }
        self.bounds(
            Some(that.at_least),
            Some(most),
            place,
            ["at-least", "at-most"],
        );
        if that.at_least == 0.0 && most == 1.0 {
            self.always_holds(&place.key("at-least"), "every share is from 0 to 1");
        }
    }

    fn percentile(&mut self, that: &Percentile, place: &Place) {
        self.needs_seeds(place);
        if !(that.percentile > 0.0 && that.percentile <= 100.0) {
            self.at_value(
                &place.key("percentile"),
                format!("there is no percentile {}", that.percentile),
            )
            .label("outside 0 to 100")
            .expected("a number above 0 and at most 100; 50 is the median");
        }
    }

    fn needs_seeds(&mut self, place: &Place) {
        if self.scenario.seeds.is_none() {
            self.at_key(place, "a statistic over one run says nothing")
                .label("this scenario is played with one seed")
                .help("add `[seeds]` with `count = 200`, for example");
        }
    }
}
