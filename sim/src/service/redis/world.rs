//! What the rest of the world must know of Redis.

use std::time::Duration;

use super::{REDIS_HOST, REDIS_PORT};
use crate::{
    backend::Stage,
    engine::Server,
    http::limit::Limit,
    scenario::{Range, Redis, Span},
    service::{Principal, Reach, Service},
};

impl Service for Redis {
    fn advice() -> &'static str {
        "with `principals = [\"...\"]`: who may sign in"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn key(&self) -> &'static str {
        "redis"
    }

    fn titles(&self) -> Vec<String> {
        vec!["Redis".to_owned()]
    }

    /// The nodes of a cluster by number; replicas come after the masters.
    fn hosts(&self) -> Vec<(String, u16)> {
        let hosts = match self.nodes {
            0 => Vec::new(),
            1 => vec![REDIS_HOST.to_owned()],
            nodes => {
                let host = |suffix: &'static str| {
                    (1..=nodes).map(move |node| format!("redis-{node}{suffix}.contoso.example"))
                };
                host("").chain(host("-replica")).collect()
            }
        };
        hosts.into_iter().map(|host| (host, REDIS_PORT)).collect()
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn takes(&self) -> Vec<Range> {
        self.takes.into_iter().chain(self.auth_takes).collect()
    }

    fn token_life(&self) -> Option<Span> {
        None
    }

    fn limit(&self) -> Option<&Limit> {
        None
    }

    fn lasting(&self) -> Option<String> {
        let grace = self.grace;
        let closes = || format!("Redis closes connections {grace} after their token has ended");
        (!grace.0.is_zero()).then(closes)
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        Vec::new()
    }

    fn describe(&self) -> Vec<String> {
        vec![server(self)]
    }

    fn servers(&self, backend: &Stage) -> Vec<Server> {
        let serve = |(host, main)| Server {
            host,
            port: REDIS_PORT,
            main,
        };
        backend.redis_nodes().into_iter().map(serve).collect()
    }

    fn crash(&self, backend: &Stage, at: Duration) {
        if let Some(redis) = backend.redis() {
            redis.crash(backend, at);
        }
    }
}

/// The server at the world's start.
fn server(redis: &Redis) -> String {
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
        parts.push(format!("checking a token takes {}", takes.describe()));
    }
    if let Some(takes) = &redis.takes {
        parts.push(format!("a command takes {}", takes.describe()));
    }
    if redis.max_clients < 10_000 {
        parts.push(format!("{} connections at most", redis.max_clients));
    }
    format!("redis: {}, {}", parts.join(", "), redis.reach.describe())
}
