//! What is expected of Redis.

use super::{
    super::{RedisClosed, RedisReceived, RedisReported, diagnostics::one_of},
    Check, Place,
};

impl Check<'_> {
    pub(super) fn redis_closed(&mut self, that: &RedisClosed, place: &Place) {
        self.service("redis", place);
        self.between(that.between, place);
        self.counts(that.exactly, that.at_least, that.at_most, place);
    }

    pub(super) fn redis_reported(&mut self, that: &RedisReported, place: &Place) {
        self.service("redis", place);
        self.between(that.between, place);
        self.counts(that.exactly, that.at_least, that.at_most, place);
    }

    pub(super) fn redis_received(&mut self, that: &RedisReceived, place: &Place) {
        self.service("redis", place);
        let names = self.rest.calls.iter().filter_map(|call| call.subscribes);
        let names: Vec<&str> = names.collect();
        if !names.contains(&that.connection.as_str()) {
            let problem = self.at_key(
                place,
                format!("nobody called `{}` listens", that.connection),
            );
            problem.label("not a subscriber of this scenario");
            if names.is_empty() {
                problem
                    .help("add a `[[call]]` with `do.redis-subscribe = { channels = [\"news\"] }`");
            } else {
                problem.expected(one_of(names.iter().copied()));
            }
        }
        if that
            .gaps_at_most
            .is_some_and(|most| most < that.gaps_at_least)
        {
            self.at_value(&place.key("gaps-at-most"), "this can never hold")
                .label("less than `gaps-at-least`")
                .expected(format!("{} or more", that.gaps_at_least));
        }
    }

    /// `exactly` stands alone, and something must be said.
    fn counts(
        &mut self,
        exactly: Option<u32>,
        least: Option<u32>,
        most: Option<u32>,
        place: &Place,
    ) {
        match (exactly, least, most) {
            (None, None, None) => {
                self.at_key(place, "this can never fail")
                    .label("it says no number")
                    .expected("`exactly`, `at-least` or `at-most`");
            }
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                self.at_value(
                    &place.key("exactly"),
                    "two answers to one question: how many",
                )
                .label("`at-least` or `at-most` says it already")
                .help("keep one of them");
            }
            (None, Some(least), Some(most)) if least > most => {
                self.at_value(&place.key("at-least"), "this can never hold")
                    .label(format!("more than `at-most = {most}`"))
                    .expected(format!("{most} or less"));
            }
            (None, Some(0), None) => {
                self.at_value(&place.key("at-least"), "this always holds")
                    .label("0 or more is any number")
                    .help("an expectation that can never fail tells nothing: tighten it");
            }
            _ => {}
        }
    }
}
