//! Redis with Entra ID: the simulated server, the client under test, and what is done with it.

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

/// Connections that the server closes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisKill {
    /// Only this one, counted from 1 in the order of connecting. Default: all.
    pub connection: Option<u64>,
}

/// A node of a cluster goes down, and its replica takes over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisFailOver {
    /// Which, from 1.
    pub node: u32,
}

/// The Redis client under test, around the credential under test.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisSubject {
    /// The part of a token's life after which it is renewed. Default: the client's (0.7).
    pub expiration_refresh_ratio: Option<f64>,
    /// A token is renewed at least this long before its end. Default: the client's (5m).
    pub lower_refresh_bound: Option<Span>,
    /// How long a token request may take. Default: the client's (30s).
    pub request_timeout: Option<Span>,
    /// What happens when a token request fails.
    #[serde(default)]
    pub retry: TokenRetry,
    /// The scopes asked for. Default: `https://redis.azure.com/.default`.
    pub scopes: Option<Vec<String>>,
    /// The protocol. Default: resp3.
    #[serde(default)]
    pub protocol: Protocol,
    /// The kind of its connections. Default: managed.
    #[serde(default)]
    pub client: RedisClientKind,
    /// Over how long the re-authentication of many connections is spread. Default: the client's
    /// (60s).
    pub spread: Option<Span>,
    /// How long before the token's end a transaction must be over. Default: the client's (5s).
    pub transaction_margin: Option<Span>,
    /// How long the reply of a command may take. Default: the client's (10s).
    pub response_timeout: Option<Span>,
}

/// Retries of a token manager; what is not set has the client's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenRetry {
    /// How many retries after the first failure, before it is told that renewal fails.
    pub max_attempts: Option<u32>,
    /// The first wait.
    pub initial_delay: Option<Span>,
    /// The longest wait.
    pub max_delay: Option<Span>,
    /// How much longer each wait is than the one before.
    pub backoff_multiplier: Option<f64>,
    /// How far a wait may be off, as a share of it: 0.2 is [0.8, 1.2].
    pub jitter: Option<f64>,
}

/// A version of the Redis serialization protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Version 2: a subscribed connection can do nothing else.
    Resp2,
    /// Version 3.
    #[default]
    Resp3,
}

/// Kinds of connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisClientKind {
    /// One that is made again when it breaks.
    #[default]
    Managed,
    /// One that stays broken.
    Single,
    /// One to each node of a cluster.
    Cluster,
}

/// Commands for Redis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisWork {
    /// The commands as one types them: `SET greeting "hello world"`. `{n}` is the number of the
    /// repetition, from 1, and `{caller}` that of the caller.
    pub send: Vec<String>,
    /// How they are sent. Default: one-by-one.
    #[serde(default)]
    pub how: RedisHow,
    /// How long the caller thinks between two of them. Default: 0s.
    #[serde(default)]
    pub pause: Span,
    /// The name of the connection; it is made at first use and kept. Default: main.
    #[serde(default = "main_connection")]
    pub connection: String,
    /// Whether each of several callers has a connection of its own: `main-1`, `main-2`. Default:
    /// false.
    #[serde(default)]
    pub each_its_own: bool,
}

/// How commands are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisHow {
    /// Each when the one before has its reply, be it an error.
    #[default]
    OneByOne,
    /// All at once.
    Pipeline,
    /// All at once between MULTI and EXEC, through the client's own way to do that.
    Transaction,
}

/// A subscriber that listens until the world's end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisSubscribe {
    /// The channels.
    pub channels: Vec<String>,
    /// The name of the subscriber. Default: subscriber.
    #[serde(default = "subscriber")]
    pub connection: String,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisEnd {
    /// Its token ended, and the server closed it.
    Expired,
    /// The client closed it.
    Client,
    /// The server closed it for another reason: QUIT, a protocol error, too many clients.
    Server,
    /// The timeline broke it.
    Broken,
}

/// What a client can report about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisReport {
    /// It has a new token.
    Refreshed,
    /// It asked for a fresh token and got the one that it has.
    SameToken,
    /// A token request failed and will be tried again.
    Retrying,
    /// The attempts are used up; it goes on trying slowly.
    Failing,
    /// It has a token again.
    Recovered,
    /// A connection was made.
    Connected,
    /// A connection has signed in with the new token.
    Reauthenticated,
    /// A connection could not sign in with the new token.
    ReauthenticationFailed,
    /// A transaction was ended before the server could tear it.
    TransactionFailed,
    /// A connection was replaced by another one.
    Replaced,
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
fn main_connection() -> String {
    "main".to_owned()
}
fn subscriber() -> String {
    "subscriber".to_owned()
}
