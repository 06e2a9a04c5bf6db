//! The parts of a retry policy that a caller can set.

use std::time::Duration;

/// Changes to a [`RetryPolicy`](super::RetryPolicy). `None` keeps the value of the policy.
///
/// Setting `max_retries`, `retry_delay` or `max_retry_delay` also replaces the longer waits that a
/// managed identity keeps after a 410 (PR-11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryOptions {
    /// The largest number of retries; the first attempt does not count. Default: 5 for a managed
    /// identity (PR-10), 3 for Entra (PR-14).
    pub max_retries: Option<u32>,
    /// The nominal wait before the first retry; each further one is twice as long. Default: 0.8 s
    /// for a managed identity, 1 s for Entra.
    pub retry_delay: Option<Duration>,
    /// The longest nominal wait, before jitter. Default: 64 s.
    pub max_retry_delay: Option<Duration>,
    /// The longest `Retry-After` that is waited for; a longer one ends the call. Default: 60 s
    /// (PR-12).
    pub retry_after_cap: Option<Duration>,
}
