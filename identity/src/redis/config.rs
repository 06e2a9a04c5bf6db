//! When a token is renewed, and how often a failure is tried again.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Error, ErrorKind};

use super::NAME;

/// The least wait at the cap: what keeps failing is not asked more often than every 30 s (PR-23).
const LEAST_CAP: Duration = Duration::from_secs(30);

/// The least first wait, that of the documented example.
const LEAST_DELAY: Duration = Duration::from_millis(100);

/// How an [`EntraIdCredentialsProvider`](super::EntraIdCredentialsProvider) renews its token.
#[derive(Clone, Debug)]
pub struct TokenManagerConfig {
    /// The share of its life after which a token is renewed: above 0, at most 1. The life is what
    /// is left of the token when it is received. Default: 0.7.
    pub expiration_refresh_ratio: f64,
    /// How long before its end a token is renewed at the latest, but never before half of its
    /// life. Default: 5 minutes, which leaves room for retries and for spreading the `AUTH`s
    /// before the documented 3 minutes (RS-40).
    pub lower_refresh_bound: Duration,
    /// How long one token request may take. Default: 30 s.
    pub request_timeout: Duration,
    /// What happens when a request fails.
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
    /// Whether every value makes sense. `build` of the provider asks this.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), which names the value and what it may be.
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

    /// From the receipt of a token with this `life` to its renewal.
    pub(super) fn refresh_after(&self, life: Duration) -> Duration {
        let by_ratio = life.mul_f64(self.expiration_refresh_ratio.clamp(0.0, 1.0));
        let by_bound = life.saturating_sub(self.lower_refresh_bound).max(life / 2);
        by_ratio.min(by_bound)
    }
}

/// How failed token requests are repeated.
#[derive(Clone)]
pub struct TokenRetryPolicy {
    /// How many times a failed request is repeated before the failure is told to the subscribers:
    /// retries after the first failure, as in node-redis (RD-10). Default: 5. What failed is tried
    /// again after that too, at the longest wait, for as long as somebody subscribes.
    pub max_attempts: u32,
    /// The nominal wait before the first retry, at least 100 ms. Default: 1 s.
    pub initial_delay: Duration,
    /// The longest wait, jitter included. Default: 30 s. Once the attempts are used up, requests
    /// come at this distance, or at 30 s if it is shorter.
    pub max_delay: Duration,
    /// By how much each wait is longer than the one before. Default: 2.
    pub backoff_multiplier: f64,
    /// How far a wait may be off: it is drawn from nominal x [1 - jitter, 1 + jitter]. A fraction,
    /// not percent (RD-09). Default: 0.2.
    pub jitter: f64,
    /// Whether a failure may go away by itself within seconds. Default:
    /// [`Error::is_transient`]. One that may not is told at once, and tried again at the longest
    /// wait: somebody may repair what it is about.
    pub is_retryable: Arc<dyn Fn(&Error) -> bool + Send + Sync>,
}

impl Default for TokenRetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            backoff_multiplier: 2.0,
            jitter: 0.2,
            is_retryable: Arc::new(Error::is_transient),
        }
    }
}

impl TokenRetryPolicy {
    /// The wait before the `retry`-th retry (from 1). `unit` of [0, 1) places it within the jitter.
    pub(super) fn delay(&self, retry: u32, unit: f64) -> Duration {
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let factor = self.backoff_multiplier.powi(exponent);
        let nominal = self.initial_delay.as_secs_f64() * factor;
        self.jittered(nominal, self.max_delay, unit)
    }

    /// The longest nominal wait: the distance of requests once the attempts are used up.
    pub(super) fn cap(&self) -> Duration {
        self.max_delay.max(LEAST_CAP)
    }

    /// A wait at the cap.
    pub(super) fn delay_at_cap(&self, unit: f64) -> Duration {
        self.jittered(self.cap().as_secs_f64(), self.cap(), unit)
    }

    /// `nominal` seconds within the jitter, but no more than `most`.
    fn jittered(&self, nominal: f64, most: Duration, unit: f64) -> Duration {
        let nominal = nominal.min(most.as_secs_f64());
        let jittered = nominal * (1.0 - self.jitter + 2.0 * self.jitter * unit);
        Duration::try_from_secs_f64(jittered)
            .unwrap_or(most)
            .min(most)
    }
}

impl fmt::Debug for TokenRetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("initial_delay", &self.initial_delay)
            .field("max_delay", &self.max_delay)
            .field("backoff_multiplier", &self.backoff_multiplier)
            .field("jitter", &self.jitter)
            .finish_non_exhaustive()
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

        /// PR-31: within the jitter, and never above the cap.
        #[test]
        fn a_wait_is_within_bounds(
            initial in millis(100..100_000),
            more in millis(0..1_000_000),
            multiplier in 1.0..10.0_f64,
            jitter in 0.0..0.99_f64,
            retry in prop_oneof![1_u32..20, any::<u32>()],
            unit in 0.0..1.0_f64,
        ) {
            let policy = TokenRetryPolicy {
                initial_delay: initial,
                max_delay: initial + more,
                backoff_multiplier: multiplier,
                jitter,
                ..TokenRetryPolicy::default()
            };
            let config = TokenManagerConfig { retry: policy.clone(), ..Default::default() };
            config.validate().unwrap();
            let wait = policy.delay(retry, unit);
            prop_assert!(wait <= policy.max_delay);
            prop_assert!(wait >= initial.mul_f64(1.0 - jitter).saturating_sub(Duration::from_nanos(9)));
            if retry == 1 {
                prop_assert!(wait <= initial.mul_f64(1.0 + jitter) + Duration::from_nanos(9));
            }
            let at_cap = policy.delay_at_cap(unit);
            prop_assert!(at_cap <= policy.cap());
            prop_assert!(at_cap >= LEAST_CAP.mul_f64(1.0 - jitter).saturating_sub(Duration::from_nanos(9)));
        }
    }

    #[test]
    fn pr_31_the_waits_double_up_to_the_cap() {
        let policy = TokenRetryPolicy::default();
        let waits = |unit| (1..8).map(move |retry| policy.delay(retry, unit).as_secs_f64());
        let nominal: Vec<f64> = waits(0.5).collect();
        assert_eq!(nominal, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    }

    #[test]
    fn pr_31_the_jitter_is_a_fraction() {
        let policy = TokenRetryPolicy::default();
        assert_eq!(policy.delay(1, 0.0), Duration::from_millis(800));
        assert_eq!(policy.delay(1, 0.75), Duration::from_millis(1100));
        assert_eq!(policy.delay_at_cap(0.0), Duration::from_secs(24));
        assert_eq!(policy.delay_at_cap(0.99), Duration::from_secs(30));
    }
}
