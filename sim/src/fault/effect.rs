//! What a fault does to a request or to a run of a command.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::limits::BODY;
use crate::scenario::{Nothing, Range, SignedSpan, Span, checker::Checker, document::Place};
use crate::wording::counted;

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

/// The name of a body that a service says word for word. The services know them (`presets` of the
/// registry), and the schema lists them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Preset(pub String);

impl JsonSchema for Preset {
    fn schema_name() -> Cow<'static, str> {
        "Preset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Bodies as services really say them." })
    }
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

/// What a target is, which decides what a fault can do to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A service that speaks HTTP.
    Http,
    /// Redis.
    Redis,
    /// A command.
    Command,
}

impl TargetKind {
    /// Says what it is, after "`imds` is".
    fn describe(self) -> &'static str {
        match self {
            Self::Http => "a service",
            Self::Redis => "no HTTP service",
            Self::Command => "a command",
        }
    }

    /// The keys of what a fault can do to it: the effects for which [`FaultThen::fits`] holds.
    fn effects(self) -> &'static str {
        match self {
            Self::Http => "`reply`, `delay`, `truncate`, `drip`, `reset` or `hang`",
            Self::Redis => "`error`, `delay`, `reset`, `half-close` or `hang`",
            Self::Command => "`exit`, `delay` or `hang`",
        }
    }
}

/// What a service that speaks HTTP can do to a request.
#[derive(Clone, Copy, Debug)]
pub enum HttpEffect<'a> {
    /// Answers this instead.
    Reply(&'a Reply),
    /// Answers later.
    Delay(Range),
    /// Sends so many bytes of the body, then breaks the connection.
    Truncate(u32),
    /// Sends the body piece by piece over this time.
    Drip(Span),
    /// Resets the connection.
    Reset(ResetWhen),
    /// Never answers.
    Hang,
}

/// What Redis can do to a command.
#[derive(Clone, Copy, Debug)]
pub enum RedisEffect<'a> {
    /// Replies with this error.
    Error(&'a str),
    /// Replies later.
    Delay(Range),
    /// Resets the connection.
    Reset(ResetWhen),
    /// Closes its side of the connection.
    HalfClose,
    /// Never replies.
    Hang,
}

/// What a run of a command can do.
#[derive(Clone, Copy, Debug)]
pub enum CommandEffect<'a> {
    /// Ends like this.
    Exit(&'a Exit),
    /// Ends later.
    Delay(Range),
    /// Never ends.
    Hang,
}

/// The target of a fault, as the checks of its effect need to know it.
#[derive(Clone, Copy, Debug)]
pub struct TargetOf<'a> {
    /// Its key in scenario files.
    pub key: &'a str,
    /// What it is.
    pub kind: TargetKind,
    /// The presets of all services.
    pub presets: Presets,
}

/// Returns the presets of all services.
pub type Presets = fn() -> Vec<KnownPreset>;

/// A preset in the table of the service that says it.
#[derive(Clone, Copy, Debug)]
pub struct KnownPreset {
    /// The service's key in scenario files.
    pub service: &'static str,
    /// The name of the preset.
    pub name: &'static str,
    /// What it is, for the schema.
    pub summary: &'static str,
    /// What it says, without its status: a part of a sentence.
    pub sentence: &'static str,
}

