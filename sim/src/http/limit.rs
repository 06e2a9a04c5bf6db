//! Request budgets per window.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exchange::Answer;
use crate::wording::counted;
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// A request budget.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// How many requests are served.
    pub requests: u32,
    /// In each window of this length, counted from the world's start.
    pub per: Span,
    /// The `Retry-After` header of the 429, as it stands. Default: none.
    pub retry_after: Option<String>,
    /// The 429's body. Default: json.
    #[serde(default)]
    pub body: LimitBody,
}

/// The body of a 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitBody {
    /// The service's JSON error.
    #[default]
    Json,
    /// `Too Many Requests` as plain text.
    Text,
}

/// The 429 of a limit: `json` is what the service says in its own form.
pub fn too_many(limit: &Limit, json: impl FnOnce() -> Answer) -> Answer {
    let answer = match limit.body {
        LimitBody::Json => json(),
        LimitBody::Text => Answer::text(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
    };
    let why = format!(
        "more than {} in {}",
        counted(limit.requests, "request"),
        limit.per
    );
    let answer = answer.because(why);
    match &limit.retry_after {
        Some(retry_after) => answer.with_header("Retry-After", retry_after),
        None => answer,
    }
}

/// Checks a limit that stands at `place`, if there is one.
pub(crate) fn check(limit: Option<&Limit>, place: &Place, check: &mut Check<'_>) {
    let Some(limit) = limit else { return };
    check.longer_than_zero(limit.per, &place.key("per"), "a window needs some length");
    if let Some(value) = &limit.retry_after {
        check.header_value(value, &place.key("retry-after"));
    }
}
