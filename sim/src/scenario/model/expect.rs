//! What a scenario asserts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RedisClosed, RedisFailure, RedisReceived, RedisReplies, RedisReported, Span};
use crate::world::Target;

/// One expectation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// Why it must hold: what a reader learns when it does not.
    pub why: Option<String>,
    /// What must hold.
    pub that: That,
}

/// What can be asserted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum That {
    /// Every call in the window gets a token, from this principal or credential.
    TokenFrom(TokenFrom),
    /// Every call in the window fails like this.
    Error(ErrorLike),
    /// So many requests reach a service.
    Requests(Requests),
    /// Never more than so many requests are under way at a service.
    InFlight(InFlight),
    /// Never more than so many requests reach a service within a time.
    Rate(Rate),
    /// The waits between the attempts of one call.
    Attempts(Attempts),
    /// How long callers wait.
    Waited(Waited),
    /// Whether and how the credential reports that another identity answers.
    IdentityChange(IdentityChange),
    /// What a chain's walk says about a member that it passed over.
    PassedOver(PassedOver),
    /// Calls succeed again within a time after the last fault has ended.
    Recovery(Recovery),
    /// As whom a resource was used, and with what right.
    ResourceSaw(ResourceSaw),
    /// The credential could not be built.
    NotBuilt(NotBuilt),
    /// How many different tokens the callers of a window hold.
    Tokens(Tokens),
    /// The share of calls that succeed, over all seeds.
    Share(Share),
    /// A percentile of what callers wait, over all seeds.
    Percentile(Percentile),
    /// Every piece of Redis work in the window gets such replies.
    RedisReplies(RedisReplies),
    /// Every piece of Redis work in the window fails like this.
    RedisFailure(RedisFailure),
    /// So many Redis connections end, and why.
    RedisClosed(RedisClosed),
    /// What a subscriber receives.
    RedisReceived(RedisReceived),
    /// What the Redis client reports about itself.
    RedisReported(RedisReported),
}

/// Every call in the window gets such a token; there must be at least one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenFrom {
    /// The object id of the principal. Default: any.
    pub principal: Option<String>,
    /// The credential that gave it, such as `AzureCliCredential`. Default: any.
    pub credential: Option<String>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
    /// How long such a token is valid, counted from the answer, at least. Default: any.
    pub valid_for_at_least: Option<Span>,
    /// How long such a token is valid, counted from the answer, at most. Default: any.
    pub valid_for_at_most: Option<Span>,
}

/// Every call in the window fails like this; there must be at least one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorLike {
    /// The kind: `unavailable`, `failed`, `interaction-required`, `configuration`, `cancelled`.
    pub kind: Option<ErrorKind>,
    /// The credential named. Default: any.
    pub credential: Option<String>,
    /// Texts that the error must contain, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
    /// When the error says that the service may be asked again, counted from the world's start,
    /// give or take 1 s.
    pub retry_at: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// The kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The source is not there for this host.
    Unavailable,
    /// The source refused or kept failing.
    Failed,
    /// A person has to act.
    InteractionRequired,
    /// Wrong use.
    Configuration,
    /// Disposed while waiting.
    Cancelled,
}

impl ErrorKind {
    /// Its name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::InteractionRequired => "interaction-required",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How many requests reach a service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requests {
    /// Which service and which requests.
    pub to: Target,
    /// Only those that arrive between these times: `["5d", "6d"]`. Default: all.
    pub between: Option<[Span; 2]>,
    /// At least so many. Default: 0.
    pub at_least: Option<u32>,
    /// At most so many.
    pub at_most: Option<u32>,
    /// Exactly so many; instead of the other two.
    pub exactly: Option<u32>,
}

/// How many requests are under way at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InFlight {
    /// Which service and which requests.
    pub to: Target,
    /// At most so many.
    pub at_most: u32,
}

/// How many requests reach a service within any window of a length: the budget of a client.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rate {
    /// Which service and which requests.
    pub to: Target,
    /// At most so many.
    pub at_most: u32,
    /// In any window of this length.
    pub per: Span,
}

/// The waits between attempts, as the credential makes them: from the end of one to the beginning
/// of the next.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attempts {
    /// Which service and which requests: `imds` or `entra`.
    pub to: Target,
    /// The nominal waits, in order: five waits are six attempts, no more and no fewer.
    pub waits: Vec<Span>,
    /// How far a wait may be off its nominal length, as a share of it: 0.2 is [0.8, 1.2].
    /// Default: 0 (exact).
    #[serde(default)]
    pub jitter: f64,
    /// Attempts that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Attempts that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// How long callers wait, for tokens and for the replies of Redis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waited {
    /// None waits less.
    pub at_least: Option<Span>,
    /// None waits longer.
    pub at_most: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// What is reported about a change of identity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityChange {
    /// Whether and how.
    pub is: ChangeIs,
    /// How many times. Default: at least once.
    pub times: Option<u32>,
    /// The credential that answered before. Default: any.
    pub from_credential: Option<String>,
    /// The credential that answers now. Default: any.
    pub to_credential: Option<String>,
    /// Changes at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Changes before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// Whether and how a change of identity is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeIs {
    /// There is none.
    Absent,
    /// There is one, and it is reported.
    Reported,
    /// There would be one, and it is refused.
    Refused,
}

/// A member that a chain passed over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PassedOver {
    /// The member, such as `ManagedIdentityCredential`.
    pub credential: String,
    /// A text that the reason contains. Default: any.
    pub because: Option<String>,
    /// How long it took at most. Default: any.
    pub took_at_most: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// Calls succeed again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recovery {
    /// Within this time after the last fault was lifted or the last network change.
    pub within: Span,
    /// As this principal. Default: any.
    pub principal: Option<String>,
}

/// As whom a resource was used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceSaw {
    /// Its name in `world.resources`.
    pub name: String,
    /// Exactly these principals, by object id, in any order. Default: not checked.
    pub principals: Option<Vec<String>>,
    /// How many uses it refused. Default: not checked.
    pub refused: Option<u32>,
    /// Uses at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Uses before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// The credential could not be built.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotBuilt {
    /// Texts that the error must contain, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
}

/// How many different tokens callers hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tokens {
    /// Exactly so many.
    pub exactly: u32,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// The share of calls that succeed, over all seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Share {
    /// At least this share, 0 to 1.
    pub at_least: f64,
    /// At most this share, 0 to 1. Default: 1.
    pub at_most: Option<f64>,
}

/// A percentile of what callers wait, over all seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Percentile {
    /// Which: 50 is the median.
    pub percentile: f64,
    /// It is at most this long.
    pub at_most: Span,
}
