//! The options of the Redis client under test.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::wording::Number;
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

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
    /// How many retries after the first failure, before renewal is reported as failing.
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

impl RedisSubject {
    /// Reports what makes no sense in it; `place` is where it stands.
    pub(crate) fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        // Which ratios are possible is for the client to decide: `that.not-built` is such a story.
        if let Some(scopes) = &self.scopes
            && scopes
                .iter()
                .any(|scope| scope.contains(char::is_whitespace))
        {
            check
                .at_value(&place.key("scopes"), "a scope has no space in it")
                .label("one of these has")
                .expected("such as \"https://redis.azure.com/.default\"")
                .help("several scopes are several strings");
        }
        let cluster = self.client == RedisClientKind::Cluster;
        let nodes = check.rest.redis_nodes;
        if cluster != (nodes > 1) {
            let (label, help) = if cluster {
                (
                    "`world.redis` is a single server",
                    "add `nodes = 3` to `[world.redis]`",
                )
            } else {
                ("`world.redis` is a cluster", "write `client = \"cluster\"`")
            };
            check
                .at_key(place, "the client does not fit the server")
                .label(label)
                .help(help);
        }
    }

    /// Describes it with the options that matter to a reader.
    pub fn describe(&self) -> String {
        let mut text = "its tokens go to a Redis client".to_owned();
        text += match self.client {
            RedisClientKind::Managed => "",
            RedisClientKind::Single => ", with connections that stay broken when they break",
            RedisClientKind::Cluster => ", for a cluster",
        };
        text += match self.protocol {
            Protocol::Resp2 => ", RESP2",
            Protocol::Resp3 => "",
        };
        if let Some(ratio) = self.expiration_refresh_ratio {
            text += &format!(", renewing after {ratio} of a token's life");
        }
        if let Some(attempts) = self.retry.max_attempts {
            text += &format!(
                ", {attempts} {}",
                Number::of(attempts).pick("retry", "retries")
            );
        }
        text
    }

    /// Why two runs with the same seed may differ, if they may.
    pub fn unrepeatable(&self) -> Option<&'static str> {
        match self.client {
            RedisClientKind::Managed | RedisClientKind::Single => None,
            RedisClientKind::Cluster => Some(
                "the cluster client of the redis crate draws from the machine's random numbers",
            ),
        }
    }
}
