//! Redis: the server, the client and what is done with it.

use super::{
    super::{RedisError, RedisMatch},
    Check, Place,
};

/// More nodes than that are a slip.
const MOST_NODES: u32 = 16;

impl Check<'_> {
    pub(super) fn redis_world(&mut self, place: &Place) {
        let Some(redis) = &self.scenario.world.redis else {
            return;
        };
        for (index, principal) in redis.principals.iter().enumerate() {
            self.principal(principal, &place.key("principals").index(index));
        }
        self.text(
            &redis.audience,
            &place.key("audience"),
            "the audience of its tokens, such as \"https://redis.azure.com\"",
        );
        if !(1..=MOST_NODES).contains(&redis.nodes) {
            self.at_value(
                &place.key("nodes"),
                format!("a cluster can't have {} nodes", redis.nodes),
            )
            .label(format!("outside 1 to {MOST_NODES}"))
            .expected("1 for a single server, 3 for a small cluster");
        }
        if redis.max_clients == 0 {
            self.at_value(&place.key("max-clients"), "nobody could ever connect")
                .label("zero")
                .expected("1 or more");
        }
        self.range(redis.takes, &place.key("takes"));
        self.range(redis.auth_takes, &place.key("auth-takes"));
        if !self.rest.has_redis_client && self.rest.calls.iter().any(|call| call.uses_redis_client)
        {
            self.whole_file("nobody speaks to Redis in this scenario")
                .label("this file has no `[subject.redis]`")
                .expected("the client that sends the commands")
                .help("add `[subject.redis]`; all of its options have defaults");
        }
    }

    pub(super) fn on_redis(&mut self, of: &RedisMatch, place: &Place) {
        self.service("redis", place);
        if let Some(command) = &of.command {
            self.text(
                command,
                &place.key("command"),
                "the name of a command, such as `AUTH`",
            );
        }
        if let Some(node) = of.node {
            self.redis_node(node, &place.key("node"));
        }
        self.redis_connection(of.connection, place);
    }

    pub(crate) fn redis_connection(&mut self, number: Option<u64>, place: &Place) {
        if number == Some(0) {
            self.at_value(&place.key("connection"), "connections are counted from 1")
                .label("none is number 0")
                .expected("1 or more, in the order of connecting");
        }
    }

    pub(crate) fn redis_node(&mut self, node: u32, place: &Place) {
        let nodes = self
            .scenario
            .world
            .redis
            .as_ref()
            .map_or(1, |redis| redis.nodes);
        if !(1..=nodes).contains(&node) {
            self.at_value(place, format!("there is no node {node}"))
                .label("not in this world")
                .expected(format!("1 to {nodes}"));
        }
    }

    pub(super) fn redis_error(&mut self, error: &RedisError, place: &Place) {
        self.text(
            &error.text,
            place,
            "an error as Redis writes it, such as `ERR no`",
        );
        if error.text.contains(['\r', '\n']) {
            self.at_value(place, "an error of Redis is one line")
                .label("it has a line break")
                .expected("a code and a text, such as \"ERR no\"");
        }
    }
}
