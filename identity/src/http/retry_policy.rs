//! Retry policies as data, with a preset for each kind of service (PR-10 to PR-15).

use std::{ops::RangeInclusive, time::Duration};

use super::RetryOptions;

/// When a request is repeated, and how long each attempt may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The largest number of retries. All reasons for a retry share one counter.
    pub max_retries: u32,
    /// The nominal wait before the first retry; each further one is twice as long.
    pub retry_delay: Duration,
    /// The longest nominal wait. Jitter comes on top; `Retry-After` is not bound by it.
    pub max_retry_delay: Duration,
    /// Replaces `retry_delay` after a 410 (PR-11). `None`: a 410 is like any other status.
    pub gone_delay: Option<Duration>,
    /// The longest `Retry-After` that is waited for (PR-12).
    pub retry_after_cap: Duration,
    /// The statuses after which the request is repeated.
    pub retried_statuses: &'static [RangeInclusive<u16>],
    /// How long the connect of one attempt may take (PR-15).
    pub connect_limit: Duration,
    /// How long one attempt may take, to the last byte of the body (PR-15).
    pub attempt_limit: Duration,
}

impl RetryPolicy {
    /// Returns the policy of a managed identity, alone or in a custom chain: up to 5 retries after
    /// 0.8, 1.6, 3.2, 6.4 and 12.8 s; after a 410, waits from 3 s; an attempt may take 10 s, its
    /// connect 2 s (PR-10, PR-11, PR-15).
    pub fn managed_identity() -> Self {
        Self {
            max_retries: 5,
            retry_delay: Duration::from_millis(800),
            max_retry_delay: Duration::from_secs(64),
            gone_delay: Some(Duration::from_secs(3)),
            retry_after_cap: Duration::from_secs(60),
            retried_statuses: &[
                404..=404,
                408..=408,
                410..=410,
                429..=429,
                500..=500,
                502..=504,
                506..=599,
            ],
            connect_limit: Duration::from_secs(2),
            attempt_limit: Duration::from_secs(10),
        }
    }

    /// Returns the policy of a managed identity on Service Fabric, where a 404 is final (PR-10,
    /// MI-64).
    pub fn service_fabric() -> Self {
        Self {
            retried_statuses: &[
                408..=408,
                410..=410,
                429..=429,
                500..=500,
                502..=504,
                506..=599,
            ],
            ..Self::managed_identity()
        }
    }

    /// Returns the policy of a managed identity inside `DefaultAzureCredential`: one attempt of at
    /// most 10 s (PR-13).
    pub fn in_default_chain() -> Self {
        Self {
            max_retries: 0,
            ..Self::managed_identity()
        }
    }

    /// Returns the policy of Entra: up to 3 retries after 1, 2 and 4 s; an attempt may take 30 s,
    /// its connect 10 s (PR-14, PR-15).
    pub fn entra() -> Self {
        Self {
            max_retries: 3,
            retry_delay: Duration::from_secs(1),
            max_retry_delay: Duration::from_secs(64),
            gone_delay: None,
            retry_after_cap: Duration::from_secs(60),
            retried_statuses: &[408..=408, 429..=429, 500..=599],
            connect_limit: Duration::from_secs(10),
            attempt_limit: Duration::from_secs(30),
        }
    }

    /// Returns this policy changed by `options`. If these set the number or the length of the
    /// waits, a 410 has no waits of its own any more (PR-10, PR-11).
    #[must_use]
    pub fn with(mut self, options: &RetryOptions) -> Self {
        let RetryOptions {
            max_retries,
            retry_delay,
            max_retry_delay,
            retry_after_cap,
        } = options;
        if max_retries.is_some() || retry_delay.is_some() || max_retry_delay.is_some() {
            self.gone_delay = None;
        }
        self.max_retries = max_retries.unwrap_or(self.max_retries);
        self.retry_delay = retry_delay.unwrap_or(self.retry_delay);
        self.max_retry_delay = max_retry_delay.unwrap_or(self.max_retry_delay);
        self.retry_after_cap = retry_after_cap.unwrap_or(self.retry_after_cap);
        self
    }

    /// Returns whether a request is repeated after an answer with `status`.
    pub fn retries(&self, status: u16) -> bool {
        self.retried_statuses
            .iter()
            .any(|range| range.contains(&status))
    }

    /// Returns the wait before retry number `retry` (from 1), without jitter. `status` is the
    /// status of the previous answer; `None` if that attempt had no answer.
    pub fn nominal_wait(&self, retry: u32, status: Option<u16>) -> Duration {
        let first = match (status, self.gone_delay) {
            (Some(410), Some(gone)) => gone,
            _ => self.retry_delay,
        };
        let doublings = 1_u32
            .checked_shl(retry.saturating_sub(1))
            .unwrap_or(u32::MAX);
        first.saturating_mul(doublings).min(self.max_retry_delay)
    }
}
