//! Redis with Entra ID: the simulated server, and what is expected of its clients.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Range, Reach, Span};

/// A Redis that takes Entra tokens, at redis.contoso.example:6380; the nodes of a cluster are at
/// redis-1.contoso.example, redis-2.contoso.example, and so on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Redis {
    /// The object ids of those who may sign in. Default: nobody.
    #[serde(default)]
    pub principals: Vec<String>,
    /// The audience that a token must have. Default: `https://redis.azure.com`.
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

/// Which commands; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisMatch {
    /// Of this name: `AUTH`, `EXEC`.
    pub command: Option<String>,
    /// Commands that sign in: AUTH, and HELLO with AUTH. Default: either way.
    pub signs_in: Option<bool>,
    /// On this connection, counted from 1 in the order of connecting.
    pub connection: Option<u64>,
    /// On this node of a cluster, from 1.
    pub node: Option<u32>,
    /// In a transaction: for expectations MULTI and EXEC belong to it, faults see EXEC but not
    /// MULTI. Default: either way.
    pub in_transaction: Option<bool>,
}

/// An error as Redis writes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisError {
    /// Its text: `WRONGPASS invalid username-password pair or user is disabled.`
    pub text: String,
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
