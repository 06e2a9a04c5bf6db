//! How often a failed token request is tried again.

use std::{fmt, sync::Arc, time::Duration};

use crate::Error;

/// The shortest nominal wait once the attempts are used up (PR-23).
const LEAST_CAP: Duration = Duration::from_secs(30);

/// How failed token requests are repeated.
#[derive(Clone)]
pub struct TokenRetryPolicy {
    /// Number of retries after the first failure before subscribers get the error, as in node-redis
    /// (RD-10). Default: 5. Requests continue after that at the longest wait, while there is a
    /// subscription (PR-31).
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
    /// Whether a failure may go away within seconds. Default: [`Error::is_transient`]. Any other
    /// failure is reported at once, and the request is repeated at the longest wait, in case the
    /// cause is repaired.
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
    /// Returns the wait before the `retry`-th retry, counted from 1. `unit` in [0, 1) places it
    /// within the jitter.
    pub(super) fn delay(&self, retry: u32, unit: f64) -> Duration {
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let factor = self.backoff_multiplier.powi(exponent);
        let nominal = self.initial_delay.as_secs_f64() * factor;
        self.jittered(nominal, self.max_delay, unit)
    }

    /// Returns the nominal wait between requests once the attempts are used up.
    pub(super) fn cap(&self) -> Duration {
        self.max_delay.max(LEAST_CAP)
    }

    /// Returns a wait between requests once the attempts are used up.
    pub(super) fn delay_at_cap(&self, unit: f64) -> Duration {
        self.jittered(self.cap().as_secs_f64(), self.cap(), unit)
    }

    /// Returns `nominal` seconds with jitter, at most `most`.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::TokenManagerConfig;

    fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
        range.prop_map(Duration::from_millis)
    }

    proptest! {
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
