//! A Redis in a scenario file: its keys, what may be wrong with them, and what the rest of the
//! world must know of it.

use std::{net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Asked, Bypass, Principal, Reach, Service, TokenSource};
use super::{REDIS_HOST, REDIS_PORT, redis_hosts};
use crate::wording::counted;
use crate::{
    backend::Backend,
    check::{Check, Uses},
    engine::Server,
    fault::effect::KnownPreset,
    http::{exchange::Request, limit::Limit},
    scenario::{Range, Span, document::Place},
    trace::Facts,
};

/// More nodes than that are a slip.
const MOST_NODES: u32 = 16;

/// A Redis that takes Entra tokens, at redis.contoso.example:6380; the nodes of a cluster are at
/// redis-1.contoso.example, redis-2.contoso.example, and so on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Redis {
    /// The object ids that may sign in. Default: none.
    #[serde(default)]
    pub principals: Vec<String>,
    /// The audience that a token must have. `https://redis.azure.com` and the application id
    /// `acca5fbb-b7e4-4009-81f1-37e38fd66d78` stand for each other. Default:
    /// `https://redis.azure.com`.
    #[serde(default = "redis_audience")]
    pub audience: String,
    /// Whose texts it speaks. Default: 7.4.
    #[serde(default)]
    pub version: RedisVersion,
    /// Forgets the reply of a failed AUTH that stands behind other commands in one read, as real
    /// servers 7.2 to 8.x do: then every later reply is off by one. Default: false.
    #[serde(default)]
    pub loses_failed_auth: bool,
    /// How long after its token's end a connection is closed. Default: 0s.
    #[serde(default)]
    pub grace: Span,
    /// How many connections it takes at once, each node of a cluster for itself. Default: 10000.
    #[serde(default = "ten_thousand")]
    pub max_clients: u32,
    /// How long a command takes. Default: 0s.
    pub takes: Option<Range>,
    /// How long it takes to check a token. Default: 0s.
    pub auth_takes: Option<Range>,
    /// How many nodes share the keys; each has a replica then. Default: 1, which is no cluster.
    #[serde(default = "one")]
    pub nodes: u32,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
}

/// Versions of Redis whose texts differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisVersion {
    /// 7.0.15, as Debian 12 has it.
    #[serde(rename = "7.0")]
    V7_0,
    /// 7.4.1, what Azure Managed Redis is based on.
    #[default]
    #[serde(rename = "7.4")]
    V7_4,
}

impl Service for Redis {
    fn advice() -> &'static str {
        "with `principals = [\"...\"]`: the object ids that may sign in"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts_of(_: &str, _: &Request) -> Option<Facts> {
        None
    }

    fn asked(_: &Facts) -> Option<Asked> {
        None
    }

    fn asked_for(_: &Facts) -> Option<&str> {
        None
    }

    fn token_source() -> Option<TokenSource> {
        None
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        None
    }

    fn bypass(&self) -> Option<Bypass> {
        Some(Bypass {
            is_only_way: true,
            hosts: redis_hosts(Some(self)),
            variables: |at| {
                vec![
                    ("REDIS_URL", format!("redis://{at}")),
                    ("REDIS_HOST", at.ip().to_string()),
                    ("REDIS_PORT", at.port().to_string()),
                ]
            },
            describe: |at| format!("Redis is at {at}, without TLS: REDIS_URL=redis://{at}"),
        })
    }

    /// The nodes of a cluster name these addresses to their clients.
    fn reached_at(&self, backend: &Backend, host: &str, address: SocketAddr) {
        backend.announce_redis(host, &address.ip().to_string(), address.port());
    }

    fn key(&self) -> &'static str {
        "redis"
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        for (index, principal) in self.principals.iter().enumerate() {
            check.principal(principal, &place.key("principals").index(index));
        }
        check.text(
            &self.audience,
            &place.key("audience"),
            "the audience of its tokens, such as \"https://redis.azure.com\"",
        );
        if !(1..=MOST_NODES).contains(&self.nodes) {
            check
                .at_value(
                    &place.key("nodes"),
                    format!("a cluster can't have {} nodes", self.nodes),
                )
                .label(format!("outside 1 to {MOST_NODES}"))
                .expected("1 for a single server, 3 for a small cluster");
        }
        if self.max_clients == 0 {
            check
                .at_value(&place.key("max-clients"), "no client could ever connect")
                .label("zero")
                .expected("1 or more");
        }
        check.range(self.takes, &place.key("takes"));
        check.range(self.auth_takes, &place.key("auth-takes"));
        if !check.rest.has_redis_client
            && check
                .rest
                .calls
                .iter()
                .any(|call| call.uses == Uses::RedisClient)
        {
            check
                .whole_file("this scenario has no Redis client")
                .label("this file has no `[subject.redis]`")
                .expected("the client that sends the commands")
                .help("add `[subject.redis]`; all of its options have defaults");
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
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

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
        backend.install_redis(self);
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        let serve = |(host, main)| Server {
            host,
            port: REDIS_PORT,
            main,
        };
        backend.redis_nodes().into_iter().map(serve).collect()
    }

    fn crash(&self, backend: &Backend, at: Duration) {
        if let Some(redis) = backend.redis() {
            redis.crash(backend, at);
        }
    }
}

impl Check<'_> {
    /// The number of a connection.
    pub(crate) fn redis_connection(&mut self, number: Option<u64>, place: &Place) {
        if number == Some(0) {
            self.at_value(&place.key("connection"), "connections are counted from 1")
                .label("none is number 0")
                .expected("1 or more, in the order of connecting");
        }
    }

    /// The number of a node of the cluster.
    pub(crate) fn redis_node(&mut self, node: u32, place: &Place) {
        let nodes = self.rest.redis_nodes;
        if !(1..=nodes).contains(&node) {
            self.at_value(place, format!("there is no node {node}"))
                .label("not in this world")
                .expected(format!("1 to {nodes}"));
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
        [] => "no principal may sign in".to_owned(),
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
        parts.push(format!(
            "{} at most",
            counted(redis.max_clients, "connection")
        ));
    }
    format!("redis: {}, {}", parts.join(", "), redis.reach.describe())
}

fn redis_audience() -> String {
    "https://redis.azure.com".to_owned()
}
fn ten_thousand() -> u32 {
    10_000
}
fn one() -> u32 {
    1
}
