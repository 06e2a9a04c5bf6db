//! When a token is renewed.

use std::time::Duration;

use crate::{Error, ErrorKind};

use super::{NAME, TokenRetryPolicy};

/// The shortest allowed `initial_delay`, that of the documented example.
const LEAST_DELAY: Duration = Duration::from_millis(100);

/// How an [`EntraIdCredentialsProvider`](super::EntraIdCredentialsProvider) renews its token.
#[derive(Clone, Debug)]
pub struct TokenManagerConfig {
    /// The share of its life after which a token is renewed: above 0, at most 1. The life is the
    /// remaining time at the receipt. Default: 0.7 (PR-30).
    pub expiration_refresh_ratio: f64,
    /// How long before its end a token is renewed at the latest, but never before half of its
    /// life. Default: 5 minutes, which leaves room for retries and for spreading the `AUTH`s
    /// before the documented 3 minutes (RS-40).
    pub lower_refresh_bound: Duration,
    /// How long one token request may take. Default: 30 s.
    pub request_timeout: Duration,
    /// How a failed request is retried.
    pub retry: TokenRetryPolicy,
}

impl Default for TokenManagerConfig {
    fn default() -> Self {
        Self {
            expiration_refresh_ratio: 0.7,
            lower_refresh_bound: Duration::from_secs(5 * 60),
            request_timeout: Duration::from_secs(30),
            retry: TokenRetryPolicy::default(),
        }
    }
}

impl TokenManagerConfig {
    /// Checks every value. The provider's `build` calls this.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), which names the value and its allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        let TokenRetryPolicy {
            initial_delay,
            max_delay,
            backoff_multiplier,
            jitter,
            ..
        } = &self.retry;
        let ratio = self.expiration_refresh_ratio;
        // Written so that NaN fits no range.
        require(
            ratio > 0.0 && ratio <= 1.0,
            "expiration_refresh_ratio must be above 0 and at most 1",
            "0.7 renews a token after 70 % of its life",
        )?;
        require(
            !self.request_timeout.is_zero(),
            "request_timeout must not be zero",
            "30 s is the default",
        )?;
        require(
            *initial_delay >= LEAST_DELAY,
            "retry.initial_delay must be at least 100 ms",
            "1 s is the default",
        )?;
        require(
            max_delay >= initial_delay,
            "retry.max_delay must not be shorter than retry.initial_delay",
            "30 s is the default",
        )?;
        require(
            backoff_multiplier.is_finite() && *backoff_multiplier >= 1.0,
            "retry.backoff_multiplier must be at least 1",
            "2 doubles each wait",
        )?;
        require(
            (0.0..1.0).contains(jitter),
            "retry.jitter must be at least 0 and below 1",
            "0.2 spreads each wait over 80 to 120 %",
        )
    }

    /// Returns the time from the receipt of a token with this `life` to its renewal (PR-30).
    pub(super) fn refresh_after(&self, life: Duration) -> Duration {
        let by_ratio = life.mul_f64(self.expiration_refresh_ratio.clamp(0.0, 1.0));
        let by_bound = life.saturating_sub(self.lower_refresh_bound).max(life / 2);
        by_ratio.min(by_bound)
    }
}

fn require(holds: bool, what: &str, help: &str) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Configuration, NAME, what).with_help(help))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
        range.prop_map(Duration::from_millis)
    }

    proptest! {
        /// PR-30: late enough to be worth it, early enough for the bound, whatever the life.
        #[test]
        fn a_refresh_is_within_bounds(
            life in millis(0..200_000_000),
            ratio in 0.001..=1.0_f64,
            bound in millis(0..10_000_000),
        ) {
            let config = TokenManagerConfig {
                expiration_refresh_ratio: ratio,
                lower_refresh_bound: bound,
                ..TokenManagerConfig::default()
            };
            config.validate().unwrap();
            let after = config.refresh_after(life);
            prop_assert!(after <= life);
            prop_assert!(after <= life.mul_f64(ratio));
            prop_assert!(after + bound <= life || after <= life / 2);
            // And no earlier than any of them asks for.
            prop_assert!(after >= life.mul_f64(ratio).min(life / 2));
            let at_bound = after + bound >= life || after >= life / 2;
            prop_assert!(at_bound || after >= life.mul_f64(ratio));
        }
    }
}
