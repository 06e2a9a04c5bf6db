//! Request budgets per window.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exchange::Answer;
use crate::scenario::Span;

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

/// What was served in the current window, by client.
#[derive(Debug, Default)]
pub struct Windows(BTreeMap<String, (u128, u32)>);

impl Windows {
    /// Counts a request of `client`; whether it is over the limit.
    pub fn is_over(&mut self, client: &str, limit: &Limit, at: Duration) -> bool {
        let window = at
            .as_nanos()
            .checked_div(limit.per.0.as_nanos())
            .unwrap_or_default();
        let served = self.0.entry(client.to_owned()).or_default();
        if served.0 != window {
            *served = (window, 0);
        }
        served.1 = served.1.saturating_add(1);
        served.1 > limit.requests
    }
}

/// The 429 of a limit: `json` is what the service says in its own form.
pub fn too_many(limit: &Limit, json: impl FnOnce() -> Answer) -> Answer {
    let answer = match limit.body {
        LimitBody::Json => json(),
        LimitBody::Text => Answer::text(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
    };
    let why = format!("more than {} requests in {}", limit.requests, limit.per);
    let answer = answer.because(why);
    match &limit.retry_after {
        Some(retry_after) => answer.with_header("Retry-After", retry_after),
        None => answer,
    }
}
