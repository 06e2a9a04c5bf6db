//! Retry options, shared by the credentials that ask services over HTTP.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::wording::Number;
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// Retries; what is not set has the credential's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetryOptions {
    /// How many retries after the first attempt.
    pub max_retries: Option<u32>,
    /// The first wait.
    pub retry_delay: Option<Span>,
    /// The longest wait.
    pub max_retry_delay: Option<Span>,
    /// The longest `Retry-After` that is waited for.
    pub retry_after_cap: Option<Span>,
}

/// More retries than that can't be meant.
const MOST_RETRIES: u32 = 1_000;

impl RetryOptions {
    /// Reports what makes no sense in them.
    pub(super) fn check(&self, place: &Place, check: &mut Check<'_>) {
        if self.max_retries.is_some_and(|most| most > MOST_RETRIES) {
            check
                .at_value(&place.key("max-retries"), "more retries than are supported")
                .label("too many")
                .expected(format!("at most {MOST_RETRIES}"))
                .help("leave it out for the credential's own number");
        }
    }

    /// Describes them as the end of a sentence about the credential.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        if let Some(retries) = self.max_retries {
            text += &format!(
                ", {retries} {}",
                Number::of(retries).pick("retry", "retries")
            );
        }
        if let Some(delay) = self.retry_delay {
            text += &format!(", from {delay}");
        }
        if let Some(longest) = self.max_retry_delay {
            text += &format!(", waits of {longest} at most");
        }
        if let Some(cap) = self.retry_after_cap {
            text += &format!(", Retry-After up to {cap}");
        }
        text
    }

    /// The number of retries, for a credential that has so many by default.
    pub(super) fn most(&self, default: u32) -> u32 {
        self.max_retries.unwrap_or(default)
    }

    /// As the options of ours.
    pub(crate) fn ours(&self) -> credsim_identity::RetryOptions {
        credsim_identity::RetryOptions {
            max_retries: self.max_retries,
            retry_delay: self.retry_delay.map(|span| span.0),
            max_retry_delay: self.max_retry_delay.map(|span| span.0),
            retry_after_cap: self.retry_after_cap.map(|span| span.0),
        }
    }
}