impl FaultThen {
    /// Its key in scenario files.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Exit(_) => "exit",
            Self::Delay(_) => "delay",
            Self::Truncate(_) => "truncate",
            Self::Drip(_) => "drip",
            Self::Reset(_) => "reset",
            Self::Hang(_) => "hang",
            Self::Error(_) => "error",
            Self::HalfClose(_) => "half-close",
        }
    }

    /// Whether a target of this kind can do it.
    pub fn fits(&self, kind: TargetKind) -> bool {
        match kind {
            TargetKind::Http => self.on_http().is_some(),
            TargetKind::Redis => self.on_redis().is_some(),
            TargetKind::Command => self.on_command().is_some(),
        }
    }

    /// What a service that speaks HTTP does to a struck request; none if it cannot do it, which the
    /// check of a scenario reports.
    pub fn on_http(&self) -> Option<HttpEffect<'_>> {
        Some(match self {
            Self::Reply(reply) => HttpEffect::Reply(reply),
            Self::Delay(delay) => HttpEffect::Delay(delay.by),
            Self::Truncate(truncate) => HttpEffect::Truncate(truncate.after),
            Self::Drip(drip) => HttpEffect::Drip(drip.over),
            Self::Reset(reset) => HttpEffect::Reset(reset.when),
            Self::Hang(_) => HttpEffect::Hang,
            Self::Exit(_) | Self::Error(_) | Self::HalfClose(_) => return None,
        })
    }

    /// What Redis does to a struck command; none if it cannot do it.
    pub fn on_redis(&self) -> Option<RedisEffect<'_>> {
        Some(match self {
            Self::Error(error) => RedisEffect::Error(&error.text),
            Self::Delay(delay) => RedisEffect::Delay(delay.by),
            Self::Reset(reset) => RedisEffect::Reset(reset.when),
            Self::HalfClose(_) => RedisEffect::HalfClose,
            Self::Hang(_) => RedisEffect::Hang,
            Self::Reply(_) | Self::Truncate(_) | Self::Drip(_) | Self::Exit(_) => return None,
        })
    }

    /// What a struck run of a command does; none if a command cannot do it.
    pub fn on_command(&self) -> Option<CommandEffect<'_>> {
        Some(match self {
            Self::Exit(exit) => CommandEffect::Exit(exit),
            Self::Delay(delay) => CommandEffect::Delay(delay.by),
            Self::Hang(_) => CommandEffect::Hang,
            Self::Reply(_)
            | Self::Truncate(_)
            | Self::Drip(_)
            | Self::Reset(_)
            | Self::Error(_)
            | Self::HalfClose(_) => return None,
        })
    }

    /// Whether a client that is struck gives up at once, without a retry.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Exit(_) => true,
            Self::Reply(reply) => {
                matches!(reply.status, 400 | 401 | 403)
                    && reply.retry_after.is_none()
                    && reply.retry_after_date.is_none()
            }
            Self::Delay(_)
            | Self::Truncate(_)
            | Self::Drip(_)
            | Self::Reset(_)
            | Self::Hang(_)
            | Self::Error(_)
            | Self::HalfClose(_) => false,
        }
    }

    /// Checks the effect, whose key stands at `place`, and that the target can do it.
    pub(crate) fn check(&self, target: TargetOf<'_>, place: &Place, check: &mut Checker<'_>) {
        let (name, endpoint) = (self.key(), target.key);
        let place = place.key(name);
        if !self.fits(target.kind) {
            check
                .at_key(&place, format!("`{endpoint}` can't do `{name}`"))
                .label(format!("`{endpoint}` is {}", target.kind.describe()))
                .expected(target.kind.effects());
            return;
        }
        match self {
            Self::Reply(reply) => reply.check(target, &place, check),
            Self::Exit(exit) => {
                if !(0..=255).contains(&exit.code) {
                    check
                        .at_value(&place.key("code"), "no command ends with this code")
                        .label("outside 0 to 255")
                        .expected("0 for success, 1 for an ordinary failure");
                }
            }
            Self::Delay(delay) => {
                check.range(Some(delay.by), &place.key("by"));
                let help = "a delay of nothing changes nothing";
                check.longer_than_zero(delay.by.at_most, &place.key("by").key("at-most"), help);
            }
            Self::Drip(drip) => {
                let help = "a body that takes no time does not drip";
                check.longer_than_zero(drip.over, &place.key("over"), help);
            }
            Self::Error(error) => error.check(&place.key("text"), check),
            Self::Truncate(_) | Self::Reset(_) | Self::Hang(_) | Self::HalfClose(_) => {}
        }
    }

    /// Says what happens to the requests that are struck: a verb with its objects, without a
    /// subject.
    pub fn describe(&self, target: TargetOf<'_>) -> String {
        match self {
            Self::Reply(answer) => format!("are answered {}", answer.describe(target)),
            Self::Exit(exit) => {
                let mut text = format!("end with exit code {}", exit.code);
                if !exit.stderr.is_empty() {
                    text += &format!(" and say: {}", exit.stderr.trim());
                }
                text
            }
            Self::Delay(delay) => format!("are answered {} later", delay.by.describe()),
            Self::Truncate(cut) => {
                format!("break after {} of the body", counted(cut.after, "byte"))
            }
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
    fn check(&self, target: TargetOf<'_>, place: &Place, check: &mut Checker<'_>) {
        if !(200..=599).contains(&self.status) {
            check
                .at_value(
                    &place.key("status"),
                    format!("{} is not the status of an answer", self.status),
                )
                .label("outside 200 to 599")
                .expected("such as 400, 404, 410, 429, 500 or 503");
        }
        self.check_headers(place, check);
        let place = place.key("body");
        match &self.body {
            Some(Body::Preset(preset)) => preset.check(target, &place.key("preset"), check),
            Some(Body::Json(text)) => {
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                    check
                        .at_value(&place.key("json"), "this body is not JSON")
                        .label(format!(
                            "line {}, column {} of the text",
                            error.line(),
                            error.column()
                        ))
                        .expected("such as '{\"error\": \"invalid_request\"}'")
                        .help("a body that is broken on purpose is written `body.text`");
                }
            }
            Some(Body::Padded(bytes)) if *bytes > BODY => {
                check
                    .at_value(&place.key("padded"), "this answer would fill the memory")
                    .label("too large")
                    .expected(format!("at most {BODY} bytes"));
            }
            Some(Body::Padded(_) | Body::Text(_) | Body::Html(_) | Body::Empty(_)) | None => {}
        }
    }

    fn check_headers(&self, place: &Place, check: &mut Checker<'_>) {
        if let Some(value) = &self.retry_after {
            check.header_value(value, &place.key("retry-after"));
        }
        if self.retry_after.is_some() && self.retry_after_date.is_some() {
            check
                .at_key(
                    &place.key("retry-after-date"),
                    "two answers to one question: when to retry",
                )
                .label("`retry-after` says it already")
                .help("keep one of them");
        }
        for (name, value) in &self.headers {
            let place = place.key("headers").key(name);
            check.header_value(value, &place);
            let lower = name.to_lowercase();
            let says_it = self.retry_after.is_some() || self.retry_after_date.is_some();
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                check
                    .at_key(&place, format!("no header is called `{name}`"))
                    .label("impossible")
                    .expected("letters, digits and dashes, such as `x-ms-retry-after-ms`");
            } else if ["content-length", "transfer-encoding", "connection"]
                .contains(&lower.as_str())
            {
                check
                    .at_key(&place, format!("the server writes `{name}` itself"))
                    .label("can't be chosen")
                    .help("`then.truncate` and `then.reset` break an answer");
            } else if lower == "retry-after" && says_it {
                check
                    .at_key(&place, "two answers to one question: when to retry")
                    .label("`retry-after` says it already")
                    .help("keep one of them");
            }
        }
    }

    /// The status, the body and the headers that the scenario gives.
    fn describe(&self, target: TargetOf<'_>) -> String {
        let mut text = self.status.to_string();
        text += &match &self.body {
            None => String::new(),
            Some(Body::Preset(preset)) => {
                let known = preset.of(target);
                known.map_or_else(String::new, |known| format!(" ({})", known.sentence))
            }
            Some(Body::Json(_)) => " with a body of its own in JSON".to_owned(),
            Some(Body::Text(text)) => format!(" with the text `{}`", text.trim()),
            Some(Body::Html(_)) => " with an HTML page".to_owned(),
            Some(Body::Empty(_)) => " with an empty body".to_owned(),
            Some(Body::Padded(bytes)) => {
                format!(" with a token answer of {}", counted(*bytes, "byte"))
            }
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
    /// Its entry in the table of the service that is struck.
    fn of(&self, target: TargetOf<'_>) -> Option<KnownPreset> {
        let mut all = (target.presets)().into_iter();
        all.find(|known| known.name == self.0 && known.service == target.key)
    }

    fn check(&self, target: TargetOf<'_>, place: &Place, check: &mut Checker<'_>) {
        let endpoint = target.key;
        if self.of(target).is_some() {
            return;
        }
        let all = (target.presets)();
        let speakers = all.iter().filter(|known| known.name == self.0);
        let speakers: Vec<_> = speakers
            .map(|known| format!("`{}`", known.service))
            .collect();
        let says = if speakers.len() == 1 { "does" } else { "do" };
        check
            .at_value(place, format!("`{endpoint}` never says this"))
            .label(format!("only {} {says}", speakers.join(" and ")))
            .expected(format!("a body that `{endpoint}` really sends"))
            .help("write a body of your own with `body.json` or `body.text`");
    }
}

impl RedisError {
    /// Checks the text at `place`.
    fn check(&self, place: &Place, check: &mut Checker<'_>) {
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
