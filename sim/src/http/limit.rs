//! Request budgets per window.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;

use super::exchange::Answer;
use crate::scenario::{Limit, LimitBody};

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
