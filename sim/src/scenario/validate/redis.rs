//! Redis: the server, the client and what is done with it.

use super::{
    super::{Call, CallDo, RedisError, RedisMatch, RedisSubscribe, RedisWork, parse_command},
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
        if self.scenario.subject.redis.is_none() && self.has_redis_work() {
            self.whole_file("nobody speaks to Redis in this scenario")
                .label("this file has no `[subject.redis]`")
                .expected("the client that sends the commands")
                .help("add `[subject.redis]`; all of its options have defaults");
        }
    }

    fn has_redis_work(&self) -> bool {
        let mut calls = self.scenario.call.iter();
        calls.any(|call| matches!(call.action, CallDo::Redis(_) | CallDo::RedisSubscribe(_)))
    }

    pub(super) fn redis_work(&mut self, work: &RedisWork, call: &Call, place: &Place) {
        self.service("redis", place);
        self.text(
            &work.connection,
            &place.key("connection"),
            "the name of a connection",
        );
        let send = place.key("send");
        if work.send.is_empty() {
            self.at_value(&send, "this sends nothing")
                .label("no commands")
                .expected("at least one command, such as \"SET greeting hello\"");
        }
        for (index, command) in work.send.iter().enumerate() {
            if let Err(why) = parse_command(command) {
                self.at_value(&send.index(index), "this is no command")
                    .label(why)
                    .expected("a command as one types it, such as \"SET greeting 'hello world'\"");
            }
        }
        if work.each_its_own && call.callers < 2 {
            self.at_key(&place.key("each-its-own"), "there is one caller only")
                .label("so there is nobody to share with")
                .help("add `callers = 10` to the `[[call]]`, or remove this");
        }
    }

    pub(super) fn redis_subscribe(&mut self, work: &RedisSubscribe, call: &Call, place: &Place) {
        self.service("redis", place);
        self.text(
            &work.connection,
            &place.key("connection"),
            "the name of a subscriber",
        );
        if work.channels.is_empty() {
            self.at_value(&place.key("channels"), "this subscriber hears nothing")
                .label("no channels")
                .expected("at least one channel");
        }
        if call.every.is_some() || call.callers > 1 {
            self.at_key(place, "a subscriber listens until the world's end")
                .label("once is enough")
                .help("remove `every` and `callers`");
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
