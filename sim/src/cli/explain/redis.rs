//! Redis in words.

use crate::scenario::Redis;

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
