//! What a service or a command does wrong, and when. First matching rule wins, in the order of
//! installation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Range, RedisError, Span};
use crate::world::FaultOn;

/// A rule: which requests, and what happens to them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Its name, by which the trace and `do.lift` know it.
    pub name: String,
    /// Which requests or commands.
    pub on: FaultOn,
    /// What happens to them.
    pub then: FaultThen,
    /// Only the first so many matches; then the rule passes. Default: all.
    pub first: Option<u32>,
    /// Leaves the first so many matches alone. Default: none.
    #[serde(default)]
    pub skip: u32,
    /// How likely it strikes at each match, drawn from the seed. Default: 1.0.
    pub probability: Option<f64>,
    /// Lifts itself after this long. Default: stays until lifted.
    pub lasts: Option<Span>,
}

/// What happens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FaultThen {
    /// Another answer (services).
    Reply(Box<Reply>),
    /// Another end (commands).
    Exit(Exit),
    /// The right answer, later.
    Delay(Delay),
    /// The right answer's head and a part of its body, then the connection breaks (services).
    Truncate(Truncate),
    /// The right answer, its body dripping piece by piece (services).
    Drip(Drip),
    /// The connection is reset (services).
    Reset(Reset),
    /// No answer, ever.
    Hang(super::Nothing),
    /// An error (Redis).
    Error(RedisError),
    /// The server's side of the connection ends; it still takes what comes (Redis).
    HalfClose(super::Nothing),
}

/// An answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body. Default: what the service says with this status.
    pub body: Option<Body>,
    /// The `Retry-After` header as it stands: `10`, `Wed, 21 Oct 2026 07:28:00 GMT`, `soon`.
    pub retry_after: Option<String>,
    /// A `Retry-After` header with the HTTP date this far from the answer; negative is past.
    pub retry_after_date: Option<super::SignedSpan>,
    /// More headers.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
}

/// The body of an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Body {
    /// A named one, as the service really says it.
    Preset(Preset),
    /// JSON, written as text.
    Json(String),
    /// Plain text.
    Text(String),
    /// An HTML page of a proxy.
    Html(super::Nothing),
    /// Nothing.
    Empty(super::Nothing),
    /// A token answer padded to so many bytes.
    Padded(u64),
}

/// Bodies as services really say them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// IMDS 400: no such identity on this host (MI-60).
    IdentityNotFound,
    /// IMDS 400: the `Metadata` header is missing (MI-61).
    HeaderMissing,
    /// IMDS 400: no such resource, AADSTS50001 (MI-62).
    InvalidResource,
    /// IMDS 401: refused (MI-63).
    Unauthorized,
    /// IMDS 404: being updated (MI-64).
    NotFound,
    /// IMDS 410: being updated, back within 70 s (MI-65).
    Gone,
    /// IMDS 429 (MI-66).
    Throttled,
    /// IMDS 500 (MI-67).
    Unknown,
    /// The 403 of Docker Desktop's proxy (MI-68).
    DockerUnreachable,
    /// Entra: wrong client secret, AADSTS7000215.
    InvalidClientSecret,
    /// Entra: application not found in the tenant, AADSTS700016.
    UnknownApplication,
    /// Entra: multifactor authentication needed, AADSTS50076.
    MultifactorRequired,
    /// Entra: transient, AADSTS90033.
    Transient,
}

/// Another end of a command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exit {
    /// The exit code.
    pub code: i32,
    /// Standard output. Default: empty.
    #[serde(default)]
    pub stdout: String,
    /// Standard error. Default: empty.
    #[serde(default)]
    pub stderr: String,
}

/// A delay before the answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delay {
    /// How long.
    pub by: Range,
}

/// A body cut short.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Truncate {
    /// How many bytes of the body arrive.
    pub after: u32,
}

/// A body that drips.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drip {
    /// How long the whole body takes.
    pub over: Span,
}

/// A reset.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reset {
    /// Before the request was processed, or after.
    pub when: ResetWhen,
}

/// When the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetWhen {
    /// Nothing was processed.
    Before,
    /// The token was issued and then lost.
    After,
}
