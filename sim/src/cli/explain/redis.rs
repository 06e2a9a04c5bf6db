//! Redis in words.

use crate::scenario::{
    Redis, RedisClosed, RedisFailure, RedisReceived, RedisReplies, RedisReported, Span,
};
use crate::trace::{RedisEnd, RedisReport};

/// The server at the world's start.
pub fn server(redis: &Redis) -> String {
    let mut parts = vec![match redis.nodes {
        1 => "one server".to_owned(),
        nodes => format!("a cluster of {nodes} nodes"),
    }];
    parts.push(match redis.principals.as_slice() {
        [] => "nobody may sign in".to_owned(),
        some => format!("{} may sign in", some.join(" and ")),
    });
    if !redis.grace.0.is_zero() {
        parts.push(format!(
            "connections outlive their token by {}",
            redis.grace
        ));
    }
    if redis.loses_failed_auth {
        parts.push("the reply of a failed AUTH behind other commands is lost".to_owned());
    }
    if let Some(takes) = &redis.auth_takes {
        parts.push(format!(
            "checking a token takes {}",
            super::world::range(takes)
        ));
    }
    if let Some(takes) = &redis.takes {
        parts.push(format!("a command takes {}", super::world::range(takes)));
    }
    if redis.max_clients < 10_000 {
        parts.push(format!("{} connections at most", redis.max_clients));
    }
    format!("redis: {}, {}", parts.join(", "), redis.reach.describe())
}

pub fn replies(expected: &RedisReplies, window: &str) -> String {
    let what = match &expected.are {
        None => "no errors".to_owned(),
        Some(replies) => replies.join(", "),
    };
    format!("redis work{window} gets {what}")
}

pub fn failure(expected: &RedisFailure, window: &str, saying: &str) -> String {
    let whose = expected
        .command
        .as_ref()
        .map_or_else(String::new, |name| format!(" at {name}"));
    format!("redis work{window} fails{whose}{saying}")
}

pub fn closed(expected: &RedisClosed) -> String {
    let how = match expected.because {
        None => "end",
        Some(RedisEnd::Expired) => "are closed because their token has ended",
        Some(RedisEnd::Client) => "are closed by the client",
        Some(RedisEnd::Server) => "are closed by the server",
        Some(RedisEnd::Broken) => "break",
    };
    let count = count(expected.exactly, expected.at_least, expected.at_most);
    format!("{count} connections {how}{}", between(expected.between))
}

pub fn received(expected: &RedisReceived) -> String {
    format!(
        "{} receives every message once and in order, or reports a gap; at least {} of them",
        expected.connection, expected.at_least
    )
}

pub fn reported(expected: &RedisReported) -> String {
    let count = count(expected.exactly, expected.at_least, expected.at_most);
    let what = report(expected.what);
    format!(
        "the client reports {count} times that {what}{}",
        between(expected.between)
    )
}

/// What a client says of itself, as a clause.
fn report(what: RedisReport) -> &'static str {
    match what {
        RedisReport::Refreshed => "it has a new token",
        RedisReport::SameToken => "it got the same token again",
        RedisReport::Retrying => "a token request failed and is tried again",
        RedisReport::Failing => "its attempts are used up",
        RedisReport::Recovered => "it has a token again",
        RedisReport::Connected => "a connection was made",
        RedisReport::Reauthenticated => "a connection signed in again",
        RedisReport::ReauthenticationFailed => "a connection could not sign in again",
        RedisReport::TransactionFailed => "a transaction was ended in time",
        RedisReport::Replaced => "a connection was replaced",
    }
}

fn count(exactly: Option<u32>, least: Option<u32>, most: Option<u32>) -> String {
    match (exactly, least, most) {
        (Some(exactly), ..) => format!("exactly {exactly}"),
        (None, Some(least), Some(most)) => format!("{least} to {most}"),
        (None, Some(least), None) => format!("at least {least}"),
        (None, None, Some(most)) => format!("at most {most}"),
        (None, None, None) => "any number of".to_owned(),
    }
}

fn between(window: Option<[Span; 2]>) -> String {
    window.map_or_else(String::new, |[from, until]| {
        format!(" between {from} and {until}")
    })
}
