//! What a fault does to a request or to a run of a command.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::{Nothing, Range, SignedSpan, Span, checker::Checker, document::Place};

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
    Hang(Nothing),
    /// An error (Redis).
    Error(RedisError),
    /// The server's side of the connection ends; it still takes what comes (Redis).
    HalfClose(Nothing),
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
    pub retry_after_date: Option<SignedSpan>,
    /// More headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
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
    Html(Nothing),
    /// Nothing.
    Empty(Nothing),
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

/// An error as Redis writes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisError {
    /// Its text: `WRONGPASS invalid username-password pair or user is disabled.`
    pub text: String,
}

impl FaultThen {
    /// Says what happens to the requests that are struck: a verb with its objects, without a subject.
    pub fn describe(&self) -> String {
        match self {
            Self::Reply(answer) => format!("are answered {}", answer.describe()),
            Self::Exit(exit) => {
                let mut text = format!("end with exit code {}", exit.code);
                if !exit.stderr.is_empty() {
                    text += &format!(" and say: {}", exit.stderr.trim());
                }
                text
            }
            Self::Delay(delay) => format!("are answered {} later", delay.by.describe()),
            Self::Truncate(cut) => format!("break after {} bytes of the body", cut.after),
            Self::Drip(drip) => format!("get a body that drips for {}", drip.over),
            Self::Reset(reset) => match reset.when {
                ResetWhen::Before => "are reset before anything was done".to_owned(),
                ResetWhen::After => "are reset after the token was issued".to_owned(),
            },
            Self::Hang(_) => "hang for ever".to_owned(),
            Self::Error(error) => format!("are answered `{}`", error.text),
            Self::HalfClose(_) => "find the server's side of the connection closed".to_owned(),
        }
    }
}

impl Reply {
    /// The status, the body and the headers that the scenario gives.
    fn describe(&self) -> String {
        let mut text = self.status.to_string();
        text += &match &self.body {
            None => String::new(),
            Some(Body::Preset(preset)) => format!(" ({})", preset.describe()),
            Some(Body::Json(_)) => " with a body of its own in JSON".to_owned(),
            Some(Body::Text(text)) => format!(" with the text `{}`", text.trim()),
            Some(Body::Html(_)) => " with an HTML page".to_owned(),
            Some(Body::Empty(_)) => " with an empty body".to_owned(),
            Some(Body::Padded(bytes)) => format!(" with a token answer of {bytes} bytes"),
        };
        if let Some(after) = &self.retry_after {
            text += &format!(" with Retry-After: {after}");
        }
        if let Some(after) = self.retry_after_date {
            text += &format!(" with a date {after} away in Retry-After");
        }
        text
    }
}

impl Preset {
    /// What the service says, without its status.
    fn describe(self) -> &'static str {
        match self {
            Self::IdentityNotFound => "Identity not found",
            Self::HeaderMissing => "the Metadata header is missing",
            Self::InvalidResource => "AADSTS50001, no such resource",
            Self::Unauthorized => "refused",
            Self::NotFound => "being updated",
            Self::Gone => "being updated, back within 70 s",
            Self::Throttled => "throttled",
            Self::Unknown => "failed to retrieve a token",
            Self::DockerUnreachable => "Docker Desktop: unreachable",
            Self::InvalidClientSecret => "AADSTS7000215, wrong secret",
            Self::UnknownApplication => "AADSTS700016, unknown application",
            Self::MultifactorRequired => "AADSTS50076, a second factor is needed",
            Self::Transient => "AADSTS90033, transient",
        }
    }
}

impl RedisError {
    /// Checks the text at `place`.
    pub(crate) fn check(&self, place: &Place, check: &mut Checker<'_>) {
        check.text(
            &self.text,
            place,
            "an error as Redis writes it, such as `ERR no`",
        );
        if self.text.contains(['\r', '\n']) {
            check
                .at_value(place, "an error of Redis is one line")
                .label("it has a line break")
                .expected("a code and a text, such as \"ERR no\"");
        }
    }
}
